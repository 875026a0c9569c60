"""`population`: horses by number and by stay are the same horses."""

import pytest

from jvgate.season.world.belts import BELTS, stay_in
from jvgate.season.world.population import horse_in, root_of_number

STAYS = [
    stay_in(belt, 130, row, seat)
    for belts in BELTS
    for belt in belts.values()
    for row in range(len(belt.slots))
    for seat in range(belt.seats)
]


def test_every_horse_is_found_again_by_its_number():
    for stay in STAYS:
        horse = horse_in(1, stay)
        root = root_of_number(1, horse.number)
        assert root is not None
        assert horse_in(1, root) == horse


def test_no_two_horses_share_a_number_or_a_name():
    horses = [horse_in(1, stay) for stay in STAYS]
    assert len({horse.number for horse in horses}) == len({horse.name.text for horse in horses}) == len(STAYS)


def test_a_number_tells_the_birth_year():
    assert all(horse_in(1, stay).number[:4] == f"{horse_in(1, stay).birth.year}" for stay in STAYS)


def test_a_pedigree_has_fourteen_ancestors_of_alternating_sex():
    horse = horse_in(1, STAYS[0])
    assert [ancestor.sex for ancestor in horse.pedigree] == ["1", "2"] * 7
    assert horse.pedigree[2].number == horse.pedigree[0].sire_number


@pytest.mark.parametrize("number", ["", "2023", "2023199999", "abcdefghij", "2023212345", "0000000000"])
def test_a_number_of_nobody_finds_nobody(number):
    assert root_of_number(1, number) is None
