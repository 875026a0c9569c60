"""A session at the other end of a channel, scripted here over a socket pair; processes: `test_remote_process.py`.

A socket pair holds what the other end has said, so most tests let it say everything first and need no second thread.
"""

import socket
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from queue import SimpleQueue
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from jvgate.errors import JVLinkError, NotOffered, ReadCancelled, SourceError, WorkerFailed, WorkerLost
from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.jvlink.wire import Channel, Kind, error_fields
from jvgate.sessions.remote_session import RemoteWorker, SessionEvent
from tests.jvlink.sinks import Kept

LIMIT_S = 10
RACE = Request("RACE", "20261101000000", 1, unwanted=frozenset({"SE", "RA"}), have=frozenset({"x.jvd"}), limit_bytes=9)
FILE = (Kind.FILE, 1, {"name": "RA.jvd", "provided": "20261108120000"})
RECORDS = (Kind.RECORDS, 1, b"RA\r\nRA\r\n", 2)
END = (Kind.END, 1, asdict(Summary("20261108120000", 1, 8, 2, 0.5, 1.5)))


def never():
    return False


class Line:
    """The lifeline of a scripted other end.  cut, settled: what was done with it."""

    def __init__(self, near):
        self._near = near
        self.cut = self.settled = False
        self.was_cut = Event()

    def sever(self):
        self.cut = True
        self.was_cut.set()
        with suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)

    def is_alive(self):
        return not self.cut

    def settle(self):
        self.settled = True


class End:
    """The other end: says frames, and keeps what was said to it."""

    def __init__(self, far, files, line):
        self._far = far
        self._channel = Channel(*files)
        self.line = line

    def say(self, *frames):
        for frame in frames:
            if isinstance(frame, bytes):
                self._far.sendall(frame)
            else:
                kind, job, payload, *count = frame
                self._channel.send(kind, job, payload, count=sum(count))

    def hang_up(self):
        self._far.shutdown(socket.SHUT_WR)

    def heard(self):
        """All that was said so far: (kind, job, fields)."""
        self._far.setblocking(False)
        frames = []
        with suppress(WorkerLost):
            while frame := self._channel.receive():
                frames.append((frame.kind, frame.job, frame.fields()))
        return frames


@contextmanager
def facing(*frames, hangs_up=False, **given):
    """A worker, and its other end that has said *frames*."""
    with ExitStack() as stack:
        near, far = map(stack.enter_context, socket.socketpair())
        files = [stack.enter_context(end.makefile(mode, 0)) for end in (near, far) for mode in ("rb", "wb")]
        line = Line(near)
        end = End(far, files[2:], line)
        end.say(*frames)
        if hangs_up:
            end.hang_up()
        yield RemoteWorker(Channel(*files[:2]), line, what="the other end", **given), end


def outcome(*frames, request=RACE, sink=None, cancelled=never, **given):
    """What comes of a read that is answered with *frames*, and nothing after them."""
    with facing(*frames, hangs_up=True, **given) as (worker, _):
        return worker.read(request, sink or Kept(), cancelled)


def test_ready_tells_facts_and_makes_the_worker_idle():
    with facing((Kind.READY, 0, {"pid": 7, "bits": 32})) as (worker, _):
        assert worker.activity.doing == "start"
        worker.open()
        assert (worker.facts, worker.activity.doing) == ({"pid": 7, "bits": 32}, "idle")


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ([], WorkerFailed, "the other end ended before it was ready"),
        ([b"Traceback (most recent call last):\n"], WorkerFailed, "no message: b'Traceback"),
        ([b"jv"], WorkerFailed, "no message: b'jv'"),
        ([RECORDS], WorkerFailed, "RECORDS of job 1 during job 0"),
        ([(Kind.RESULT, 0, {})], WorkerFailed, "answered RESULT instead of READY"),
        ([(Kind.HEARTBEAT, 0, {})], WorkerFailed, "heartbeat that makes no sense"),
        ([(Kind.READY, 0, b"{")], WorkerLost, "READY that is not JSON"),
        ([(Kind.READY, 0, b"[]")], WorkerLost, "READY that is no object"),
        ([(Kind.ERROR, 0, error_fields(JVLinkError(-101, "JVInit")))], JVLinkError, "JVInit returned -101"),
        ([(Kind.ERROR, 0, error_fields(ImportError("no pywin32")))], SourceError, "ImportError: no pywin32"),
    ],
)
def test_what_does_not_become_ready_is_told(said, error, words):
    with facing(*said, hangs_up=True) as (worker, _), pytest.raises(error) as raised:
        worker.open()
    assert words in str(raised.value)


def test_a_read_is_asked_for_with_every_field_and_handed_on():
    progress = (Kind.PROGRESS, 1, asdict(Progress(files=1, files_read=1, bytes_read=8)))
    with facing(FILE, RECORDS, progress, END) as (worker, end):
        kept = Kept()
        summary = worker.read(RACE, kept, never)
        heard = end.heard()
    assert summary == Summary("20261108120000", 1, 8, 2, 0.5, 1.5)
    assert kept.files == [("RA.jvd", "20261108120000", bytearray(b"RA\r\nRA\r\n"))]
    assert (kept.batches, kept.told) == ([2], [Progress(files=1, files_read=1, bytes_read=8)])
    assert heard == [(Kind.READ, 1, asdict(RACE) | {"unwanted": ["RA", "SE"], "have": ["x.jvd"]})]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "the other end ended"),
        ([FILE, RECORDS], "the other end ended"),
        ([b"garbage on the line, more than a head"], "no message: b'garbage"),
        ([FILE, b"jv\x09d" + bytes(30)], "version 9"),
        ([(Kind.RECORDS, 2, b"RA", 1)], "RECORDS of job 2 during job 1"),
        ([(Kind.RECORDS, 0, b"RA", 1)], "RECORDS of job 0 during job 1"),
        ([(Kind.READY, 1, {})], "READY, which is no answer"),
        ([(Kind.RESULT, 1, {"value": {}})], "RESULT, which is no answer"),
        ([(Kind.QUIT, 1, {})], "QUIT, which is no answer"),
        ([(Kind.FILE, 1, {"name": "x"})], "a message without 'provided'"),
        ([(Kind.FILE, 1, b"\xff")], "FILE that is not JSON"),
        ([(Kind.PROGRESS, 1, {"files": 1})], "a message without 'files_read'"),
        ([(Kind.END, 1, {})], "a message without 'last_file_timestamp'"),
        ([(Kind.END, 1, b"[]")], "END that is no object"),
        ([FILE, RECORDS, (Kind.END, 1, END[2] | {"bytes": 9})], "2 records were sent and 2 came"),
        ([FILE, RECORDS, (Kind.END, 1, END[2] | {"records": 3})], "3 records were sent and 2 came"),
        ([FILE, END], "2 records were sent and 0 came"),
        ([(Kind.HEARTBEAT, 0, {})], "heartbeat that makes no sense"),
        ([(Kind.HEARTBEAT, 0, {"doing": "JVGets", "for_s": "long", "cpu_s": 0})], "heartbeat that makes no sense"),
        ([(Kind.HEARTBEAT, 0, {"doing": "JVGets", "for_s": None, "cpu_s": 0})], "heartbeat that makes no sense"),
        ([(Kind.DIALOG, 0, b"[]")], "DIALOG that is no object"),
        ([(Kind.EVENT, 0, {"event": "JVEvtPay"})], "a message without 'parameter'"),
        ([(Kind.ERROR, 1, {})], "an error of unknown kind"),
        ([(Kind.ERROR, 1, {"error": "SystemExit"})], "an error of unknown kind: SystemExit"),
        ([(Kind.ERROR, 1, {"error": "JVLinkError", "colour": "red"})], "an error of unknown kind: JVLinkError"),
    ],
)
def test_nonsense_is_a_lost_worker_in_words(said, words):
    with pytest.raises(WorkerLost) as error:
        outcome(*said)
    assert words in error.value.why


FIELDS = st.dictionaries(
    st.sampled_from(["name", "provided", "doing", "for_s", "cpu_s", "value", "error", "why", *Summary.__slots__]),
    st.none() | st.integers() | st.floats() | st.sampled_from(["", "x", "JVLinkError"]) | st.just([1]),
)
ANY_FRAMES = st.lists(
    st.tuples(
        st.sampled_from(Kind),
        st.integers(0, 2),
        FIELDS | st.binary(max_size=5),
    ),
    max_size=5,
)


class Swallowing(Kept):
    """A sink that takes anything."""

    def begin(self, name, provided):
        self.files.append((name, provided, bytearray()))

    def records(self, batch, count):
        self.batches.append(count)


@given(ANY_FRAMES)
def test_whatever_comes_ends_in_a_summary_or_an_error_of_ours(frames):
    with suppress(SourceError):
        assert isinstance(outcome(*frames, sink=Swallowing()), Summary)


@pytest.mark.parametrize("job", [0, 1])
def test_errors_come_as_they_were_there(job):
    with pytest.raises(JVLinkError) as error:
        outcome((Kind.ERROR, job, error_fields(JVLinkError(-402, "JVGets", detail="RA.jvd"))))
    assert (error.value.code, error.value.method, error.value.detail) == (-402, "JVGets", "RA.jvd")


def test_after_an_error_the_next_job_is_answered():
    with facing((Kind.ERROR, 1, error_fields(NotOffered("silks"))), (Kind.END, 2, asdict(Summary()))) as (worker, _):
        with pytest.raises(NotOffered):
            worker.read(RACE, Kept(), never)
        assert worker.activity.doing == "idle"
        assert worker.read(RACE, Kept(), never) == Summary()


def test_what_comes_late_of_a_job_that_failed_here_is_not_taken_for_the_next_one():
    class Full(Kept):
        def begin(self, name, provided):
            raise SourceError("no room")

    with facing(FILE, RECORDS, END) as (worker, _):
        with pytest.raises(SourceError, match="no room"):
            worker.read(RACE, Full(), never)
        with pytest.raises(WorkerLost, match="RECORDS of job 1 during job 2"):
            worker.read(RACE, Kept(), never)


class Watching(Kept):
    """A sink that keeps what the worker was at whenever progress came."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def read(self, worker):
        self.progress = lambda progress: self.seen.append(worker.activity)
        worker.read(RACE, self, never)
        return self.seen


LOOK = (Kind.PROGRESS, 1, asdict(Progress()))
NO_RECORDS = (Kind.END, 1, asdict(Summary()))


def heartbeat(doing="JVGets", for_s=0.0, cpu_s=0.0):
    return (Kind.HEARTBEAT, 0, {"doing": doing, "for_s": for_s, "cpu_s": cpu_s})


def test_a_heartbeat_tells_what_it_is_at_and_for_how_long():
    with facing(heartbeat("JVOpen", 5.0), LOOK, FILE, LOOK, NO_RECORDS) as (worker, _):
        opening, reading = Watching().read(worker)
    assert (opening.doing, round(opening.heard_at - opening.since, 6)) == ("JVOpen", 5.0)
    assert (reading.doing, reading.heard_at - reading.since) == ("JVGets", 0)


def test_how_hard_it_works_is_counted_between_two_heartbeats(monkeypatch):
    class At:
        now = 100.0

        def monotonic(self):
            return self.now

    def later(event):  # an event of JV-Link's, as good as any to move the clock
        clock.now += float(event.parameter)

    clock = At()
    monkeypatch.setattr("jvgate.sessions.remote_session.time", clock)
    pause = (Kind.EVENT, 0, {"event": "pause", "parameter": "2"})
    said = [heartbeat(cpu_s=3.0), pause, heartbeat(cpu_s=4.0), LOOK, pause, heartbeat(cpu_s=4.0), LOOK, NO_RECORDS]
    with facing(*said, on_event=[later]) as (worker, _):
        assert [activity.busy for activity in Watching().read(worker)] == [0.5, 0.0]


def test_a_dialog_is_kept_until_it_is_gone():
    dialog = (Kind.DIALOG, 0, {"title": "JV-Link", "text": "更新しますか", "buttons": ["はい"]})
    said = [dialog, heartbeat("JVOpen"), LOOK, (Kind.DIALOG, 0, {"title": "JV-Link"}), LOOK, (Kind.DIALOG, 0, {}), LOOK]
    with facing(*said, NO_RECORDS) as (worker, _):
        seen = Watching().read(worker)
    assert [activity.dialog for activity in seen] == ["JV-Link: 更新しますか [はい]", "JV-Link", ""]
    assert {activity.doing for activity in seen} == {"JVOpen"}


@pytest.mark.parametrize(
    ("fields", "shown", "buttons"),
    [
        ({"title": "JV-Link", "text": "終了", "buttons": ["はい", "No"]}, "JV-Link: 終了 [はい] [No]", ["はい", "No"]),
        ({"text": "終了", "buttons": ["OK"]}, "終了 [OK]", ["OK"]),
        ({"title": "", "text": "", "buttons": ["OK"]}, "[OK]", ["OK"]),
        ({"title": "JV-Link", "buttons": 5}, "JV-Link", []),
        ({"title": "", "text": "", "buttons": []}, "(without words)", []),
    ],
)
def test_a_dialog_is_shown_and_logged_once_with_its_buttons(fields, shown, buttons):
    said = [(Kind.DIALOG, 0, fields), heartbeat(), LOOK, heartbeat(), NO_RECORDS]
    with capture_logs() as logs, facing(*said) as (worker, _):
        seen = Watching().read(worker)
    assert seen[0].dialog == shown
    told = [(line["log_level"], line["title"], line["text"], line["buttons"]) for line in logs]
    assert told == [("warning", fields.get("title"), fields.get("text"), buttons)]


def test_a_dialog_that_is_gone_is_not_logged():
    with capture_logs() as logs, facing((Kind.DIALOG, 0, {}), NO_RECORDS) as (worker, _):
        Watching().read(worker)
    assert logs == []


def test_a_dialog_that_opened_while_nobody_listened_is_shown_from_the_next_read_on():
    with facing((Kind.DIALOG, 0, {"title": "お知らせ"}), FILE, RECORDS, LOOK, END) as (worker, _):
        seen = Watching().read(worker)
    assert [(activity.doing, activity.dialog) for activity in (*seen, worker.activity)] == [
        ("JVGets", "お知らせ"),
        ("idle", "お知らせ"),
    ]


def test_a_dialog_is_seen_while_the_session_starts():
    said = [(Kind.DIALOG, 0, {"title": "JV-Link", "text": "利用キー"}), (Kind.EVENT, 0, {"event": "x", "parameter": 1})]
    with facing(*said, on_event=[lambda event: seen.append(worker.activity)], hangs_up=True) as (worker, _):
        seen = []
        with pytest.raises(WorkerFailed):
            worker.open()
    assert [(activity.doing, activity.dialog) for activity in seen] == [("start", "JV-Link: 利用キー")]


def test_events_are_told_with_their_parameter():
    told = []
    event = (Kind.EVENT, 0, {"event": "JVEvtPay", "parameter": "2026111505"})
    outcome(event, NO_RECORDS, on_event=[told.append])
    assert told == [("JVEvtPay", "2026111505")]


READY = (Kind.READY, 0, {})
PAY = (Kind.EVENT, 0, {"event": "JVEvtPay", "parameter": "2026111505"})


def test_an_event_is_heard_at_once_while_the_session_is_idle():
    heard = SimpleQueue()
    with facing(READY, on_event=[heard.put]) as (worker, end):
        worker.open()
        end.say(PAY)
        assert heard.get(timeout=LIMIT_S) == SessionEvent("JVEvtPay", "2026111505")
        end.say(NO_RECORDS, PAY)
        assert worker.read(RACE, Kept(), never).records == 0
        assert heard.get(timeout=LIMIT_S) == SessionEvent("JVEvtPay", "2026111505")


def test_a_listener_to_events_that_raises_hurts_no_read():
    heard = SimpleQueue()
    with facing(READY, PAY, on_event=[lambda event: 1 / 0, heard.put]) as (worker, end), capture_logs():
        worker.open()
        heard.get(timeout=LIMIT_S)
        end.say(NO_RECORDS)
        assert worker.read(RACE, Kept(), never).records == 0


@pytest.mark.parametrize("said", [b"", b"Traceback (most recent call last):\n", (Kind.HEARTBEAT, 0, {})])
def test_an_idle_session_that_ends_or_talks_nonsense_is_no_longer_alive(said):
    with facing(READY) as (worker, end):
        worker.open()
        end.say(*[said] if said else [])
        end.hang_up()
        assert end.line.was_cut.wait(LIMIT_S)
        assert not worker.is_alive()
        with pytest.raises(WorkerLost):
            worker.read(RACE, Kept(), never)
        worker.close()
        assert end.line.settled


def test_a_cancellation_before_the_read_goes_right_behind_it():
    with facing((Kind.ERROR, 1, error_fields(ReadCancelled("RACE")))) as (worker, end):
        with pytest.raises(ReadCancelled):
            worker.read(RACE, Kept(), lambda: True)
        assert [(kind, job) for kind, job, _ in end.heard()] == [(Kind.READ, 1), (Kind.CANCEL, 1)]


def test_a_cancellation_in_mid_read_is_passed_on():
    class Stopping(Kept):
        def begin(self, name, provided):
            super().begin(name, provided)
            worker.nudge()  # nobody has cancelled yet
            stopped.append(True)
            worker.nudge()

    stopped = []
    with facing(FILE, (Kind.ERROR, 1, error_fields(ReadCancelled("RACE")))) as (worker, end):
        with pytest.raises(ReadCancelled):
            worker.read(RACE, Stopping(), lambda: bool(stopped))
        assert [(kind, job) for kind, job, _ in end.heard()] == [(Kind.READ, 1), (Kind.CANCEL, 1)]


def test_a_cancellation_after_the_read_says_nothing():
    with facing(NO_RECORDS) as (worker, end):
        worker.read(RACE, Kept(), never)
        worker.nudge()
        assert [kind for kind, _, _ in end.heard()] == [Kind.READ]


def test_a_cancellation_when_the_other_end_is_gone_is_no_error():
    class Severing(Kept):
        def begin(self, name, provided):
            super().begin(name, provided)
            worker.kill()
            stopped.append(True)
            worker.nudge()

    stopped = []
    with facing(FILE) as (worker, _), pytest.raises(WorkerLost):
        worker.read(RACE, Severing(), lambda: bool(stopped))


def test_an_errand_is_asked_for_by_name_and_bytes_come_back_as_bytes():
    value = {"picture": {"base64": "Qk0="}, "found": True, "keys": ["a"], "version": "0490", "other": {"x": 1}}
    with facing((Kind.RESULT, 1, {"value": value})) as (worker, end):
        result = worker.call("silks", "赤", "2")
        heard = end.heard()
    assert result == value | {"picture": b"BM"}
    assert heard == [(Kind.CALL, 1, {"errand": "silks", "arguments": ["赤", "2"]})]


@pytest.mark.parametrize(
    "said",
    [
        RECORDS,
        (Kind.RESULT, 1, {}),
        (Kind.RESULT, 1, {"value": 3}),
        (Kind.RESULT, 1, {"value": None}),
        (Kind.RESULT, 1, {"value": {"picture": {"base64": "x"}}}),
        (Kind.RESULT, 1, {"value": {"picture": {"base64": 5}}}),
        (Kind.RESULT, 1, b"nonsense"),
    ],
)
def test_a_result_that_is_none_is_a_lost_worker(said):
    with facing(said) as (worker, _), pytest.raises(WorkerLost):
        worker.call("silks", "赤")


def test_an_errand_that_is_not_offered_is_told_so():
    with facing((Kind.ERROR, 1, error_fields(NotOffered("pictures")))) as (worker, _), pytest.raises(NotOffered):
        worker.call("silks", "赤")


def test_a_lifeline_that_is_cut_ends_the_read_that_runs():
    class Cutting(Kept):
        def begin(self, name, provided):
            worker.kill()

    with facing(FILE) as (worker, end):
        assert worker.is_alive()
        with pytest.raises(WorkerLost):
            worker.read(RACE, Cutting(), never)
        assert (end.line.cut, worker.is_alive()) == (True, False)


@pytest.mark.parametrize("hangs_up", [False, True])
def test_closing_says_so_and_waits_for_the_end(hangs_up):
    with facing(hangs_up=hangs_up) as (worker, end):
        worker.close()
        assert [kind for kind, _, _ in end.heard()] == [Kind.QUIT]
        assert end.line.settled
