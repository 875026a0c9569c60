"""The calendar of deliveries: data that agrees with the data specs' table, and lifetimes that end with a delivery."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.freshness.deliveries import Calendar
from jvgate.spec.jst import JST
from jvgate.values import Query
from tests.raceday import dataset, record
from tests.specs import JRA

CALENDAR = Calendar(JRA.lifetimes["deliveries"])
DELIVERED = JRA.lifetimes["deliveries"]["dataspecs"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FLOOR, FRESH, HOUR = 300.0, 7200.0, 3600.0


def at(text):
    """A moment of the week of 16 November 2026: `Mon 14:00`."""
    day, clock = text.split()
    hour, minute = map(int, clock.split(":"))
    index = [name[:3] for name in WEEKDAYS].index(day)
    return datetime(2026, 11, 16, hour, minute, tzinfo=JST) + timedelta(days=index)


def newest(moment, dataspec="RACE", **query):
    """A dataset whose newest file was provided at *moment*."""
    made = dataset(record("RA"), query=Query(dataspec, from_time="20261101000000", option=1, **query))
    return replace(made, last_file_timestamp=f"{moment:%Y%m%d%H%M%S}")


def life(given_dataset, now, luck=0.0):
    return CALENDAR.life_s(given_dataset, fresh_s=FRESH, floor_s=FLOOR, now=now.timestamp(), luck=luck)


@pytest.mark.parametrize("dataspec", DELIVERED)
def test_the_calendar_says_what_the_data_specs_say(dataspec):
    promised = {
        (day, row["time_jst"])
        for row in JRA.dataspecs[dataspec].about["delivery"]
        for day in re.split(r", ", row["day"])
        if day in WEEKDAYS
    }
    mine = {
        (WEEKDAYS[due.into_week.days], due.into_week - timedelta(days=due.into_week.days))
        for due in CALENDAR.due_dates(dataspec)
    }
    evening = timedelta(hours=18)
    clocks = {"evening": evening} | {
        f"{h:02}:{m:02}": timedelta(hours=h, minutes=m) for h in range(24) for m in (0, 30)
    }
    assert mine == {(day, clocks[clock]) for day, clock in promised}


def test_what_is_delivered_irregularly_has_no_calendar():
    assert CALENDAR.next_delivery("SLOP", at("Mon 09:00")) is None
    assert CALENDAR.next_delivery("0B12", at("Mon 09:00")) is None
    assert CALENDAR.last_delivery("ZZZZ", at("Mon 09:00")) is None


@pytest.mark.parametrize(
    ("now", "coming", "due"),
    [
        ("Mon 13:59", "Mon 14:00", None),
        ("Mon 14:00", "Thu 15:00", "Mon 14:00"),
        ("Thu 15:10", "Thu 16:30", "Mon 14:00"),  # that of 15:00 may not come
        ("Sat 11:00", "Sat 12:00", "Fri 12:00"),
        ("Fri 00:00", "Fri 12:00", "Thu 20:00"),
    ],
)
def test_deliveries_around_a_moment(now, coming, due):
    assert CALENDAR.next_delivery("RACE", at(now)) == at(coming)
    assert CALENDAR.last_delivery("RACE", at(now)) == (at(due) if due else at("Sat 12:00") - timedelta(days=7))


def test_the_moment_may_be_told_in_any_zone():
    assert CALENDAR.next_delivery("MING", at("Mon 13:00").astimezone(UTC)) == at("Mon 14:00")


@pytest.mark.parametrize("dataspec", DELIVERED)
@given(now=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(JST)))
def test_the_next_delivery_is_ahead_and_the_last_one_is_not(dataspec, now):
    coming, due = CALENDAR.next_delivery(dataspec, now), CALENDAR.last_delivery(dataspec, now)
    assert due <= now < coming
    assert coming - now <= timedelta(days=7)
    assert now - due <= timedelta(days=7)


def test_an_answer_lives_until_the_next_delivery():
    assert life(newest(at("Mon 14:02")), at("Tue 15:00")) == 48 * HOUR


def test_a_delivery_that_was_early_has_come():
    assert life(newest(at("Mon 13:35")), at("Mon 15:00")) == 72 * HOUR


def test_what_is_late_is_asked_for_at_the_floor_until_it_came():
    late = newest(at("Sat 12:00") - timedelta(days=7))
    assert life(late, at("Mon 14:30")) == FLOOR
    assert life(newest(at("Mon 16:00")), at("Mon 16:01")) > HOUR


def test_what_never_came_is_asked_for_as_if_there_were_no_calendar():
    assert life(newest(at("Sat 12:00") - timedelta(days=7)), at("Tue 09:00")) == FRESH


def test_no_delivery_is_awaited_that_the_window_cannot_hold():
    before = newest(at("Mon 10:00") - timedelta(days=5), to_time="20261114000000")
    assert life(before, at("Mon 14:30")) > HOUR
    after = replace(before, query=Query("RACE", from_time="20261116150000", option=1))
    assert life(after, at("Mon 15:30")) > HOUR


def test_just_before_a_delivery_the_floor_holds():
    assert life(newest(at("Fri 12:01")), at("Sat 11:59")) == FLOOR


def test_luck_spreads_what_waits_for_the_same_delivery():
    kept = newest(at("Mon 14:02"))
    assert life(kept, at("Tue 15:00"), luck=0.5) - life(kept, at("Tue 15:00")) == 150


def test_without_a_calendar_the_plain_figure_holds():
    assert life(newest(at("Mon 13:00"), dataspec="SLOP"), at("Mon 14:30")) == FRESH
