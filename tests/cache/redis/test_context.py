"""The clock that all processes share."""

import asyncio
import time

import pytest
from redis.exceptions import ResponseError

from jvgate.cache.redis.context import RedisClock
from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import Miss, Packed
from tests.cache.clocks import Clock
from tests.cache.scenes import KEYS, QUERY, entry, kept, play
from tests.waiting import until

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


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


def test_it_is_read_anew_after_the_own_clock_jumped(server):
    """A wall clock that was set forward looks like a suspend, until Redis says otherwise."""
    off_s = [0.0]

    async def scene(one):
        await kept(one, entry(keep_s=60.0))
        off_s[0] = 3600.0
        jumped = await one.get(QUERY)
        await until(lambda: one.ahead_s < before - 3000)
        return jumped, await one.get(QUERY)

    clock = lambda: time.monotonic() + off_s[0]  # noqa: E731
    before = time.time() - time.monotonic()
    jumped, found = play(scene, server.url, clock=clock)
    assert (jumped, isinstance(found, Packed)) == (Miss("expired"), True)


class _Refusing:
    async def execute_command(self, *command):
        raise ResponseError("NOPERM")


def test_a_redis_that_does_not_tell_its_time_has_that_of_this_machine():
    own = Clock(0.0)
    clock = RedisClock(own, key=KEYS.purges, monotonic=own)
    asyncio.run(clock.set(_Refusing()))
    assert clock() == pytest.approx(time.time(), abs=30)
    assert not clock.is_doubtful


def test_it_is_doubtful_once_the_own_clock_moved_against_the_monotonic_one():
    own, monotonic = Clock(0.0), Clock(0.0)
    clock = RedisClock(own, key=KEYS.purges, monotonic=monotonic)
    own.now_s = monotonic.now_s = 100.0
    assert not clock.is_doubtful
    own.now_s = 101.0
    assert clock.is_doubtful
