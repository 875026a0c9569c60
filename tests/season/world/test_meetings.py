"""`meetings`: where the season races, and under which sky."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from jvgate.season.world.meetings import (
    SEASON_START,
    conditions_of,
    meetings_on,
    round_on_or_after,
    saturday_of,
    week_of,
    week_of_round,
)

DAYS = [SEASON_START + timedelta(days=ahead) for ahead in range(1500)]


def test_the_season_races_on_saturdays_and_sundays_only():
    assert {day.weekday() for day in DAYS if meetings_on(day)} == {5, 6}


def test_every_weekend_has_two_or_three_meetings_at_different_courses():
    for day in DAYS:
        courses = [meeting.course for meeting in meetings_on(day)]
        assert len(courses) in ((2, 3) if day.weekday() > 4 else (0,))
        assert courses == sorted(set(courses))


def test_all_ten_courses_have_meetings():
    assert {meeting.course for day in DAYS for meeting in meetings_on(day)} == {f"{n:02d}" for n in range(1, 11)}


def test_no_two_days_share_year_course_meeting_and_day_number():
    keys = [(m.day.year, m.course, m.kaiji, m.nichiji) for day in DAYS for m in meetings_on(day)]
    assert len(keys) == len(set(keys))
    assert {key[3] for key in keys} <= set(range(1, 13))


@pytest.mark.parametrize("circuit", [0, 1, 2])
def test_rounds_and_weeks_convert_into_each_other(circuit):
    for number in range(-80, 200):
        saturday = saturday_of(week_of_round(circuit, number))
        assert saturday.weekday() == 5
        assert round_on_or_after(circuit, saturday) == number
        assert circuit in {meeting.circuit for meeting in meetings_on(saturday)}


def test_a_week_begins_on_saturday():
    assert [week_of(SEASON_START + timedelta(days=ahead)) for ahead in (-1, 0, 6, 7)] == [-1, 0, 0, 1]


def test_conditions_change_at_most_twice_and_never_into_the_same():
    for day in DAYS[:400]:
        for meeting in meetings_on(day):
            told = conditions_of(1, meeting)
            assert 1 <= len(told) <= 3
            assert [each.at for each in told] == sorted({each.at for each in told})
            assert all((a.weather, a.turf, a.dirt) != (b.weather, b.turf, b.dirt) for a, b in pairwise(told))


def test_it_snows_in_winter_only():
    snowy = {
        m.day.month for day in DAYS for m in meetings_on(day) for sky in conditions_of(1, m) if sky.weather in "56"
    }
    assert snowy
    assert snowy <= {12, 1, 2}


def test_the_plan_of_a_day_is_fixed():
    assert [(m.course, m.kaiji, m.nichiji) for m in meetings_on(date(2026, 11, 22))] == [("05", 5, 6), ("08", 6, 6)]
