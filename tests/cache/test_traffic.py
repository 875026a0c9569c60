"""Which keys are asked for most, lately: true to the stream, bounded, and fading."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.cache.traffic import Hotness


def names(hotness, most=20):
    return [key for key, _ in hotness.hottest(most)]


def test_what_is_asked_for_most_comes_first():
    hotness = Hotness()
    for key in "abbccc":
        hotness.hit(key)
    assert names(hotness) == ["c", "b", "a"]
    assert names(hotness, 1) == ["c"]


def test_nothing_is_hot_before_the_first_hit():
    assert Hotness().hottest() == []
    assert Hotness().hits_per_s("a") == 0


def test_a_steady_rate_is_told_as_it_is():
    hotness = Hotness(half_life_s=60)
    for second in range(1200):
        hotness.tick(second)
        for _ in range(5):
            hotness.hit("a")
    assert hotness.hits_per_s("a") == pytest.approx(5, rel=0.02)


def test_a_rate_halves_in_a_half_life():
    hotness = Hotness(half_life_s=60)
    hotness.hit("a")
    before = hotness.hits_per_s("a")
    hotness.tick(60)
    assert hotness.hits_per_s("a") == pytest.approx(before / 2)


def test_what_was_hot_gives_way_to_what_is():
    hotness = Hotness(half_life_s=60)
    for _ in range(100):
        hotness.hit("old")
    hotness.tick(600)
    hotness.hit("new")
    assert names(hotness) == ["new", "old"]


@pytest.mark.parametrize("days", [1, 30, 3650])
def test_time_never_breaks_the_counts(days):
    hotness = Hotness(half_life_s=60)
    for step in range(1, 50):
        hotness.hit("a")
        hotness.tick(step * days * 86400 / 50)
    hotness.hit("a")
    assert 0 < hotness.hits_per_s("a") < 1


def test_keys_asked_for_once_do_not_push_out_what_is_hot():
    """A crawl over ten thousand keys beside ten that are asked for all the time."""
    rng = random.Random(1)
    hotness = Hotness(keys=50)
    for number in range(10_000):
        hotness.hit(f"cold{number}")
        hotness.hit(f"hot{rng.randrange(10)}")
        assert len(hotness) <= 100
    assert set(names(hotness, 10)) == {f"hot{number}" for number in range(10)}


@given(st.lists(st.sampled_from([f"k{n}" for n in range(12)]), max_size=300))
def test_a_count_is_never_too_low_and_too_high_by_no_more_than_its_share(hits):
    hotness, one = Hotness(keys=3), Hotness()
    one.hit("a")
    unit = one.hits_per_s("a")
    for key in hits:
        hotness.hit(key)
    for key, rate in hotness.hottest():
        true = hits.count(key)
        assert true <= rate / unit + 1e-9
        assert rate / unit <= true + len(hits) / 3 + 1e-9
