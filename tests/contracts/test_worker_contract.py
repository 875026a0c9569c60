"""What every worker does, wherever its session lives: on this thread, in a process, behind an agent, over COM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from jvgate.errors import DatasetTooLarge, JVLinkError, NotOffered, ReadCancelled, SourceError
from jvgate.jvlink.com import JV_LINK
from jvgate.jvlink.com_process import com_holding
from jvgate.jvlink.request import Progress, Request
from jvgate.sessions.holders import ThreadWorker, Worker
from jvgate.sessions.sources.archive import holding_of, parse_archive
from jvgate.sessions.sources.registry import parse_source
from tests.jvlink.sinks import Kept
from tests.jvlink.standin import Machine, installed
from tests.raceday import archive, race_day, record
from tests.sessions.agents import running_agent
from tests.specs import JRA

pytestmark = pytest.mark.process

EVER, DAY, LIMIT_S = "20200101000000", "20261115", 30
RACE = Request("RACE", EVER, 1)
LATER = "RAVM2026112220261123140000.jvd"


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("archive")
    archive(place, *race_day())
    archive(place, *[record("SE", Umaban=number % 18 + 1) for number in range(500)], name=LATER)
    return archive(place, *race_day()[:2], dataspec="0B12", name=f"{DAY}.jvd")


def threaded(url: str, end: ExitStack) -> Worker:
    return ThreadWorker(holding_of(parse_archive(url), JRA, 0.0))


def in_process(url: str, end: ExitStack) -> Worker:
    return parse_source(url).start()


def behind_agent(url: str, end: ExitStack) -> Worker:
    return parse_source(end.enter_context(running_agent(url))).start()


def over_com(url: str, end: ExitStack) -> Worker:
    holding = holding_of(parse_archive(url), JRA, 0.0)
    end.enter_context(installed(Machine(lambda: end.enter_context(holding.make(None)))))
    return ThreadWorker(replace(com_holding(JV_LINK), one_type_per_file=False))  # what lies behind is an archive


@pytest.fixture(params=[threaded, in_process, behind_agent, over_com], ids=lambda make: make.__name__)
def new_worker(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[..., Worker]]:
    """Start a worker on the archive; parameters go into its URL."""
    with ExitStack() as end:

        def start(parameters: str = "") -> Worker:
            worker: Worker = request.param(f"archive:{folder}{parameters}", end)
            end.callback(worker.close)
            worker.open()
            return worker

        yield start


@pytest.fixture
def worker(new_worker: Callable[..., Worker]) -> Worker:
    return new_worker()


def files_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "RACE").iterdir()))


def test_stored_data_comes_whole_with_its_files_and_summary(worker, folder):
    kept = Kept()
    summary = worker.read(RACE, kept, never)
    assert kept.body == files_of(folder)
    assert [(name, provided) for name, provided, _ in kept.files] == [
        ("RAVM2026111520261116140000.jvd", "20261116140000"),
        (LATER, "20261123140000"),
    ]
    assert (summary.bytes, summary.records, summary.read_count) == (len(kept.body), 506, 2)
    assert summary.last_file_timestamp == "20261123140000"
    assert min(summary.open_s, summary.read_s) >= 0


def test_real_time_data_comes_for_its_key(worker, folder):
    kept = Kept()
    summary = worker.read(Request("0B12", key=DAY), kept, never)
    assert kept.body == (folder / "0B12" / f"{DAY}.jvd").read_bytes()
    assert (summary.last_file_timestamp, summary.records) == ("", 2)


def test_no_data_is_an_empty_read(worker):
    kept = Kept()
    assert worker.read(Request("RACE", "20270101000000", 1), kept, never).records == 0
    assert worker.read(Request("0B12", key="20250101"), kept, never).bytes == 0
    assert kept.files == []


@pytest.mark.parametrize(
    ("request_", "code", "method"),
    [
        (Request("RACE", "2026", 1), -112, "JVOpen"),
        (Request("RACE", EVER, 9), -115, "JVOpen"),
        (Request("NONE", EVER, 1), -111, "JVOpen"),
        (Request("0B12", key="x"), -114, "JVRTOpen"),
    ],
)
def test_an_error_carries_code_and_method_and_the_session_lives_on(worker, request_, code, method):
    with pytest.raises(JVLinkError) as error:
        worker.read(request_, Kept(), never)
    assert (error.value.code, error.value.method) == (code, method)
    assert worker.read(RACE, Kept(), never).records == 506


def test_unwanted_types_and_files_one_has_are_left_out(worker):
    kept = Kept()
    worker.read(Request("RACE", EVER, 1, unwanted=frozenset({"RA", "HR", "O1"}), have=frozenset({LATER})), kept, never)
    assert [bytes(records[:2]) for _, _, records in kept.files] == [b"SE"]
    assert kept.body.count(b"\r\n") == 3


def test_more_than_the_limit_is_refused(worker):
    with pytest.raises(DatasetTooLarge) as error:
        worker.read(Request("RACE", EVER, 1, limit_bytes=1000), Kept(), never)
    assert error.value.limit_bytes == 1000


class Noticing(Kept):
    """Tells when the first records have come."""

    def __init__(self) -> None:
        super().__init__()
        self.came = Event()

    def records(self, batch: bytes | bytearray, count: int) -> None:
        super().records(batch, count)
        self.came.set()


def test_a_read_that_is_cancelled_ends_and_the_next_one_is_whole(new_worker):
    worker, sink, stop = new_worker("?read_us=2000"), Noticing(), Event()

    def cancel() -> None:
        assert sink.came.wait(LIMIT_S)
        stop.set()
        worker.nudge()

    canceller = Thread(target=cancel)
    canceller.start()
    with pytest.raises(ReadCancelled):
        worker.read(RACE, sink, stop.is_set)
    canceller.join()
    assert sink.body.count(b"\r\n") < 506
    assert worker.read(Request("0B12", key=DAY), Kept(), never).records == 2


def test_a_read_that_nobody_wants_any_more_is_not_begun(worker):
    with pytest.raises(ReadCancelled):
        worker.read(RACE, Kept(), lambda: True)


def test_progress_ends_with_every_file(worker):
    kept = Kept()
    worker.read(RACE, kept, never)
    last: Progress = kept.told[-1]
    assert (last.files, last.files_read, last.records_read) == (2, 2, 506)


def test_what_a_sink_raises_goes_through(worker):
    class Full(Kept):
        def records(self, batch: bytes | bytearray, count: int) -> None:
            raise SourceError("no room")

    with pytest.raises(SourceError, match="no room"):
        worker.read(RACE, Full(), never)


def test_errands_that_the_source_has_not_are_told_so(worker):
    with pytest.raises(NotOffered, match="pictures of courses"):
        worker.call("course", "9999999905240011")
    assert worker.call("setup")["version"] == "0490"


def test_an_idle_worker_is_idle_and_alive(worker):
    worker.read(RACE, Kept(), never)
    assert (worker.activity.doing, worker.is_alive()) == ("idle", True)
