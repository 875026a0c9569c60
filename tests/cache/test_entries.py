"""A dataset as memory keeps it, and as Redis does: the same moments by two clocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.cache.entries import Judged, early, entry_of, packed_of, unpacked
from tests.raceday import dataset, record

AHEAD_S = 1_790_000_000.0
READ_AT = 1000.0
JUDGED = Judged(fresh_s=100.0, stale_s=20.0, error_s=500.0, tags=frozenset({"dataspec=RACE", "date=20261115"}))
RACE_DAY = dataset(record("RA"), read_at=AHEAD_S + READ_AT)


def test_what_goes_to_redis_and_comes_back_is_the_same_entry_but_for_its_early_refresh():
    entry = entry_of(RACE_DAY, JUDGED, read_at=READ_AT, cost_s=1.0)
    packed = packed_of(entry, stamp=7, ahead_s=AHEAD_S)
    back = unpacked(packed, now=READ_AT + 50.0, ahead_s=AHEAD_S, after=(20.0, 500.0))
    assert (packed.stamp, packed.tags) == (7, ("dataspec=RACE", "date=20261115"))
    for name in ("value", "read_at", "fresh_until", "stale_until", "error_until", "tags", "weight"):
        assert getattr(back, name) == getattr(entry, name), name


def test_what_comes_from_redis_is_used_no_longer_than_it_is_kept_there():
    packed = packed_of(entry_of(RACE_DAY, JUDGED, read_at=READ_AT, cost_s=1.0), stamp=0, ahead_s=AHEAD_S)
    back = unpacked(packed, now=READ_AT + 5.0, ahead_s=AHEAD_S, after=(9999.0, 9999.0))
    assert (back.stale_until, back.error_until) == (1200.0, 1600.0)  # stale for as long as it was fresh


def test_what_may_be_used_stale_may_be_used_as_long_when_the_source_fails():
    packed = packed_of(entry_of(RACE_DAY, JUDGED, read_at=READ_AT, cost_s=1.0), stamp=0, ahead_s=AHEAD_S)
    back = unpacked(packed, now=READ_AT + 5.0, ahead_s=AHEAD_S, after=(20.0, 0.0))
    assert (back.stale_until, back.error_until) == (1120.0, 1120.0)


@pytest.mark.parametrize("skew_s", [1.0, 3600.0, 10 * 365 * 86400.0])
def test_what_a_clock_that_is_ahead_says_was_read_in_the_future_was_read_now_and_lives_no_longer(skew_s):
    packed = packed_of(entry_of(RACE_DAY, JUDGED, read_at=READ_AT, cost_s=1.0), stamp=0, ahead_s=AHEAD_S)
    now = READ_AT - skew_s
    back = unpacked(packed, now=now, ahead_s=AHEAD_S, after=(20.0, 500.0))
    windows = [moment - now for moment in (back.read_at, back.fresh_until, back.stale_until, back.error_until)]
    assert windows == pytest.approx([0.0, 100.0, 120.0, 600.0], abs=1e-3)


@given(st.floats(0, 0.999), st.floats(0.01, 50), st.floats(0.1, 1000))
def test_a_refresh_is_the_earlier_the_dearer_the_read_and_never_very_early(random, cost_s, lifetime_s):
    moment = early(1000.0, cost_s=cost_s, lifetime_s=lifetime_s, dice=lambda: random)
    assert 1000.0 - lifetime_s / 10 <= moment <= 1000.0
    assert moment >= early(1000.0, cost_s=cost_s * 2, lifetime_s=lifetime_s, dice=lambda: random)


def test_about_one_in_three_refreshes_begins_when_twice_as_long_is_left_as_a_read_takes():
    """A read's time is left in any case; of what comes before it, the chance is exp(-left / cost)."""
    throws = iter([(n + 0.5) / 1000 for n in range(1000)])
    moments = [early(100.0, cost_s=1.0, lifetime_s=100.0, dice=throws.__next__) for _ in range(1000)]
    assert sum(moment <= 98.0 for moment in moments) / 1000 == pytest.approx(0.368, abs=0.01)


def test_a_refresh_early_comes_before_the_end_by_what_a_read_takes_at_least_and_a_tenth_of_the_life_at_most():
    assert early(100.0, cost_s=1.0, lifetime_s=100.0, dice=lambda: 0.0) == 99.0
    assert early(100.0, cost_s=1.0, lifetime_s=100.0, dice=lambda: 0.99) == pytest.approx(100 - 1 - 4.605, abs=0.01)
    assert early(100.0, cost_s=50.0, lifetime_s=100.0, dice=lambda: 0.0) == 90.0
