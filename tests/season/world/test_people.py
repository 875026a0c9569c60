"""`people`: riders, trainers, owners, breeders and breeding horses."""

from datetime import date

import pytest

from jvgate.season.world.people import (
    BREEDERS,
    JOCKEY_SEATS,
    OWNERS,
    TRAINER_SEATS,
    apprentice_mark,
    breeder,
    breeding_horse_of,
    breeding_number,
    jockey_in,
    owner,
    trainer_in,
)

TODAY = date(2026, 11, 21)


def test_every_seat_has_its_own_rider_and_trainer():
    riders = [jockey_in(1, seat, TODAY) for seat in range(JOCKEY_SEATS)]
    trainers = [trainer_in(1, seat, TODAY) for seat in range(TRAINER_SEATS)]
    for people in (riders, trainers):
        assert len({person.code for person in people}) == len({person.name.text for person in people}) == len(people)
        assert all(person.licensed <= TODAY <= person.retires for person in people)


def test_someone_new_follows_who_retires():
    rider = jockey_in(1, 5, TODAY)
    heir = jockey_in(1, 5, date(rider.retires.year, 3, 1))
    assert heir.code != rider.code
    assert jockey_in(1, 5, date(rider.retires.year, 2, 28)) == rider


def test_beginners_carry_less_and_lose_it_with_the_years():
    rider = next(r for r in (jockey_in(1, seat, TODAY) for seat in range(JOCKEY_SEATS)) if r.sex == "1")
    year = rider.licensed.year
    assert [apprentice_mark(rider, date(year + ahead, 6, 1)) for ahead in (0, 1, 2, 3, 4)] == ["3", "2", "1", "1", "0"]


def test_owners_and_breeders_have_codes_of_their_own():
    assert len({owner(1, number).code for number in range(OWNERS)}) == OWNERS
    assert len({breeder(1, number).code for number in range(BREEDERS)}) == BREEDERS
    assert all(breeder(1, number).code == breeder(1, number).old_code + "00" for number in range(BREEDERS))


def test_parents_are_older_than_their_children_and_of_the_right_sex():
    child = breeding_horse_of(1, breeding_number(1, 2_023_112_345, 2023, dam=True))
    sire, dam = breeding_horse_of(1, child.sire_number), breeding_horse_of(1, child.dam_number)
    assert (sire.sex, dam.sex) == ("1", "2")
    assert max(sire.birth_year, dam.birth_year) + 3 <= child.birth_year
    assert child.line == sire.line


@pytest.mark.parametrize("number", ["", "1100", "99120000001", "1112999999", "11120A0001"])
def test_a_number_of_nobody_is_refused(number):
    with pytest.raises(KeyError):
        breeding_horse_of(1, number)
