"""The inspection: it counts entries that are there."""

import pytest

from jvgate.cache.redis import inspection as redis_inspection
from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import ALL, KeptKey
from tests.cache.scenes import KEYS, QUERY, entry, kept, play, queries

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


def test_an_inspection_tells_what_is_there(server):
    async def scene(one):
        long, short = queries(2)
        await kept(one, entry(long, keep_s=1000))
        await kept(one, entry(short, keep_s=500))
        return await one.inspect(), await one.inspect(limit=1)

    whole, part = play(scene, server.url)
    assert whole.entries == part.entries == 2
    assert [key.query for key in whole.keys] == ["jra:0B15:00000000", "jra:0B15:00000001"]
    assert part.keys[0].query == "jra:0B15:00000000"
    assert isinstance(whole.keys[0], KeptKey)
    assert whole.keys[0].bytes > 32
    assert 900 < whole.keys[0].expires_in_s <= 1000
    assert 0 <= whole.keys[0].age_s < 100
    assert whole.bytes == part.bytes == sum(key.bytes for key in whole.keys)


@pytest.mark.parametrize("remove", [lambda one, server: one.purge("gone"), lambda one, server: _evict(server)])
def test_an_inspection_counts_what_is_there_and_not_what_was(server, remove):
    async def scene(one):
        stays, *go = queries(4)
        await kept(one, entry(stays))
        for query in go:
            await kept(one, entry(query, tags=("gone",)))
        await remove(one, server)
        found = await one.inspect()
        return found.entries, [key.query for key in found.keys], server.command("ZCARD", KEYS.tag(ALL))

    assert play(scene, server.url) == (1, ["jra:0B15:00000000"], 1)


def test_an_inspection_tells_no_age_of_what_is_foreign(server):
    async def scene(one):
        await kept(one, entry())
        server.command("SET", KEY, "somebody else's")
        return [key.age_s for key in (await one.inspect()).keys]

    assert play(scene, server.url) == [None]


async def _evict(server):
    server.command("UNLINK", *(KEYS.value(query_text(query)) for query in queries(4)[1:]))


def test_what_is_written_anew_stays_in_the_index_while_it_is_inspected(server):
    async def scene(one):
        await kept(one, entry())
        server.command("ZADD", KEYS.tag(ALL), 1e15, str(QUERY))
        server.command("EVAL", redis_inspection._FORGET_SCRIPT, 1, KEYS.tag(ALL), str(QUERY), 12345)
        return server.command("ZCARD", KEYS.tag(ALL))

    assert play(scene, server.url) == 1
