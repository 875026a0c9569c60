"""Work behind the answers: in order, bounded, and never lost once it is taken."""

import asyncio

import pytest
import structlog

from jvgate.cache.redis.backlog import Backlog

pytestmark = pytest.mark.process


def play(scene, **limits):
    async def on_stage():
        backlog = Backlog(**{"max_jobs": 3, "max_bytes": 100} | limits)
        worker = asyncio.create_task(backlog.run())
        try:
            return await scene(backlog)
        finally:
            worker.cancel()

    return asyncio.run(on_stage())


def noting(done, number):
    async def note():
        await asyncio.sleep(0)
        done.append(number)

    return note


def test_jobs_are_done_in_their_order():
    async def scene(backlog):
        done = []
        for number in range(3):
            assert backlog.offer(noting(done, number), 1)
        await backlog.drain(limit_s=10)
        return done, len(backlog), backlog.bytes

    assert play(scene) == ([0, 1, 2], 0, 0)


@pytest.mark.parametrize(("weights", "taken"), [([1] * 5, 3), ([60, 60, 40], 2), ([101], 0)])
def test_what_does_not_fit_is_refused(weights, taken):
    async def scene(backlog):
        return sum(backlog.offer(noting([], 0), weight) for weight in weights)

    assert play(scene) == taken


def test_what_must_be_done_is_taken_in_any_case():
    async def scene(backlog):
        done = []
        for number in range(5):
            backlog.append(noting(done, number))
        await backlog.drain(limit_s=10)
        return done

    assert play(scene) == [0, 1, 2, 3, 4]


def test_there_is_room_again_when_a_job_is_done():
    async def scene(backlog):
        taken = [backlog.offer(noting([], 0), 100) for _ in range(2)]
        await backlog.drain(limit_s=10)
        return [*taken, backlog.offer(noting([], 0), 100)]

    assert play(scene) == [True, False, True]


def test_a_job_that_goes_wrong_in_a_way_of_its_own_is_told_and_the_next_one_is_done():
    async def scene(backlog):
        done = []
        backlog.offer(failing, 100)
        backlog.append(noting(done, 1))
        await backlog.drain(limit_s=10)
        return done, backlog.bytes

    async def failing():
        raise RuntimeError("a fault of ours")

    with structlog.testing.capture_logs() as logs:
        assert play(scene) == ([1], 0)
    assert "a fault of ours" in logs[0]["error"]


def test_draining_has_an_end():
    async def scene(backlog):
        backlog.append(asyncio.Event().wait)
        await backlog.drain(limit_s=0.01)
        return len(backlog)

    assert play(scene) == 0
