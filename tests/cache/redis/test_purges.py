"""Purges over a real Redis: by the fence at once, by removal in steps."""

import time
from functools import partial

import pytest

from jvgate.cache.redis import purges as redis_purges
from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import ALL, Miss, Packed, SharedPurge
from jvgate.values import Backoff
from tests.cache.scenes import KEYS, QUERY, entry, kept, play, queries, settled
from tests.waiting import until

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


@pytest.mark.parametrize("tags", [("RACE",), ("20261115",), (ALL,), ("x", "RACE")])
def test_a_purge_removes_what_carries_the_tag(server, tags):
    async def scene(one, other):
        await kept(one, entry())
        await kept(one, entry(queries(1)[0], tags=("0B15",)))
        purged = await other.purge(*tags)
        return purged, await one.get(QUERY), await one.get(queries(1)[0])

    purged, found, untouched = play(scene, server.url, server.url)
    assert purged == SharedPurge(2 if tags == (ALL,) else 1)
    assert found == Miss("absent")
    assert isinstance(untouched, Packed) == (tags != (ALL,))


def test_a_read_that_began_before_a_purge_is_not_kept_after_it(server):
    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            await other.purge("RACE")
            one.put(entry(stamp=lease.stamp))
        await settled(one)
        return await one.get(QUERY), await other.get(QUERY), one.counts["put", "purged"]

    assert play(scene, server.url, server.url) == (Miss("absent"), Miss("absent"), 1)
    assert KEY not in server.names()


def test_a_reader_takes_no_value_from_before_a_purge(server):
    """What lies in Redis for the moment between a write and its being taken back."""

    async def scene(one, other):
        await other.purge("RACE")
        await until(lambda: one._fences.newest == other._fences.newest)
        server.command("SET", KEY, pack(entry(stamp=other._fences.newest - 1)))
        return await one.get(QUERY), await other.get(QUERY)

    assert play(scene, server.url, server.url) == (Miss("purged"), Miss("purged"))


def test_a_read_that_began_after_the_purge_is_kept(server):
    async def scene(one, other):
        await other.purge("RACE")
        await until(lambda: one._fences.newest == other._fences.newest)
        return await kept(one, entry(stamp=one._fences.newest)), await other.get(QUERY)

    packed, found = play(scene, server.url, server.url)
    assert found == packed


def test_stamps_grow_even_when_clocks_do_not(server):
    async def scene(one):
        await one.purge("RACE")
        server.command("HSET", KEYS.purges, "", one._fences.newest + 10**12)
        await one.purge("RACE")
        far = one._fences.newest
        await one.purge("DIFN")
        return far, one._fences.newest

    far, farther = play(scene, server.url)
    assert farther > far > time.time() * 1e6 + 9e11


def test_the_hash_of_fences_is_pruned(server):
    async def scene(one):
        server.command("HSET", KEYS.purges, *[x for n in range(1, 5000) for x in (f"t{n}", n)])
        await one.purge("RACE")
        return server.command("HGETALL", KEYS.purges)

    left = play(scene, server.url)
    assert len(left) == 2048
    assert {b"RACE", b"", b"t4999"} <= set(left)
    assert b"t1" not in left


def test_fences_that_are_given_back_lower_none_and_are_pruned(server):
    async def scene(one, other):
        one._fences.raise_fences(map(str, range(4000)), 1)
        old = [word for number in range(4000, 4200) for word in (number, 2)]
        one._fences.raise_fences(["RACE", "DIFN"], 100)
        server.command("HSET", KEYS.purges, "RACE", 200, "DIFN", 50, "YSCH", "soon", *old)
        server.cut_off()
        await until(lambda: one.state.is_listening and one._fences.newest == 200 and other._fences.newest == 200)
        return server.command("HGETALL", KEYS.purges)

    left = play(scene, server.url, server.url)
    assert (left[b"RACE"], left[b"DIFN"], left[b""]) == (b"200", b"100", b"200")
    assert len(left) <= 4096


def test_a_purge_that_removes_slowly_is_done_and_what_is_left_goes_behind_it(server, monkeypatch):
    monkeypatch.setattr(redis_purges, "_PURGE_S", 0.0)  # nothing is removed in that time
    monkeypatch.setattr(redis_purges, "_BATCH", 2)

    async def scene(one, other):
        for query in queries(5):
            await kept(one, entry(query))
        with monkeypatch.context() as patch:
            patch.setattr(one._link, "run", partial(_in_time, one._link.run))
            purged = await one.purge("RACE")
        await until(lambda: not one._purges.left)
        return purged, await other.get(queries(1)[0]), [name for name in server.names() if ":0B15:" in name]

    purged, found, names = play(scene, server.url, server.url)
    assert (purged.is_owed, names) == (False, [])
    assert isinstance(found, Miss)


async def _in_time(run, talk, *, limit_s=None):
    return await run(talk, limit_s=limit_s or 5.0)


def test_what_cannot_be_removed_keeps_redis_from_nobody(server, monkeypatch):
    """It is tried at its own pace, beside the recovery."""

    async def fails(keys, texts, client):
        tried.append(1)
        raise ConnectionError

    tried = []
    monkeypatch.setattr(redis_purges, "_remove", fails)
    monkeypatch.setattr(redis_purges, "_BACKOFF", Backoff(first_s=600.0, most_s=600.0))

    async def scene(one):
        await kept(one, entry())
        await one.purge("RACE")
        await until(lambda: len(tried) == 2 and one.state.state == "closed")
        fresh = await kept(one, entry(stamp=one._fences.newest))
        return await one.get(QUERY) == fresh, one._purges.owed, one._purges.left

    assert play(scene, server.url) == (True, set(), {"RACE"})
