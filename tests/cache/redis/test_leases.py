"""Leases: one process has it, renews it, gives it back, and loses it when it dies."""

import asyncio

import pytest

from jvgate.cache.redis.keys import query_text
from jvgate.cache.shared import Lease, Miss
from tests.cache.scenes import KEYS, QUERY, entry, play, queries, settled
from tests.waiting import until

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))
LEASE = KEYS.lease(query_text(QUERY))


def test_one_of_two_gets_the_lease(server):
    async def scene(one, other):
        first, second = await one.lease(QUERY), await other.lease(QUERY)
        return first.is_shared, second

    assert play(scene, server.url, server.url) == (True, None)


def test_of_many_one_gets_the_lease(server):
    async def scene(*tiers):
        return await asyncio.gather(*(tier.lease(QUERY) for tier in tiers for _ in range(20)))

    leases = play(scene, *[server.url] * 3)
    assert sum(lease is not None for lease in leases) == 1


def test_a_lease_that_was_given_back_can_be_taken(server):
    async def scene(one, other):
        with await one.lease(QUERY):
            pass
        await settled(one)
        return (await other.lease(QUERY)).is_shared

    assert play(scene, server.url, server.url)


def test_nobody_gives_back_the_lease_of_another(server):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        server.command("SET", LEASE, "somebody else")
        lease.release()
        await settled(one)
        return await other.lease(QUERY)

    assert play(scene, server.url, server.url) is None
    assert server.command("GET", LEASE) == b"somebody else"


def test_who_leaves_while_he_asks_for_a_lease_leaves_none_behind(server):
    async def scene(one):
        for turns, query in enumerate(queries(20)):
            asking = asyncio.create_task(one.lease(query))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            for lease in await asyncio.gather(asking, return_exceptions=True):
                if isinstance(lease, Lease):
                    lease.release()
        await until(lambda: not one._link._tasks)
        await settled(one)
        return [name for name in server.names() if ":lease:" in name]

    assert play(scene, server.url, lease_s=3600.0) == []


def test_a_lease_is_renewed_while_its_holder_runs(server):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        renewed = server.calls("pexpire") + 3
        await until(lambda: server.calls("pexpire") >= renewed)
        held = await other.lease(QUERY)
        lease.release()
        await settled(one)
        return held, (await other.lease(QUERY)).is_shared

    assert play(scene, server.url, server.url, lease_s=1.5) == (None, True)


def test_the_lease_of_who_dies_expires(server):
    """The holder is cancelled and says nothing: as if its process had been killed."""

    async def scene(one, other):
        async def read():
            nonlocal lease
            lease = await one.lease(QUERY)
            held.set()
            await asyncio.Event().wait()

        lease, held = None, asyncio.Event()
        holder = asyncio.create_task(read())
        await held.wait()
        holder.cancel()
        found = await other.wait(QUERY, limit_s=20)
        return found, (await other.lease(QUERY)).is_shared, lease.is_released

    assert play(scene, server.url, server.url, lease_s=0.3) == (Miss("free"), True, False)


@pytest.mark.parametrize("command", [("SET", LEASE, "x"), ("HSET", LEASE, "a", "b"), ("SET", LEASE, "x", "EX", 10**6)])
def test_a_lease_that_nobody_of_us_can_have_keeps_nobody_waiting(server, command):
    async def scene(one):
        server.command(*command)
        assert await one.lease(QUERY) is None
        assert await one.wait(QUERY, limit_s=10.0) == Miss("free")
        with await one.lease(QUERY) as lease:
            return lease.is_shared

    assert play(scene, server.url)


def test_leases_are_given_back_at_the_end(server):
    async def scene(one):
        lease = await one.lease(QUERY)
        one.put(entry())
        lease.release()

    play(scene, server.url)
    assert LEASE not in server.names()
    assert KEY in server.names()
