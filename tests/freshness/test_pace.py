"""Real-time lifetimes: the nearer to post time the shorter, corrected by what was observed, within limits."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.freshness.pace import Pace
from jvgate.spec.jst import JST
from tests.specs import JRA

DAY = "20261115"
PACE = Pace(JRA.lifetimes["pace"])
POST = datetime(2026, 11, 15, 15, 40, tzinfo=JST).timestamp()
MINUTE, HOUR = 60.0, 3600.0
factors = st.sampled_from([0.34, 1.0, 4.0, 10.0, 20.0])
spans = st.floats(0, 1e7)


def near(now, *, posts=(POST,), is_day=False):
    return PACE.nearness(posts, day=DAY, is_day=is_day, now=now)


@pytest.mark.parametrize(
    ("before_s", "factor"),
    [(0, 0.34), (10 * MINUTE, 0.34), (11 * MINUTE, 1), (2 * HOUR, 4), (20 * HOUR, 10), (72 * HOUR, 20),
     (-20 * MINUTE, 0.34), (-1 * HOUR, 1), (-5 * HOUR, 4)],
)  # fmt: skip
def test_the_factor_goes_by_the_distance_to_post_time(before_s, factor):
    assert near(POST - before_s) == factor


@given(spans, spans)
def test_nearer_to_post_time_never_lives_longer(one, other):
    nearer, further = sorted((one, other))
    assert near(POST - nearer) <= near(POST - further)


@given(spans, spans, st.floats(0, 1e5) | st.none())
def test_nearer_to_post_time_never_lives_longer_whatever_was_observed(one, other, every_s):
    nearer, further = (PACE.life_s(30, near(POST - before), change_every_s=every_s) for before in sorted((one, other)))
    assert nearer <= further


def test_of_many_races_the_nearest_counts():
    assert near(POST, posts=(POST - 5 * HOUR, POST + 5 * MINUTE, POST + 9 * HOUR)) == 0.34


@pytest.mark.parametrize(("clock", "factor"), [(6, 4), (9, 1), (10, 1), (17, 1), (18, 1), (23, 4)])
def test_without_a_post_time_the_hours_of_racing_count(clock, factor):
    assert near(datetime(2026, 11, 15, clock, tzinfo=JST).timestamp(), posts=()) == factor


def test_a_day_is_not_over_because_the_one_known_race_is():
    morning_race = POST - 5 * HOUR
    assert near(POST, posts=(morning_race,), is_day=False) == 4
    assert near(POST, posts=(morning_race,), is_day=True) == 1
    assert PACE.told_by([morning_race], day=DAY) == PACE.told_by([], day=DAY) > POST


@given(st.floats(1, 1e4), factors, st.floats(0, 1e6))
def test_what_is_observed_corrects_the_scale_within_four_times(fresh_s, factor, every_s):
    scale_s = PACE.life_s(fresh_s, factor, change_every_s=None)
    life_s = PACE.life_s(fresh_s, factor, change_every_s=every_s)
    assert scale_s == fresh_s * factor
    assert scale_s / 4 <= life_s <= scale_s * 4


def test_an_answer_lives_half_as_long_as_its_content():
    assert PACE.life_s(30, 1, change_every_s=50) == 25
