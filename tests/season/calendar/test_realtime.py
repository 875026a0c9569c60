"""`realtime`: states follow the clock."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from jvgate.records.decode import decode
from jvgate.season.calendar.realtime import answer, events
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
DAY = "20261122"
RACE = next(race for race in WORLD.races(date(2026, 11, 22)) if race.number == 11)


def _states(dataspec, now, key=RACE.key):
    raws = answer(WORLD, dataspec, key, now=now)
    return dict(Counter(raw[:3].decode() for raw in raws)) if raws else None


def _after(**minutes):
    return RACE.post + timedelta(**minutes)


@pytest.mark.parametrize(
    ("now", "stage", "payouts"),
    [
        (datetime(2026, 11, 19, 17), "1", False),
        (datetime(2026, 11, 21, 12), "2", False),
        (_after(minutes=7), "2", False),
        (_after(minutes=8), "3", False),
        (_after(minutes=10), "4", False),
        (_after(minutes=12), "4", True),
        (_after(minutes=14), "5", True),
        (_after(minutes=20), "6", True),
    ],
)
def test_a_result_comes_in_stages(now, stage, payouts):
    states = _states("0B15", now)
    assert states[f"RA{stage}"] == 1
    assert ("HR1" in states) == payouts
    assert (_states("0B12", now) is None) == (stage < "3")


@pytest.mark.parametrize(
    ("now", "kubun"),
    [
        (datetime(2026, 11, 21, 21), "1"),
        (datetime(2026, 11, 22, 7), "2"),
        (_after(minutes=-5), "1"),
        (_after(minutes=5), "3"),
        (_after(minutes=15), "4"),
    ],
)
def test_odds_are_interim_last_of_the_day_before_last_and_confirmed(now, kubun):
    assert _states("0B30", now) == {f"O{number}{kubun}": 1 for number in range(1, 7)}
    assert _states("0B36", now) == {f"O6{kubun}": 1}


def test_a_series_holds_all_interim_odds_up_to_now():
    early, late = (answer(WORLD, "0B41", RACE.key, now=now) for now in (_after(hours=-3), _after(hours=1)))
    assert late[: len(early)] == early
    assert len(late) > len(early)
    times = [decode(raw, JRA.layouts)["HappyoTime"] for raw in late]
    assert times == sorted(set(times))


@pytest.mark.parametrize(("dataspec", "days"), [("0B12", 7), ("0B31", 7), ("0B41", 365)])
def test_what_is_old_is_gone(dataspec, days):
    assert answer(WORLD, dataspec, RACE.key, now=datetime(2026, 11, 22, 23) + timedelta(days=days)) is not None
    assert answer(WORLD, dataspec, RACE.key, now=datetime(2026, 11, 24) + timedelta(days=days)) is None


@pytest.mark.parametrize("key", ["", "2026", "20261399", "2026112205", "202611220599", DAY])
def test_a_key_of_nothing_gives_nothing(key):
    assert answer(WORLD, "0B31", key, now=_after(hours=1)) is None


def test_both_forms_of_a_race_key_give_the_same():
    now = _after(minutes=30)
    assert answer(WORLD, "0B12", RACE.key, now=now) == answer(WORLD, "0B12", RACE.short_key, now=now)


def test_every_change_event_can_be_fetched_when_it_is_told_and_stands_in_the_days_list():
    for at, _, key in events(WORLD, since=datetime(2026, 11, 21), until=datetime(2026, 11, 23)):
        if len(key) == 28:
            raws = answer(WORLD, "0B16", key, now=at)
            assert set(raws) <= set(answer(WORLD, "0B14", key[2:10], now=at))


def test_events_are_told_once_and_in_order():
    first = events(WORLD, since=datetime(2026, 11, 22), until=datetime(2026, 11, 22, 12))
    second = events(WORLD, since=datetime(2026, 11, 22, 12), until=datetime(2026, 11, 22, 20))
    assert first + second == events(WORLD, since=datetime(2026, 11, 22), until=datetime(2026, 11, 22, 20))


def test_win5_is_told_leg_by_leg():
    moments = (datetime(2026, 11, 20), RACE.post - timedelta(minutes=1), datetime(2026, 11, 22, 18))
    assert [_states("0B51", now, DAY) for now in moments] == [{"WF1": 1}, {"WF2": 1}, {"WF3": 1}]
