"""`lineup`: fields, numbers, brackets, riders, weights."""

from collections import Counter
from datetime import date, timedelta

import pytest

from jvgate.season.world.lineup import brackets, excluded, field_of
from jvgate.season.world.programme import races_on

DAYS = [date(2026, 8, 1) + timedelta(days=7 * week + day) for week in range(0, 16, 5) for day in (0, 1)]
RACES = [race for day in DAYS for race in races_on(1, day)]


@pytest.mark.parametrize(
    ("size", "counts"),
    [(8, [1] * 8), (9, [1] * 7 + [2]), (15, [1] + [2] * 7), (16, [2] * 8), (17, [2] * 7 + [3]), (18, [2] * 6 + [3, 3])],
)
def test_the_last_brackets_take_the_horses_that_are_too_many(size, counts):
    assert [Counter(brackets(size))[bracket] for bracket in range(1, 9)] == counts


def test_a_small_field_has_a_bracket_each():
    assert brackets(5) == (1, 2, 3, 4, 5)


def test_fields_have_eight_to_eighteen_horses_numbered_from_one():
    for race in RACES:
        field = field_of(1, race)
        assert 8 <= len(field) <= 18
        assert [runner.number for runner in field] == list(range(1, len(field) + 1))


def test_no_horse_and_no_rider_is_twice_in_a_race():
    for race in RACES:
        field = field_of(1, race)
        riders = [*(runner.jockey for runner in field), *(r.jockey_before for r in field if r.jockey_before)]
        assert len({runner.horse.number for runner in field}) == len(field)
        assert len({rider.code for rider in riders}) == len(riders)


def test_a_horse_runs_once_a_weekend_and_a_rider_rides_at_one_course_a_day():
    for day in DAYS[::2]:
        races = [*races_on(1, day), *races_on(1, day + timedelta(days=1))]
        horses = [runner.horse.number for race in races for runner in field_of(1, race)]
        assert len(horses) == len(set(horses))
        places = {
            (runner.jockey.code, race.meeting.course) for race in races_on(1, day) for runner in field_of(1, race)
        }
        assert len(places) == len({code for code, _ in places})


def test_ages_fit_the_race():
    assert all(
        race.ages[0] <= runner.horse.age_on(race.day) <= race.ages[1] for race in RACES for runner in field_of(1, race)
    )


def test_a_withdrawal_is_announced_before_the_race():
    out = [(race, runner) for race in RACES for runner in field_of(1, race) if runner.status in "123"]
    assert out
    assert all(runner.withdrawn_at < race.post and not runner.starts for race, runner in out)


def test_who_was_left_out_is_not_in_the_field():
    left_out = [(race, horse) for race in RACES for horse in excluded(1, race)]
    assert left_out
    assert all(horse not in [runner.horse for runner in field_of(1, race)] for race, horse in left_out)
