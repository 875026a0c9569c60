"""Single flight: one makes it, all who ask meanwhile share it, whatever comes of it."""

import asyncio

import pytest

from jvgate.cache.flights import Flights


class Maker:
    """Makes one value after another, each when the gate is open.

    calls: how often it was asked to.  ended: how often it was cancelled; slow_to_end: what it waits for then.
    """

    def __init__(self):
        self.calls = 0
        self.gate = asyncio.Event()
        self.began = asyncio.Event()
        self.error = None
        self.ended = 0
        self.slow_to_end = None

    async def __call__(self):
        self.calls += 1
        number = self.calls
        self.began.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended += 1
            if self.slow_to_end:
                await self.slow_to_end.wait()
            raise
        if self.error is not None:
            raise self.error
        return number


def play(scene, flights=None):
    """Run *scene* with new flights and a new maker."""

    async def on_stage():
        return await scene(Flights() if flights is None else flights, Maker())

    return asyncio.run(on_stage())


def test_all_who_ask_at_the_same_time_get_what_one_made():
    async def scene(flights, maker):
        tasks = [asyncio.create_task(flights.join("a", maker)) for _ in range(1000)]
        await maker.began.wait()
        maker.gate.set()
        return await asyncio.gather(*tasks), maker.calls, len(flights)

    answers, calls, flying = play(scene)
    assert (calls, flying) == (1, 0)
    assert answers == [(1, False)] + [(1, True)] * 999


def test_who_asks_later_has_it_made_anew():
    async def scene(flights, maker):
        maker.gate.set()
        return [await flights.join("a", maker) for _ in range(2)]

    assert play(scene) == [(1, False), (2, False)]


def test_another_key_is_another_flight():
    async def scene(flights, maker):
        maker.gate.set()
        return await asyncio.gather(flights.join("a", maker), flights.join("b", maker))

    assert play(scene) == [(1, False), (2, False)]


def test_an_error_is_shared_and_not_kept():
    async def scene(flights, maker):
        maker.error = ValueError("no")
        tasks = [asyncio.create_task(flights.join("a", maker)) for _ in range(3)]
        await maker.began.wait()
        maker.gate.set()
        shared = await asyncio.gather(*tasks, return_exceptions=True)
        maker.error = None
        return shared, await flights.join("a", maker)

    shared, later = play(scene)
    assert [str(error) for error in shared] == ["no"] * 3
    assert later == (2, False)


@pytest.mark.parametrize("leaving", [0, 1])
def test_one_who_leaves_takes_nothing_from_the_others(leaving):
    async def scene(flights, maker):
        tasks = [asyncio.create_task(flights.join("a", maker)) for _ in range(2)]
        await maker.began.wait()
        tasks.pop(leaving).cancel()
        maker.gate.set()
        return (await tasks[0])[0], maker.calls

    assert play(scene) == (1, 1)


async def left_and_asked_again(flights, maker):
    task = asyncio.create_task(flights.join("a", maker))
    await maker.began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    late = asyncio.create_task(flights.join("a", maker))
    await asyncio.sleep(0)
    maker.gate.set()
    return await late


def test_a_flight_that_everybody_left_is_ended_and_who_asks_later_begins_anew():
    assert play(left_and_asked_again) == (2, False)


def test_a_flight_may_go_on_for_nobody():
    assert play(left_and_asked_again, Flights(goes_on=True)) == (1, True)


def test_the_last_one_who_leaves_ends_the_flight_and_none_before():
    async def scene(flights, maker):
        tasks = [asyncio.create_task(flights.join("a", maker)) for _ in range(3)]
        await maker.began.wait()
        flying = []
        for task in tasks:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            flying.append((len(flights), maker.ended))
        return flying

    assert play(scene) == [(1, 0), (1, 0), (0, 1)]


def test_who_comes_while_it_is_being_ended_begins_anew_and_is_not_disturbed():
    async def scene(flights, maker):
        maker.slow_to_end = asyncio.Event()
        first = asyncio.create_task(flights.join("a", maker))
        await maker.began.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(flights.join("a", maker))
        await asyncio.sleep(0)
        maker.slow_to_end.set()
        await asyncio.sleep(0)
        third = asyncio.create_task(flights.join("a", maker))
        await asyncio.sleep(0)
        maker.gate.set()
        return await asyncio.gather(second, third), maker.calls, maker.ended

    assert play(scene) == ([(2, False), (2, True)], 2, 1)


def test_who_leaves_what_has_just_landed_ends_nothing():
    async def scene(flights, maker):
        task = asyncio.create_task(flights.join("a", maker))
        await maker.began.wait()
        maker.gate.set()
        while len(flights):  # noqa: ASYNC110  (it lands when the loop comes to it)
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return maker.ended, await flights.join("a", maker)

    assert play(scene) == (0, (2, False))


def test_closing_waits_for_what_was_left_as_well():
    async def scene(flights, maker):
        maker.slow_to_end = asyncio.Event()
        task = asyncio.create_task(flights.join("a", maker))
        await maker.began.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        closing = asyncio.create_task(flights.close())
        await asyncio.sleep(0)
        return closing.done()

    assert play(scene) is False


def test_an_error_that_nobody_waits_for_is_not_reported_as_never_retrieved():
    reports = []

    async def scene(flights, maker):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context))
        maker.error = ValueError("no")
        task = asyncio.create_task(flights.join("a", maker))
        await maker.began.wait()
        task.cancel()
        maker.gate.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert len(flights) == 0

    play(scene)
    assert reports == []


def test_closing_cancels_what_flies_and_waits_for_its_end():
    async def scene(flights, maker):
        task = asyncio.create_task(flights.join("a", maker))
        await maker.began.wait()
        await flights.close()
        return len(flights), (await asyncio.gather(task, return_exceptions=True))[0]

    flying, ended = play(scene)
    assert flying == 0
    assert isinstance(ended, asyncio.CancelledError)
