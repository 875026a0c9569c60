"""`belts`: horses come, stay, win once, and go on to the next class."""

import pytest

from jvgate.season.world.belts import (
    BELTS,
    crop_of,
    last_round,
    next_stay,
    previous_stay,
    root_of,
    stay_in,
    stays_of,
    winning_seat,
)
from jvgate.season.world.belts import deal as dealt

ALL = [belt for belts in BELTS for belt in belts.values()]


def _stays(belt, rounds):
    return {stay_in(belt, n, row, seat) for n in rounds for row in range(len(belt.slots)) for seat in range(belt.seats)}


def test_the_belts_fill_all_races_of_a_weekend():
    for belts in BELTS:
        slots = sorted(slot for belt in belts.values() for slot in belt.slots)
        assert slots == [(day, number) for day in (0, 1) for number in range(1, 13)]


@pytest.mark.parametrize("belt", ALL, ids=lambda belt: belt.word)
def test_going_back_undoes_going_on(belt):
    for stay in _stays(belt, range(60, 80, 7)):
        later = next_stay(1, stay)
        assert later is None or previous_stay(1, later) == stay


@pytest.mark.parametrize("belt", ALL, ids=lambda belt: belt.word)
def test_every_horse_has_one_root_however_it_is_found(belt):
    for stay in _stays(belt, range(90, 100, 5)):
        assert stay in stays_of(1, root_of(1, stay))


@pytest.mark.parametrize("belt", ALL, ids=lambda belt: belt.word)
def test_stays_do_not_overlap_and_follow_at_once(belt):
    for stay in list(_stays(belt, [100]))[:40]:
        last, _ = last_round(stay)
        assert stay_in(belt, last, stay.row, stay.seat) == stay
        assert stay_in(belt, last + belt.period, stay.row, stay.seat).start == last + belt.period


def test_a_horse_wins_its_class_on_its_last_visit_only():
    belt = BELTS[0]["win1"]
    for number in range(100, 130):
        for race in range(len(belt.slots)):
            seat = winning_seat(1, belt, number, race)
            stay = stay_in(belt, number, dealt(1, belt, number)[seat][race], seat)
            assert last_round(stay) == (number, True)


def test_each_round_deals_every_horse_to_one_race():
    belt = BELTS[1]["maiden"]
    for rows in dealt(1, belt, 77):
        assert sorted(rows) == list(range(8))


def test_maidens_are_of_one_crop():
    belt = BELTS[0]["maiden"]
    for number in range(100, 160, 3):
        assert {crop_of(0, stay.start) for stay in _stays(belt, [number])} == {crop_of(0, number)}
