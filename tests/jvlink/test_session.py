"""The session: open, wait, read to the end, close always; whole or nothing."""

import pytest
from memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, Time, records

from jvgate.errors import DatasetTooLarge, JVLinkError, ReadCancelled, SessionTimeout, SourceError
from jvgate.jvlink.reading import Limits, ReadFile
from jvgate.jvlink.session import Session
from jvgate.jvlink.simulator import Latency, Simulator

EVER = "20200101000000"
RA, SE, ZZ = records("RA", 200), records("SE", 3), records("ZZ", 1)


class Recording(Simulator):
    """A simulator that keeps a list of the methods called."""

    def __init__(self, shelf, time, **latency):
        super().__init__(shelf, RULES, now=lambda: NOW, latency=Latency(**latency), sleep=time.sleep, clock=time.clock)
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("JV"):
            super().__getattribute__("calls").append(name)
        return super().__getattribute__(name)


@pytest.fixture
def shelf():
    race = [MemoryFile("RA.jvd", "20261108120000", RA), MemoryFile("SE.jvd", "20261109120000", [*SE, *ZZ])]
    return MemoryShelf({"RACE": race}, {"20261108": [*RA, *SE]})


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def link(shelf, time):
    return Recording(shelf, time)


def session(link, time, **limits):
    return Session(link, limits=Limits(**limits), sleep=time.sleep, clock=time.clock)


def test_a_stored_reading_is_all_records_of_all_files(link, time):
    reading = session(link, time).read_stored("RACE", EVER, 1)
    assert reading.body == b"".join(RA + SE + ZZ)
    assert reading.files == (
        ReadFile("RA.jvd", "20261108120000", 0),
        ReadFile("SE.jvd", "20261109120000", len(b"".join(RA))),
    )
    assert (reading.last_file_timestamp, reading.read_count) == ("20261109120000", 2)


def test_a_real_time_reading_is_the_answer_to_its_key(link, time):
    reading = session(link, time).read_realtime("0B12", "20261108")
    assert reading.body == b"".join(RA + SE)
    assert "JVStatus" not in link.calls


def test_nothing_found_is_an_empty_reading_and_closed(link, time):
    assert session(link, time).read_stored("YSCH", EVER, 1).body == b""
    assert link.calls == ["JVInit", "JVOpen", "JVClose"]
    assert session(link, time).read_realtime("0B12", "20261109").files == ()
    assert link.calls[-1] == "JVClose"


def test_init_is_called_once(link, time):
    reader = session(link, time)
    first, second = reader.read_stored("RACE", EVER, 1), reader.read_stored("RACE", EVER, 1)
    assert first == second
    assert link.calls.count("JVInit") == 1


def test_a_bad_software_id_is_an_error(link, time):
    with pytest.raises(JVLinkError, match="JVInit returned -103"):
        Session(link, sid=" x").read_stored("RACE", EVER, 1)


def test_an_error_code_carries_its_method_and_the_session_is_closed(link, time):
    with pytest.raises(JVLinkError) as error:
        session(link, time).read_stored("RACE", "2026", 1)
    assert (error.value.code, error.value.method) == (-112, "JVOpen")
    assert link.calls[-1] == "JVClose"


def test_a_cancelled_setup_dialog_is_an_error_and_closed(link, time, monkeypatch):
    monkeypatch.setattr(link, "JVOpen", lambda *arguments: (-2, 0, 0, ""))
    with pytest.raises(JVLinkError, match="-2"):
        session(link, time).read_stored("RACE", EVER, 4)
    assert link.calls[-1] == "JVClose"


def test_a_broken_file_yields_nothing_but_its_name(link, time, shelf):
    shelf.files["RACE"][1].fault = -403
    with pytest.raises(JVLinkError, match=r"-403: SE\.jvd"):
        session(link, time).read_stored("RACE", EVER, 1)
    assert link.calls[-1] == "JVClose"
    shelf.files["RACE"][1].fault = 0
    assert session(link, time).read_stored("RACE", EVER, 1).body.startswith(RA[0])


def test_wanted_types_are_kept_record_by_record(link, time):
    reading = session(link, time).read_stored("RACE", EVER, 1, unwanted=frozenset({"RA", "SE"}))
    assert reading.body == ZZ[0]
    assert [file.offset for file in reading.files] == [0]  # a file that gives nothing is not among them
    assert "JVSkip" not in link.calls


def test_a_wanted_record_may_follow_a_stray_nul(link, time, shelf):
    shelf.files["RACE"][0].records = [RA[0], b"\0" + RA[1]]
    reading = session(link, time).read_stored("RACE", EVER, 1, unwanted=frozenset({"SE", "ZZ"}))
    assert reading.body == RA[0] + b"\0" + RA[1]


def test_an_unwanted_file_is_skipped_where_files_hold_one_type(link, time):
    reading = session(link, time).read_stored("RACE", EVER, 1, unwanted=frozenset({"RA"}), one_type_per_file=True)
    assert reading.body == b"".join(SE) + ZZ[0]  # what else its file holds comes along
    assert link.calls.count("JVSkip") == 1
    assert link.calls.count("JVGets") < 10


def test_a_download_is_awaited_before_the_first_read(shelf, time):
    link = Recording(shelf, time, download_ms=1000)
    reading = session(link, time).read_stored("RACE", EVER, 1)
    assert len(reading.files) == 2
    assert link.calls.index("JVGets") > max(at for at, call in enumerate(link.calls) if call == "JVStatus")
    assert reading.read_s == pytest.approx(2.0)


def test_a_file_still_downloading_is_waited_for(shelf, time, monkeypatch):
    link = Recording(shelf, time, download_ms=1000)
    monkeypatch.setattr(link, "JVStatus", lambda: 2)
    assert len(session(link, time).read_stored("RACE", EVER, 1).files) == 2
    assert time.at_s >= 2


def test_a_failed_download_is_an_error(shelf, time, monkeypatch):
    link = Recording(shelf, time, download_ms=1000)
    monkeypatch.setattr(link, "JVStatus", lambda: -502)
    with pytest.raises(JVLinkError, match="JVStatus returned -502"):
        session(link, time).read_stored("RACE", EVER, 1)


@pytest.mark.parametrize("status", [1, 2])
def test_a_download_that_stands_still_ends_the_read(shelf, time, monkeypatch, status):
    link = Recording(shelf, time, download_ms=1e9)
    monkeypatch.setattr(link, "JVStatus", lambda: status)
    with pytest.raises(SessionTimeout):
        session(link, time, stall_s=60).read_stored("RACE", EVER, 1)
    assert 60 <= time.at_s < 61
    assert link.calls[-1] == "JVClose"


def test_a_slow_open_does_not_count_as_standing_still(shelf, time):
    link = Recording(shelf, time, open_ms=90_000, download_ms=1000)
    assert session(link, time, stall_s=60).read_stored("RACE", EVER, 1).open_s == pytest.approx(90)


def test_more_than_the_limit_yields_nothing(link, time):
    size = len(b"".join(RA + SE + ZZ))
    with pytest.raises(DatasetTooLarge):
        session(link, time).read_stored("RACE", EVER, 1, limit_bytes=size - 1)
    assert link.calls[-1] == "JVClose"
    assert len(session(link, time).read_stored("RACE", EVER, 1, limit_bytes=size).body) == size


def test_a_cancelled_read_stops_closes_and_yields_nothing(link, time):
    with pytest.raises(ReadCancelled):
        session(link, time).read_stored("RACE", EVER, 1, cancelled=lambda: link.calls.count("JVGets") >= 1)
    assert link.calls[-2:] == ["JVCancel", "JVClose"]
    assert session(link, time).read_stored("RACE", EVER, 1).files


def test_a_cancelled_read_does_not_wait_for_its_download(shelf, time):
    link = Recording(shelf, time, download_ms=1000)
    with pytest.raises(ReadCancelled):
        session(link, time).read_stored("RACE", EVER, 1, cancelled=lambda: True)
    assert "JVGets" not in link.calls


def test_progress_goes_from_downloads_to_files_to_the_end(shelf, time):
    seen = []
    link = Recording(shelf, time, download_ms=1000)
    session(link, time).read_stored("RACE", EVER, 1, on_progress=seen.append)
    assert [(step.downloaded, step.files_read) for step in seen] == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert seen[-1].bytes_read == len(b"".join(RA + SE + ZZ))


def test_a_record_longer_than_the_buffer_is_an_error_and_not_cut(link, time):
    with pytest.raises(SourceError, match=r"bytes of RA\.jvd"):
        session(link, time, buffer_bytes=10).read_stored("RACE", EVER, 1)


def test_fewer_bytes_than_announced_are_an_error(link, time, monkeypatch):
    monkeypatch.setattr(link, "JVGets", lambda *arguments: (17, b"short", "RA.jvd"))
    with pytest.raises(SourceError, match=r"bytes of RA\.jvd"):
        session(link, time).read_stored("RACE", EVER, 1)


def test_more_bytes_than_announced_are_left_out(link, time, monkeypatch):
    answers = iter([(17, memoryview(RA[0] + b"\0" * 99), "RA.jvd"), (-1, b"", "RA.jvd"), (0, b"", "")])
    monkeypatch.setattr(link, "JVGets", lambda *arguments: next(answers))
    assert session(link, time).read_stored("RACE", EVER, 1).body == RA[0]
