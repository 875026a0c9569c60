"""The tier of a source that is identified late: none before, the right one afterwards, another after a change."""

import asyncio

import pytest

from jvgate.cache.late_tier import LateTier
from jvgate.cache.shared import ALL, Miss, Packed, SharedPurge
from tests.cache.scenes import QUERY, entry
from tests.cache.shared_fake import Board, BoardTier
from tests.waiting import LIMIT_S, until


class _Opened(BoardTier):
    """A tier in memory that is used with `async with`."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


def play(scene):
    """Run *scene* with a late tier and the boards of its identities."""
    boards = {name: Board() for name in ("a", "b")}

    async def on_stage():
        async with asyncio.timeout(LIMIT_S), LateTier(lambda identity: _Opened(boards[identity])) as tier:
            return await scene(tier, boards)

    return asyncio.run(on_stage())


async def identified(tier, identity):
    tier.identify(identity)
    assert tier.state.reason == "unidentified"
    await until(lambda: tier.state.reason != "unidentified")


def test_nothing_is_looked_up_or_kept_before_the_identity_is_known():
    async def scene(tier, boards):
        tier.put(entry())
        lease = await tier.lease(QUERY)
        before = await tier.get(QUERY), await tier.wait(QUERY, limit_s=1), lease.is_shared, tier.fence("RACE")
        await identified(tier, "a")
        return before, await tier.get(QUERY), boards["a"].entries

    before, after, entries = play(scene)
    assert before == (Miss("off"), Miss("off"), False, 0)
    assert isinstance(after, Miss)
    assert entries == {}


def test_each_identity_has_its_own_entries():
    async def scene(tier, boards):
        await identified(tier, "a")
        tier.put(entry())
        mine = await tier.get(QUERY)
        await identified(tier, "b")
        return mine, await tier.get(QUERY), boards["b"].entries

    mine, others, entries = play(scene)
    assert isinstance(mine, Packed)
    assert isinstance(others, Miss)
    assert entries == {}


def test_a_purge_before_the_identity_is_known_is_done_then():
    async def scene(tier, boards):
        _Opened(boards["a"]).put(entry())
        owed = await tier.purge(ALL)
        await identified(tier, "a")
        return owed, await tier.get(QUERY)

    owed, found = play(scene)
    assert owed == SharedPurge(is_owed=True)
    assert isinstance(found, Miss)


@pytest.mark.parametrize("last", ["a", "b"])
def test_of_changes_in_a_row_the_last_one_counts(last):
    async def scene(tier, boards):
        for identity in ("a", "b", "a", "b", last):
            tier.identify(identity)
        await until(lambda: tier.state.reason != "unidentified")
        tier.put(entry())
        return {name for name, board in boards.items() if board.entries}

    assert play(scene) == {last}
