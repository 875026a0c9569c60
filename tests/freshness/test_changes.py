"""How often content changes: the average of what was observed, bounded in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.freshness.changes import ChangeRate, family_of
from jvgate.values import Query


def observed(*looks, **kwargs):
    rate = ChangeRate(**kwargs)
    for now, changed in looks:
        rate.observe("k", now, changed=changed)
    return rate


def test_nothing_is_known_before_the_first_change():
    assert observed().every_s("k", 5) is None
    assert observed((0, True), (10, False), (20, False)).every_s("k", 20) is None


def test_regular_changes_are_their_interval():
    assert observed(*((10 * n, True) for n in range(9))).every_s("k", 85) == pytest.approx(10)


def test_looks_without_a_change_are_part_of_the_interval():
    assert observed((0, False), (10, False), (20, False), (30, True)).every_s("k", 30) == 30


def test_the_newest_interval_counts_by_its_weight():
    assert observed((0, False), (10, True), (30, True), weight=0.5).every_s("k", 30) == 15


def test_a_silence_slows_down_without_a_change():
    rate = observed((0, False), (10, True), weight=0.5)
    assert [rate.every_s("k", now) for now in (15, 20, 40, 110)] == [10, 10, 20, 55]


def test_the_key_not_observed_for_longest_is_forgotten():
    rate = ChangeRate(most_keys=2)
    for key in ("a", "b", "a", "c"):
        rate.observe(key, 0, changed=False)
    for key in ("a", "b", "c"):
        rate.observe(key, 10, changed=True)
    assert len(rate) == 2
    assert rate.every_s("a", 10) is None  # came back as new


@given(st.lists(st.tuples(st.floats(0, 1e4), st.booleans()), max_size=30))
def test_an_average_is_never_negative_nor_longer_than_all_that_passed(looks):
    rate, now = ChangeRate(), 0.0
    for step, changed in looks:
        now += step
        rate.observe("k", now, changed=changed)
    assert 0 <= (rate.every_s("k", now) or 0) <= now * 1.000001


def test_a_family_is_a_data_spec_and_what_its_key_is_about():
    long, short = Query("0B30", key="2026111505050411", records=("O1",)), Query("0B30", key="202611150511")
    assert family_of(long) == family_of(short) == "0B30:202611150511"
    assert family_of(Query("0B31", key="202611150511")) != family_of(short)
    assert family_of(Query("RACE", from_time="20261101000000", option=1)) == "RACE"
