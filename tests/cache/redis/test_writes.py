"""Writes behind the answers: bounded, indexed, and taken back after a purge."""

import pytest

from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import ALL, Miss
from tests.cache.scenes import KEYS, QUERY, entry, kept, play, queries, settled

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


def test_redis_drops_an_entry_by_itself_at_the_end_of_its_window(server):
    async def scene(one):
        await kept(one, entry(keep_s=1000))
        return server.command("PTTL", KEY)

    assert 990_000 < play(scene, server.url) <= 1_000_000


def test_what_is_over_the_limit_is_not_kept(server):
    async def scene(one):
        await kept(one, entry(body=bytes(1001)))
        return one.counts["put", "large"], await one.get(QUERY)

    assert play(scene, server.url, limit_bytes=1000) == (1, Miss("absent"))
    assert server.names() == set()


def test_a_backlog_that_is_full_drops_and_counts(server):
    async def scene(one):
        for query in queries(10):
            one.put(entry(query))
        await settled(one)
        return one.counts["put", "backlog"], one.counts["put", "stored"]

    assert play(scene, server.url, queue_entries=4) == (6, 4)


def test_a_backlog_is_bounded_by_bytes(server):
    async def scene(one):
        for query in queries(3):
            one.put(entry(query, body=bytes(40_000)))
        held = len(one._backlog)
        await settled(one)
        return held, one.counts["put", "backlog"], one._backlog.bytes

    assert play(scene, server.url, queue_bytes=100_000) == (2, 1, 0)


def test_what_cannot_be_packed_is_counted_and_the_writer_lives_on(server):
    async def scene(one):
        await kept(one, entry(tags=("\ud800",)))
        await kept(one, entry())
        return one.counts["put", "unpackable"], one.counts["put", "stored"]

    assert play(scene, server.url) == (1, 1)


def test_a_writer_that_has_not_heard_of_the_purge_takes_its_value_back(server):
    async def scene(one, other):
        one._news._take = lambda data: None
        lease = await one.lease(QUERY)
        await other.purge("RACE")
        await kept(one, entry(stamp=lease.stamp))
        return one.counts["put", "purged"], KEY in server.names()

    assert play(scene, server.url, server.url) == (1, False)


def test_the_index_forgets_what_has_expired(server):
    async def scene(one):
        server.command("ZADD", KEYS.tag(ALL), 1, "long gone")
        await kept(one, entry())
        return server.command("ZRANGE", KEYS.tag(ALL), 0, -1), server.command("PTTL", KEYS.tag(ALL))

    texts, expires_ms = play(scene, server.url)
    assert texts == [str(QUERY).encode()]
    assert 60_000 < expires_ms <= 120_000
