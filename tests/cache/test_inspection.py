"""Figures of both tiers: sizes, ages, ratios, and the keys asked for most."""

import asyncio

import pytest

from jvgate.cache.inspection import memory_figures, shared_figures
from jvgate.cache.memory import Memory, Store
from jvgate.cache.shared import NoTier
from jvgate.cache.traffic import Traffic
from jvgate.values import Entry
from tests.cache.clocks import Clock
from tests.cache.shared_fake import Board, BoardTier


def entry(*, read_at, fresh_until, weight=100):
    return Entry("value", read_at=read_at, fresh_until=fresh_until, weight=weight, stale_until=1e9)


def room(**entries):
    memory = Memory(max_entries=100, max_bytes=1000, clock=Clock(0.0))
    store = Store(memory)
    for key, one in entries.items():
        store.put(key, one)
    return memory


def test_memory_tells_its_sizes_and_the_age_of_the_oldest():
    memory = room(a=entry(read_at=940.0, fresh_until=1060.0), b=entry(read_at=989.96, fresh_until=1001.0, weight=20))
    figures = memory_figures(memory, Traffic(), now=1000.0)
    assert (figures["entries"], figures["bytes"], figures["oldest_s"]) == (2, 120, 60.0)


@pytest.mark.parametrize(("now", "stale"), [(1000.0, 0), (1001.0, 1), (1060.0, 2)])
def test_an_entry_is_stale_from_the_moment_up_to_which_it_is_fresh(now, stale):
    memory = room(a=entry(read_at=940.0, fresh_until=1060.0), b=entry(read_at=990.0, fresh_until=1001.0))
    assert memory_figures(memory, Traffic(), now=now)["stale"] == stale


def test_an_empty_memory_has_no_age_and_no_ratio():
    figures = memory_figures(room(), Traffic(), now=1000.0)
    assert [figures[name] for name in ("entries", "oldest_s", "hit_ratio", "requests", "hottest")] == [
        0,
        None,
        None,
        {},
        [],
    ]


def test_the_ratio_is_of_the_looks_in_memory_alone():
    traffic = Traffic()
    for tier, result, dataspec in [*[("l1", "hit", "RACE")] * 2, ("l1", "miss", "0B12"), *[("l2", "miss", "RACE")] * 9]:
        traffic.count(tier, result, dataspec)
    figures = memory_figures(room(), traffic, now=1000.0)
    assert (figures["requests"], figures["hit_ratio"]) == ({"hit": 2, "miss": 1}, 0.6667)
    assert figures["dataspecs"] == {"0B12": {"miss": 1, "hit_ratio": 0.0}, "RACE": {"hit": 2, "hit_ratio": 1.0}}


def test_the_hottest_keys_come_with_the_age_of_what_is_kept_of_them():
    traffic = Traffic()
    for key in ["a", "gone", "a", *map(str, range(30))]:
        traffic.hotness.hit(key)
    hottest = memory_figures(room(a=entry(read_at=940.0, fresh_until=1060.0)), traffic, now=1000.0)["hottest"]
    assert ([one["key"] for one in hottest[:2]], len(hottest)) == (["a", "gone"], 20)
    assert [one["age_s"] for one in hottest[:2]] == [60.0, None]
    assert hottest[0]["hits_per_s"] == pytest.approx(2 * hottest[1]["hits_per_s"], abs=0.002)


def test_the_second_tier_tells_its_state_its_looks_and_its_other_requests():
    async def scene():
        tier = BoardTier(Board())
        tier.counts.update({("get", "hit"): 3, ("get", "absent"): 1, ("put", "stored"): 2})
        tier.looks.update({("RACE", "hit"): 3, ("0B12", "absent"): 1})
        return await shared_figures(tier)

    figures = asyncio.run(scene())
    assert (figures["state"], figures["is_listening"], figures["entries"], figures["bytes"]) == ("closed", True, 0, 0)
    assert (figures["requests"], figures["hit_ratio"]) == ({"hit": 3, "absent": 1}, 0.75)
    assert figures["counts"] == {"put.stored": 2}
    assert figures["dataspecs"]["RACE"] == {"hit": 3, "hit_ratio": 1.0}
    assert figures["dataspecs"]["0B12"] == {"absent": 1, "hit_ratio": 0.0}


def test_a_tier_that_is_none_has_no_ratio():
    figures = asyncio.run(shared_figures(NoTier()))
    assert (figures["state"], figures["hit_ratio"], figures["longest_lived"]) == ("off", None, [])
