"""The wire: every frame arrives as it was sent, and nothing else is taken for one."""

import inspect
import io
import random
from contextlib import suppress
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate import errors
from jvgate.errors import SourceError, WorkerLost
from jvgate.jvlink.wire import ERROR_FIELDS, HEAD_BYTES, Channel, Kind, error_fields, error_of

KINDS = st.sampled_from(list(Kind))
BATCH = random.Random(1).randbytes(1 << 20)
FRAMES = st.lists(st.tuples(KINDS, st.integers(0, 2**32 - 1), st.binary(max_size=200), st.integers(0, 999)), max_size=6)


def sent(frames):
    """The bytes of *frames* on the wire."""
    wire = io.BytesIO()
    channel = Channel(io.BytesIO(), wire)
    for kind, job, payload, count in frames:
        channel.send(kind, job, payload, count=count)
    return wire.getvalue()


def received(data, **limits):
    """The frames in *data*, up to its end.  Raises WorkerLost."""
    channel = Channel(io.BytesIO(data), io.BytesIO(), **limits)
    frames = []
    while (frame := channel.receive()) is not None:
        frames.append((frame.kind, frame.job, bytes(frame.payload), frame.count))
    return frames


@given(FRAMES)
def test_frames_arrive_as_they_were_sent(frames):
    assert received(sent(frames)) == frames


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_a_lost_worker(data):
    with suppress(WorkerLost):
        received(data)


@given(FRAMES.filter(bool), st.data())
def test_bytes_put_in_anywhere_are_noticed_before_the_end(frames, data):
    """Whoever waits for the last frame gets all of them unharmed, or an error."""
    whole = sent(frames)
    at = data.draw(st.integers(0, len(whole) - 1))
    stray = data.draw(st.binary(min_size=1, max_size=30))
    with pytest.raises(WorkerLost):
        received(whole[:at] + stray + whole[at:])


@given(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=2000))
def test_bytes_put_into_a_batch_or_left_out_of_it_are_noticed_at_its_end(at, stray):
    """The records after it are not read, even when the batch is the last there is."""
    whole = sent([(Kind.RECORDS, 1, BATCH, 9)])
    at = min(at, len(whole) - len(stray))
    for broken in (whole[:at] + stray + whole[at:], whole[:at] + whole[at + len(stray) :]):
        with pytest.raises(WorkerLost):
            received(broken)


@given(FRAMES.filter(bool), st.data())
def test_a_byte_changed_anywhere_is_noticed(frames, data):
    whole = bytearray(sent(frames))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WorkerLost):
        received(bytes(whole))


@given(FRAMES.filter(bool), st.data())
def test_a_stream_that_is_cut_short_is_noticed_within_a_frame(frames, data):
    whole = sent(frames)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        assert len(received(cut)) < len(frames)
    except WorkerLost:
        assert cut


def test_another_version_is_named_beside_ones_own():
    frame = bytearray(sent([(Kind.READY, 0, b"{}", 0)]))
    frame[2] = 9
    with pytest.raises(WorkerLost, match="version 9 of the protocol, this one version 1"):
        received(bytes(frame))


def test_a_frame_that_is_too_long_is_not_waited_for():
    frame = sent([(Kind.RECORDS, 1, b"x" * 5000, 1)])
    with pytest.raises(WorkerLost, match="5000 bytes, 4096 are allowed"):
        received(frame[:HEAD_BYTES], limit_bytes=4096)


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"[1]", b"\xff"])
def test_a_message_that_is_no_object_is_told(payload):
    channel = Channel(io.BytesIO(sent([(Kind.READY, 0, payload, 0)])), io.BytesIO())
    with pytest.raises(WorkerLost, match="READY"):
        channel.receive().fields()


def test_frames_of_many_threads_never_mix():
    wire = io.BytesIO()
    channel = Channel(io.BytesIO(), wire)
    threads = [
        Thread(target=lambda job=job: [channel.send(Kind.RECORDS, job, bytes([job]) * 500) for _ in range(50)])
        for job in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frames = received(wire.getvalue())
    assert len(frames) == 400
    assert all(payload == bytes([job]) * 500 for _, job, payload, _ in frames)


def test_garbage_on_the_wire_is_a_lost_worker():
    wire = io.BytesIO()
    Channel(io.BytesIO(), wire).garble()
    with pytest.raises(WorkerLost, match="no message"):
        received(wire.getvalue())


def test_nobody_at_the_other_end_is_a_lost_worker():
    closed = io.BytesIO()
    closed.close()
    channel = Channel(closed, closed)
    with pytest.raises(WorkerLost, match="closed"):
        channel.send(Kind.QUIT)
    with pytest.raises(WorkerLost, match="closed"):
        channel.receive()
    channel.close()


EXAMPLES = {"code": -303, "limit_bytes": 5, "limit_s": 1.5, "place": 3, "hresult": 0x80040154}


@pytest.mark.parametrize("kind", ERROR_FIELDS, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_trip_with_all_its_fields(kind):
    fields = {name: EXAMPLES.get(name, "words") for name in ERROR_FIELDS[kind]}
    came = error_of(error_fields(kind(**fields)))
    assert type(came) is kind
    assert {name: getattr(came, name) for name in fields} == fields
    assert str(came) == str(kind(**fields))


def test_no_kind_of_source_error_is_forgotten():
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SourceError)}
    assert kinds - set(ERROR_FIELDS) == {SourceError, errors.SessionHung}  # the second is the server's own verdict


@pytest.mark.parametrize("error", [SourceError("words"), ValueError("words")])
def test_other_errors_arrive_as_words(error):
    came = error_of(error_fields(error))
    assert type(came) is SourceError
    assert "words" in str(came)


@pytest.mark.parametrize(
    "fields", [{}, {"error": "SystemExit"}, {"error": "JVLinkError"}, {"error": "JVLinkError", "x": 1}, {"error": 7}]
)
def test_an_error_that_nobody_knows_is_a_lost_worker(fields):
    assert isinstance(error_of(fields), WorkerLost)
