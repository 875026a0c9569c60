"""A read that is taken while it goes on: in order, with a bounded room between, and no thread left waiting."""

import asyncio
import threading

import pytest

from jvgate.errors import SourceError
from jvgate.jvlink.request import Progress, Summary
from jvgate.sessions.collecting import request_of
from jvgate.sessions.piping import FileStart, Pipe, piped
from tests.sessions.gated import RACE, RECORDS, File, GatedShelf, Links, pool, realtime
from tests.specs import JRA

LIMIT_S = 10
ROOM = 10


class Writer(threading.Thread):
    """A session's thread that puts batches into *pipe*.  put: how many it got rid of."""

    def __init__(self, pipe, batches):
        super().__init__(daemon=True)
        self.put = 0
        self._pipe = pipe
        self._batches = batches

    def run(self):
        self._pipe.begin("a.jvd", "20261108120000")
        for batch in self._batches:
            self._pipe.progress(Progress())
            self._pipe.records(batch, 1)
            self.put += 1


def play(scene):
    async def limited():
        async with asyncio.timeout(LIMIT_S):
            return await scene()

    return asyncio.run(limited())


async def ended(thread):
    await asyncio.to_thread(thread.join, LIMIT_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("batches", [[], [b"a"], [b"12345"] * 50, [b"longer than the room", b"a", b"longer than it"]])
def test_what_the_thread_puts_in_comes_out_in_order(batches):
    async def scene():
        pipe = Pipe(room_bytes=ROOM)
        writer = Writer(pipe, batches)
        writer.start()
        taken = [await pipe.take() for _ in range(len(batches) + 1)]
        await ended(writer)
        pipe.end()
        return taken, await pipe.take()

    taken, last = play(scene)
    assert (taken, last) == (["a.jvd", *batches], None)
    assert isinstance(taken[0], FileStart)


def test_no_more_is_held_than_there_is_room_for():
    async def scene():
        pipe = Pipe(room_bytes=ROOM)
        writer = Writer(pipe, [b"1234"] * 40)
        writer.start()
        held = []
        await pipe.take()
        for taken in range(40):
            await pipe.take()
            held.append(writer.put - taken)  # it may have put one more and not counted it yet
        await ended(writer)
        return held

    assert max(play(scene)) <= ROOM // 4 + 1


def test_closing_lets_the_waiting_thread_go_and_drops_what_it_brings():
    async def scene():
        pipe = Pipe(room_bytes=ROOM)
        writer = Writer(pipe, [b"1234"] * 40)
        writer.start()
        await pipe.take()
        pipe.close()
        await ended(writer)
        return writer.put, await pipe.take()

    assert play(scene) == (40, None)


def test_what_came_before_the_end_is_taken_first():
    async def scene():
        pipe = Pipe()
        pipe.records(b"a", 1)
        pipe.end()
        return await pipe.take(), await pipe.take()

    assert play(scene) == (b"a", None)


def test_a_wait_for_the_next_batch_has_a_limit():
    async def scene():
        pipe = Pipe()
        with pytest.raises(TimeoutError):
            await pipe.take(wait_s=0.0)
        pipe.records(b"a", 1)
        return await pipe.take(wait_s=0.0)

    assert play(scene) == b"a"


def test_it_is_untouched_until_something_comes():
    async def scene():
        pipe = Pipe()
        before = pipe.is_untouched
        pipe.begin("a.jvd", "")
        return before, pipe.is_untouched

    assert play(scene) == (True, False)


def test_a_read_through_a_pool_comes_out_whole():
    async def scene():
        async with pool(Links(GatedShelf())) as lanes:
            request = request_of(RACE, JRA, limit_bytes=None)
            async with piped(lambda pipe: lanes.read_into(request, pipe)) as (pipe, reading):
                taken = []
                while (item := await pipe.take()) is not None:
                    taken.append(item)
                return taken, await reading

    (name, *batches), summary = play(scene)
    assert (name, b"".join(batches)) == ("RA.jvd", b"".join(RECORDS))
    assert (summary.records, summary.last_file_timestamp) == (200, "20261108120000")


def test_an_error_comes_behind_what_was_read():
    async def read(pipe):
        pipe.records(b"a", 1)
        raise SourceError("broken")

    async def scene():
        async with piped(read) as (pipe, reading):
            first, second = await pipe.take(), await pipe.take()
            with pytest.raises(SourceError, match="broken"):
                await reading
            return first, second

    assert play(scene) == (b"a", None)


@pytest.mark.parametrize("why", [None, SourceError("no more"), asyncio.CancelledError()])
def test_whoever_leaves_ends_the_read_and_frees_its_thread(why):
    threads = []

    async def read(pipe):
        threads.append(Writer(pipe, [b"1" * (1 << 20)] * 100))
        threads[0].start()
        await asyncio.get_running_loop().create_future()
        return Summary()

    async def scene():
        try:
            async with piped(read) as (pipe, reading):
                await pipe.take()
                if why is not None:
                    raise why
        except (SourceError, asyncio.CancelledError) as exc:
            assert exc is why  # noqa: PT017
        await ended(threads[0])
        return reading.cancelled()

    assert play(scene)


def test_a_session_whose_taker_has_left_is_free_for_the_next_one():
    """It stands in the full pipe, with most of its records still to come."""
    many = [b"RA720261108%0100000d\r\n" % number for number in range(100)]
    shelf = GatedShelf()
    shelf.stored = lambda dataspec, *, now, setup: [File(many)]

    async def scene():
        async with pool(Links(shelf)) as lanes:
            request = request_of(RACE, JRA, limit_bytes=None)
            async with piped(lambda pipe: lanes.read_into(request, pipe)) as (pipe, _):
                await pipe.take()
                await pipe.take()
            dataset = await lanes.read(realtime(1))
            return dataset.body, lanes.faults

    assert play(scene) == (b"".join(RECORDS), 0)
