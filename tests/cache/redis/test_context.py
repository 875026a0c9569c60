"""The clock that all processes share."""

import time

import pytest

from jvgate.cache.redis.keys import query_text, value_key
from jvgate.cache.shared import Packed
from tests.cache.scenes import QUERY, entry, kept, play

pytestmark = pytest.mark.process

KEY = value_key(query_text(QUERY))


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_time_is_redis_own_whatever_the_clock_of_this_machine_says(server, ahead_s):
    async def scene(one):
        packed = await kept(one, entry(keep_s=60.0))
        return packed, await one.get(QUERY), one.ahead_s, server.command("PTTL", KEY)

    packed, found, off_s, expires_ms = play(scene, server.url, clock=lambda: time.time() + ahead_s)
    assert found == packed
    assert off_s == pytest.approx(-ahead_s, abs=30)
    assert 30_000 < expires_ms <= 61_000


def test_time_is_the_clock_of_the_wall(server):
    """Another machine reads the windows: they are no monotonic seconds of this one."""

    async def scene(one):
        await kept(one, entry(now=time.time() + 30))
        return await one.get(QUERY)

    assert isinstance(play(scene, server.url), Packed)
