"""What every second tier does, whether it is Redis, a board in memory, or none at all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import ALL, Lease, Miss, NoTier, Packed, SharedPurge, SharedTier
from tests.cache.redis_server import RedisServer
from tests.cache.scenes import IDENTITY, QUERY, entry, queries, settled
from tests.cache.shared_fake import Board, BoardTier
from tests.specs import JRA
from tests.waiting import LIMIT_S, until

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Kind:
    """How to make two tiers that are two processes.  keeps: whether there is anything behind them."""

    name: str
    keeps: bool = True


KINDS = [Kind("redis"), Kind("board"), Kind("none", keeps=False), Kind("down", keeps=False)]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.fixture(params=[kind for kind in KINDS if kind.keeps], ids=lambda kind: kind.name)
def keeping(request):
    return request.param


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


async def tiers_of(kind: Kind, server: RedisServer, end: AsyncExitStack) -> tuple[SharedTier, SharedTier]:
    if kind.name == "none":
        return NoTier(), NoTier()
    if kind.name == "board":
        board = Board()
        return BoardTier(board), BoardTier(board)
    server.command("FLUSHALL")
    url = server.url if kind.name == "redis" else "unix:///nowhere/redis.sock"
    one, other = [
        await end.enter_async_context(RedisTier(url, JRA.layouts, identity=IDENTITY, deadline_s=2.0)) for _ in range(2)
    ]
    if kind.keeps:
        await until(lambda: one.state.is_listening and other.state.is_listening)
    return one, other


def run(scene, kind, server):
    async def on_stage():
        async with AsyncExitStack() as end, asyncio.timeout(LIMIT_S):
            return await scene(*await tiers_of(kind, server, end))

    return asyncio.run(on_stage())


async def kept(tier, packed):
    tier.put(packed)
    if isinstance(tier, RedisTier):
        await settled(tier)
    return packed


def test_what_was_never_kept_is_a_miss(kind, server):
    async def scene(one, other):
        return await one.get(QUERY), await one.inspect()

    found, inspection = run(scene, kind, server)
    assert isinstance(found, Miss)
    assert found.reason
    assert (inspection.entries, inspection.keys) == (0, ())


def test_everything_can_be_asked_of_a_tier_that_keeps_nothing(kind, server):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        with lease:
            await kept(one, entry(stamp=lease.stamp))
        return lease, await other.wait(QUERY, limit_s=20), await other.purge("x")

    lease, found, purged = run(scene, kind, server)
    assert isinstance(lease, Lease)
    assert isinstance(found, Packed) == kind.keeps
    assert purged.entries == 0


def test_who_may_read_is_told_whether_others_may_too(kind, server):
    async def scene(one, other):
        return await one.lease(QUERY), await other.lease(QUERY)

    first, second = run(scene, kind, server)
    assert first.is_shared == kind.keeps
    assert (second is None) == kind.keeps


def test_one_lease_keeps_nobody_from_another(kind, server):
    async def scene(one, other):
        return [await one.lease(query) for query in queries(3)]

    assert all(run(scene, kind, server))


def test_what_one_keeps_the_other_finds(keeping, server):
    async def scene(one, other):
        return await kept(one, entry()), await other.get(QUERY), (await other.inspect()).keys[0].query

    packed, found, text = run(scene, keeping, server)
    assert found == packed
    assert text == str(QUERY)


def test_who_waits_gets_what_lands(keeping, server):
    async def scene(one, other):
        with await one.lease(QUERY):
            waiting = asyncio.create_task(other.wait(QUERY, limit_s=20))
            await asyncio.sleep(0.02)
            one.put(entry())
        return await waiting

    assert isinstance(run(scene, keeping, server), Packed)


@pytest.mark.parametrize(("is_released", "reason"), [(True, "free"), (False, "late")])
def test_who_waits_in_vain_is_told_why(keeping, server, is_released, reason):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        waiting = asyncio.create_task(other.wait(QUERY, limit_s=20 if is_released else 0.05))
        await asyncio.sleep(0.02)
        if is_released:
            lease.release()
            lease.release()
        return await waiting

    assert run(scene, keeping, server) == Miss(reason)


@pytest.mark.parametrize("tag", ["RACE", ALL])
def test_a_purge_is_for_all(keeping, server, tag):
    async def scene(one, other):
        await kept(one, entry())
        return await other.purge(tag), await one.get(QUERY)

    purged, found = run(scene, keeping, server)
    assert purged == SharedPurge(1)
    assert isinstance(found, Miss)


def test_what_another_process_says_it_purges_is_not_taken_and_what_is_read_anew_is(keeping, server):
    async def scene(one, other):
        await kept(one, entry())
        stamp = one.fence("RACE")
        found = [await tier.get(QUERY) for tier in (one, other)]
        before = other.fence("RACE", stamp=stamp), other.fence("RACE", stamp=stamp)
        found.append(await other.get(QUERY))
        await kept(one, entry(stamp=stamp))
        return before == (stamp, stamp), [*found, await other.get(QUERY)]

    is_same, found = run(scene, keeping, server)
    assert is_same
    assert [isinstance(each, Packed) for each in found] == [False, True, False, True]


def test_what_was_read_before_a_purge_stays_away(keeping, server):
    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            await other.purge("RACE")
            await kept(one, entry(stamp=lease.stamp))
        return await one.get(QUERY)

    assert isinstance(run(scene, keeping, server), Miss)
