"""Streams over a real pool: what comes when, what is told at the end, and who is let go."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager
from threading import Event

import pytest

from jvgate.errors import JVLinkError, SessionHung, SourceBusy, SourceError, WorkerLost
from jvgate.gateway import streams as streaming
from jvgate.gateway.streams import Streams
from jvgate.jvlink.request import Summary
from jvgate.question.parsing import parse_question
from jvgate.render.formats.registry import offered_streams
from jvgate.settings import Settings
from tests.raceday import race_day, record
from tests.sessions.gated import LIMIT_S
from tests.specs import JRA

DAY = race_day()


class Playing:
    """Stands in for a pool whose reads do what a script says: batches to give, then what to return or raise."""

    def __init__(self, *script):
        self.requests = []
        self._script = list(script)

    async def read_into(self, request, sink, *, priority, has_twins):
        self.requests.append(str(request))
        *batches, last = self._script.pop(0)
        for number, batch in enumerate(batches):
            sink.begin(f"{number}.jvd", "")
            if isinstance(batch, asyncio.Event):
                await batch.wait()
            else:
                sink.records(batch, 1)
        if isinstance(last, Exception):
            raise last
        return Summary(last_file_timestamp=last)


def asked(dataspec="RACE", **parameters):
    given = {"from_time": "20261101", **parameters}
    parameters = {name: [value] for name, value in given.items()}
    return parse_question(dataspec, parameters, JRA, formats=offered_streams(Settings()))


def play(scene, *script):
    async def limited():
        streams = Streams(Playing(*script), JRA, stall_s=1.0)
        async with asyncio.timeout(LIMIT_S):
            result = await scene(streams)
        assert streams.open_count == 0
        streams.close()
        return result

    return asyncio.run(limited())


async def whole(streams, question=None, pieces=None):
    pieces = [] if pieces is None else pieces
    async with streams.open(question or asked()) as stream:
        async for piece in stream.pieces:
            pieces.append(piece)
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


def test_the_last_line_proves_the_end_and_says_where_to_go_on():
    *records, end = play(whole, [b"".join(DAY), "20261116140000"])
    assert [shown["RecordSpec"] for shown in records] == ["RA", "SE", "SE", "SE", "HR", "O1"]
    assert end["end"]["last_file_timestamp"] == "20261116140000"
    assert (end["end"]["total"], end["end"]["file_count"]) == (6, 1)


def test_nothing_found_is_an_end_alone():
    ((only),) = play(whole, [""])
    assert (only["end"]["total"], only["end"]["last_file_timestamp"]) == (0, None)


def test_joined_data_specs_are_read_one_after_another_and_told_apart_at_the_end():
    async def scene(streams):
        return await whole(streams, asked("RACEDIFN")), streams._pool.requests

    (*records, end), requests = play(scene, [DAY[0], "20261116140000"], [record("UM"), ""])
    assert [shown["RecordSpec"] for shown in records] == ["RA", "UM"]
    assert requests == ["RACE:20261101000000:1", "DIFN:20261101000000:1"]
    assert end["end"]["last_file_timestamps"] == {"RACE": "20261116140000", "DIFN": None}
    assert end["end"]["last_file_timestamp"] == "20261116140000"


def test_the_first_piece_waits_for_nothing_but_the_first_record(monkeypatch):
    monkeypatch.setattr(streaming, "PIECE_S", LIMIT_S * 10)
    more = asyncio.Event()

    async def scene(streams):
        async with streams.open(asked()) as stream:
            first = await anext(stream.pieces)
            more.set()
            return first, [piece async for piece in stream.pieces]

    first, rest = play(scene, [DAY[0], more, DAY[1], DAY[2], ""])
    assert json.loads(first)["RecordSpec"] == "RA"
    assert len(rest) == 1  # what is little waits for more


def test_what_has_come_goes_out_though_nothing_more_comes():
    more = asyncio.Event()

    async def scene(streams):
        async with streams.open(asked()) as stream:
            pieces = [await anext(stream.pieces), await anext(stream.pieces)]
            more.set()
            return pieces + [piece async for piece in stream.pieces]

    pieces = play(scene, [DAY[0], DAY[1], more, DAY[2], ""])
    assert [json.loads(piece.splitlines()[0]).get("RecordSpec") for piece in pieces[:2]] == ["RA", "SE"]


@pytest.mark.parametrize("error", [WorkerLost("it died"), SessionHung("JVOpen", limit_s=1.0)])
def test_a_worker_lost_before_anything_came_is_not_noticed(error):
    *records, _ = play(whole, [error], [DAY[0], ""])
    assert len(records) == 1


@pytest.mark.parametrize(
    "script",
    [
        [[WorkerLost("it died")], [WorkerLost("it died")]],
        [[DAY[0], WorkerLost("it died")]],
        [[JVLinkError(-303, "JVOpen")]],
        [[SourceBusy(7)]],
    ],
)
def test_every_other_error_ends_the_stream_behind_what_was_read(script):
    pieces = []
    with pytest.raises(SourceError):
        play(lambda streams: whole(streams, pieces=pieces), *script)
    assert len(pieces) == sum(len(batches) - 1 for batches in script)
    assert not any(b'"end"' in piece for piece in pieces)


def test_the_last_words_come_behind_what_was_made():
    async def scene(streams):
        async with streams.open(asked()) as stream:
            with pytest.raises(SourceError):
                _ = [piece async for piece in stream.pieces]
            return stream.fail({"type": "/problems/x"})

    assert play(scene, [DAY[0], SourceError("x")]) == b'{"error":{"type":"/problems/x"}}\n'


@asynccontextmanager
async def open_and_begun(streams):
    async with streams.open(asked()) as stream:
        await anext(stream.pieces)
        yield stream


def test_leaving_in_the_middle_ends_the_read():
    never = asyncio.Event()

    async def scene(streams):
        async with open_and_begun(streams):
            reads = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return [task.cancelled() for task in reads]

    assert play(scene, [DAY[0], never, ""]) == [True]


def test_a_stream_that_is_open_when_the_server_ends_holds_no_thread():
    async def scene(streams):
        async with open_and_begun(streams) as stream:
            sink = stream._pipe
            streams.close()
            for _ in range(100):
                sink.records(b"x" * (1 << 20), 1)  # on this very thread: it would stand still for ever
        return True

    assert play(scene, [DAY[0], asyncio.Event(), ""])


def test_what_is_large_is_packed_a_part_at_a_time():
    closed = []

    async def given():
        try:
            yield b"x" * (2 * streaming.PACK_BYTES + 1)
            yield b"y"
        finally:
            closed.append(True)

    async def scene(streams):
        return [piece async for piece in streams.packed(given(), "gzip")]

    pieces = play(scene)
    assert len(pieces) == 5  # three parts, the small one, the end
    assert gzip.decompress(b"".join(pieces)) == b"x" * (2 * streaming.PACK_BYTES + 1) + b"y"
    assert closed


def test_the_loop_goes_on_while_something_is_packed(monkeypatch):
    goes_on = Event()

    class Waits:
        def __init__(self, coding, *, level):
            pass

        def write(self, piece):
            return b"packed" if goes_on.wait(LIMIT_S) else b"alone"

        def end(self):
            return b""

    async def given():
        yield b"x"

    async def scene(streams):
        packing = asyncio.create_task(anext(pieces := streams.packed(given(), "gzip")))
        asyncio.get_running_loop().call_soon(goes_on.set)
        piece = await packing
        await pieces.aclose()
        return piece

    monkeypatch.setattr(streaming, "compressor", Waits)
    assert play(scene) == b"packed"
