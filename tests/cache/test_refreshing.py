"""Refreshes: one at a time, and none for a while after one that failed."""

import asyncio

import pytest

from jvgate.cache.refreshing import BACKOFF, MOST_RUNNING, Refreshes
from jvgate.errors import JVLinkError, ReadCancelled, SourceBusy
from tests.cache.clocks import Clock, settled

BUSY = SourceBusy(1)


def play(scene):
    async def on_stage():
        clock = Clock()
        refreshes = Refreshes(lambda error: error.retry_after_s is not None, clock=clock)
        try:
            return await scene(refreshes, clock)
        finally:
            await refreshes.close()

    return asyncio.run(on_stage())


def test_what_is_being_refreshed_is_not_begun_again():
    async def scene(refreshes, clock):
        gate, calls = asyncio.Event(), []

        async def make():
            calls.append(1)
            await gate.wait()

        begun = [refreshes.begin("a", make), refreshes.begin("a", make), refreshes.begin("b", make)]
        await settled()
        gate.set()
        await settled()
        return begun, len(calls), len(refreshes), refreshes.begin("a", make)

    assert play(scene) == ([True, False, True], 2, 0, True)


def test_only_so_many_are_refreshed_at_once():
    async def scene(refreshes, clock):
        gate = asyncio.Event()
        begun = [refreshes.begin(str(number), gate.wait) for number in range(MOST_RUNNING + 1)]
        gate.set()
        await settled()
        return begun.count(True), refreshes.begin(str(MOST_RUNNING), gate.wait)

    assert play(scene) == (MOST_RUNNING, True)


def test_after_a_failure_there_is_a_rest_twice_as_long_each_time_and_none_after_a_success():
    async def scene(refreshes, clock):
        async def fail():
            raise BUSY

        rests = []
        for _ in range(8):
            refreshes.begin("a", fail)
            await settled()
            until = clock.now_s
            while refreshes.is_failing("a"):
                until += 0.5
                clock.now_s = until
            rests.append(until)
        lengths = [after - before for before, after in zip([1000.0, *rests], rests, strict=False)]
        refreshes.note("a", BUSY)
        refreshes.note("a", None)
        return lengths, refreshes.is_failing("a")

    lengths, is_failing = play(scene)
    assert lengths[:3] == [BACKOFF.first_s, 2 * BACKOFF.first_s, 4 * BACKOFF.first_s]
    assert (max(lengths), is_failing) == (BACKOFF.most_s, False)


def test_one_failure_told_twice_is_one():
    async def scene(refreshes, clock):
        refreshes.note("a", BUSY)
        refreshes.note("a", BUSY)
        clock.now_s += BACKOFF.first_s
        return refreshes.is_failing("a")

    assert play(scene) is False


@pytest.mark.parametrize("error", [ReadCancelled("a"), JVLinkError(-301, "JVOpen")])
def test_what_was_given_up_or_will_not_pass_is_no_reason_to_rest(error):
    async def scene(refreshes, clock):
        refreshes.note("a", error)
        return refreshes.is_failing("a")

    assert play(scene) is False


def test_closing_cancels_what_is_being_refreshed():
    async def scene(refreshes, clock):
        ended = []

        async def make():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(1)

        refreshes.begin("a", make)
        await settled()
        await refreshes.close()
        return ended, len(refreshes)

    assert play(scene) == ([1], 0)


@pytest.mark.parametrize(("then", "has_failed"), [(BUSY, True), (ReadCancelled("a"), True), (None, False),
                                                  (JVLinkError(-301, "JVOpen"), False)])  # fmt: skip
def test_it_has_failed_until_a_read_ends_in_another_way(then, has_failed):
    async def scene(refreshes, clock):
        refreshes.note("a", BUSY)
        clock.now_s += BACKOFF.most_s
        refreshes.note("a", then)
        clock.now_s += BACKOFF.most_s
        return refreshes.has_failed("a"), refreshes.is_failing("a")

    assert play(scene) == (has_failed, False)
