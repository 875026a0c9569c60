"""The session: open, wait, read to the end, close always; whole or nothing."""

import pytest

from jvgate.errors import DatasetTooLarge, JVLinkError, ReadCancelled, SessionTimeout, SourceError
from jvgate.jvlink.request import Limits, Request
from jvgate.jvlink.session import REMEDIES, Session
from jvgate.jvlink.simulator import Latency, Simulator
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf, Time, records
from tests.jvlink.sinks import Kept

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


class Reader(Session):
    """A session whose reads are kept: what came, and what was told at the end."""

    def read_all(self, request, cancelled=lambda: False):
        kept = Kept()
        return kept, self.read(request, kept, cancelled=cancelled)

    def stored(self, dataspec="RACE", fromtime=EVER, option=1, **asked):
        return self.read_all(Request(dataspec, fromtime, option, **asked))

    def body(self, **asked):
        return self.stored(**asked)[0].body


def session(link, time, *, one_type_per_file=False, doing=lambda what: None, **limits):
    return Reader(
        link,
        limits=Limits(**limits),
        one_type_per_file=one_type_per_file,
        doing=doing,
        sleep=time.sleep,
        clock=time.clock,
    )


def test_a_stored_reading_is_all_records_of_all_files(link, time):
    kept, summary = session(link, time).stored()
    assert kept.files == [
        ("RA.jvd", "20261108120000", b"".join(RA)),
        ("SE.jvd", "20261109120000", b"".join(SE + ZZ)),
    ]
    assert (summary.last_file_timestamp, summary.read_count) == ("20261109120000", 2)
    assert (summary.bytes, summary.records) == (len(kept.body), 204)


def test_a_real_time_reading_is_the_answer_to_its_key(link, time):
    kept, summary = session(link, time).read_all(Request("0B12", key="20261108"))
    assert kept.body == b"".join(RA + SE)
    assert summary.last_file_timestamp == ""
    assert "JVStatus" not in link.calls


def test_nothing_found_is_an_empty_reading_and_closed(link, time):
    assert session(link, time).body(dataspec="YSCH") == b""
    assert link.calls == ["JVInit", "JVOpen", "JVClose"]
    assert session(link, time).read_all(Request("0B12", key="20261109"))[0].files == []
    assert link.calls[-1] == "JVClose"


def test_init_is_called_once(link, time):
    reader = session(link, time)
    assert reader.body() == reader.body()
    assert link.calls.count("JVInit") == 1


def test_a_bad_software_id_is_an_error(link, time):
    with pytest.raises(JVLinkError, match="JVInit returned -103"):
        Reader(link, sid=" x").stored()


def test_an_error_code_carries_its_method_and_the_session_is_closed(link, time):
    with pytest.raises(JVLinkError) as error:
        session(link, time).stored(fromtime="2026")
    assert (error.value.code, error.value.method) == (-112, "JVOpen")
    assert link.calls[-1] == "JVClose"


def test_a_cancelled_setup_dialog_is_an_error_and_closed(link, time, monkeypatch):
    monkeypatch.setattr(link, "JVOpen", lambda *arguments: (-2, 0, 0, ""))
    with pytest.raises(JVLinkError, match="-2"):
        session(link, time).stored(option=4)
    assert link.calls[-1] == "JVClose"


def test_a_download_is_awaited_before_the_first_read(shelf, time):
    link = Recording(shelf, time, download_ms=1000)
    kept, summary = session(link, time).stored()
    assert len(kept.files) == 2
    assert link.calls.index("JVGets") > max(at for at, call in enumerate(link.calls) if call == "JVStatus")
    assert summary.read_s == pytest.approx(2.0)


def test_a_file_still_downloading_is_waited_for(shelf, time, monkeypatch):
    link = Recording(shelf, time, download_ms=1000)
    monkeypatch.setattr(link, "JVStatus", lambda: 2)
    assert len(session(link, time).stored()[0].files) == 2
    assert time.at_s >= 2


@pytest.mark.parametrize("status", [1, 2])
def test_a_download_that_stands_still_ends_the_read(shelf, time, monkeypatch, status):
    link = Recording(shelf, time, download_ms=1e9)
    monkeypatch.setattr(link, "JVStatus", lambda: status)
    with pytest.raises(SessionTimeout):
        session(link, time, stall_s=60).stored()
    assert 60 <= time.at_s < 61
    assert link.calls[-1] == "JVClose"


def test_a_slow_open_does_not_count_as_standing_still(shelf, time):
    link = Recording(shelf, time, open_ms=90_000, download_ms=1000)
    assert session(link, time, stall_s=60).stored()[1].open_s == pytest.approx(90)


def test_more_than_the_limit_is_refused(link, time):
    size = len(b"".join(RA + SE + ZZ))
    with pytest.raises(DatasetTooLarge):
        session(link, time).stored(limit_bytes=size - 1)
    assert link.calls[-1] == "JVClose"
    assert len(session(link, time).body(limit_bytes=size)) == size


def test_a_cancelled_read_stops_and_closes(link, time):
    with pytest.raises(ReadCancelled):
        session(link, time, batch_bytes=100).read_all(
            Request("RACE", EVER, 1), cancelled=lambda: link.calls.count("JVGets") >= 1
        )
    assert link.calls.count("JVGets") < len(RA)
    assert link.calls[-2:] == ["JVCancel", "JVClose"]
    assert session(link, time).body()


def test_a_cancelled_read_does_not_wait_for_its_download(shelf, time):
    link = Recording(shelf, time, download_ms=1000)
    with pytest.raises(ReadCancelled):
        session(link, time).read_all(Request("RACE", EVER, 1), cancelled=lambda: True)
    assert "JVGets" not in link.calls


def test_it_says_what_it_is_at(shelf, time):
    said = []
    link = Recording(shelf, time, download_ms=1000)
    session(link, time, doing=said.append).stored(option=4)
    assert list(dict.fromkeys(said)) == ["JVInit", "JVOpen setup", "JVStatus", "JVGets", "JVClose"]


class Faulty(Recording):
    """A simulator that answers a read with a fault: faults[n] is the code of the n-th read, cured by a new open."""

    def __init__(self, shelf, time, faults, *, cures=True, **latency):
        super().__init__(shelf, time, **latency)
        self.faults, self.cures, self.reads, self.deleted, self.broken = dict(faults), cures, 0, [], None

    def JVGets(self, buff, size, filename):
        self.reads += 1
        code, record, name = super().JVGets(buff, size, filename)
        if self.reads in self.faults:
            self.broken = (self.faults.pop(self.reads), name)
        return (self.broken[0], b"", self.broken[1]) if self.broken else (code, record, name)

    def JVFiledelete(self, filename):
        self.deleted.append(filename)
        return 0

    def JVClose(self):
        self.broken = self.broken if not self.cures else None
        return super().JVClose()


@pytest.mark.parametrize("code", [-402, -403])
@pytest.mark.parametrize("at", [1, 2, 100, 200, 201, 202, 204])
@pytest.mark.parametrize("batch_bytes", [1, 500, 1 << 20])
def test_a_broken_file_is_fetched_anew_and_nothing_comes_twice_or_not_at_all(shelf, time, code, at, batch_bytes):
    link = Faulty(shelf, time, {at: code})
    assert session(link, time, batch_bytes=batch_bytes).body() == b"".join(RA + SE + ZZ)
    assert (link.calls.count("JVOpen"), len(link.deleted)) == (2, 1)
    assert link.calls.index("JVFiledelete") < link.calls.index("JVClose")


def test_files_that_were_done_before_are_skipped(shelf, time):
    link = Faulty(shelf, time, {203: -403})
    session(link, time).stored()
    assert link.deleted == ["SE.jvd"]
    assert link.calls.count("JVSkip") == 1


def test_a_file_that_stays_broken_is_given_up_after_three_rounds(shelf, time):
    link = Faulty(shelf, time, {3: -403}, cures=False)
    with pytest.raises(JVLinkError, match=r"-403: RA\.jvd"):
        session(link, time).stored()
    assert (link.calls.count("JVOpen"), link.deleted) == (4, ["RA.jvd"] * 4)
    assert link.calls[-1] == "JVClose"


def test_a_file_that_is_broken_in_turns_has_three_rounds_all_the_same(shelf, time):
    link = Faulty(shelf, time, {read: (-402, -403)[read % 2] for read in range(1, 20)})
    with pytest.raises(JVLinkError, match=r"RA\.jvd"):
        session(link, time).stored()
    assert (link.calls.count("JVOpen"), link.deleted) == (4, ["RA.jvd"] * 4)


def test_a_file_that_cannot_be_deleted_is_not_read_again(shelf, time, monkeypatch):
    link = Faulty(shelf, time, {3: -402})
    monkeypatch.setattr(link, "JVFiledelete", lambda name: -1)
    with pytest.raises(JVLinkError, match="-402"):
        session(link, time).stored()
    assert link.calls.count("JVOpen") == 1


def test_a_new_copy_that_begins_otherwise_is_an_error(shelf, time, monkeypatch):
    link = Faulty(shelf, time, {100: -403})
    monkeypatch.setattr(link, "JVFiledelete", lambda name: shelf.files["RACE"][0].__setattr__("records", RA[1:]) or 0)
    with pytest.raises(SourceError, match="does not begin like the old one"):
        session(link, time, batch_bytes=500).stored()


def test_a_new_copy_that_is_shorter_is_an_error(shelf, time, monkeypatch):
    link = Faulty(shelf, time, {100: -403})
    monkeypatch.setattr(link, "JVFiledelete", lambda name: shelf.files["RACE"][0].__setattr__("records", RA[:5]) or 0)
    with pytest.raises(SourceError, match="shorter"):
        session(link, time, batch_bytes=500).stored()


def test_a_broken_file_that_is_gone_afterwards_is_an_error(shelf, time, monkeypatch):
    link = Faulty(shelf, time, {100: -403})
    monkeypatch.setattr(link, "JVFiledelete", lambda name: shelf.files["RACE"].pop(0) and 0)
    with pytest.raises(SourceError, match="no longer the next"):
        session(link, time, batch_bytes=500).stored()


@pytest.mark.parametrize("code", [-502, -503])
def test_what_could_not_be_fetched_is_waited_for_and_opened_again(shelf, time, code):
    link = Faulty(shelf, time, {2: code, 150: code})
    assert session(link, time, reopen_s=5).body() == b"".join(RA + SE + ZZ)
    assert (time.at_s >= 10, link.deleted) == (True, [])


@pytest.mark.parametrize("code", [-502, -201])
def test_a_failed_download_is_tried_again_and_then_an_error(shelf, time, monkeypatch, code):
    link = Recording(shelf, time, download_ms=1000)
    monkeypatch.setattr(link, "JVStatus", lambda: code)
    with pytest.raises(JVLinkError, match=f"JVStatus returned {code}"):
        session(link, time).stored()
    assert link.calls.count("JVOpen") == 1 + REMEDIES[code].rounds


def test_an_object_that_forgot_its_init_is_initialised_once_more(shelf, time):
    link = Faulty(shelf, time, {2: -201})
    reader = session(link, time)
    assert reader.body() == b"".join(RA + SE + ZZ)
    assert link.calls.count("JVInit") == 2


@pytest.mark.parametrize("code", [-202, -203])
def test_an_object_in_the_wrong_state_is_closed_and_opened_once_more(shelf, time, code):
    assert session(Faulty(shelf, time, {2: code}), time).body() == b"".join(RA + SE + ZZ)
    with pytest.raises(JVLinkError, match=str(code)):
        session(Faulty(shelf, time, {2: code}, cures=False), time).stored()


@pytest.mark.parametrize("code", [-301, -302, -303, -305, -401, -411, -504])
def test_what_has_no_cure_is_an_error_at_once(shelf, time, monkeypatch, code):
    link = Recording(shelf, time)
    monkeypatch.setattr(link, "JVOpen", lambda *arguments: (code, 0, 0, ""))
    with pytest.raises(JVLinkError) as error:
        session(link, time).stored()
    assert (error.value.code, link.calls.count("JVInit"), link.calls.count("JVClose")) == (code, 1, 1)


def test_a_wait_for_a_cure_can_be_cancelled(shelf, time):
    link = Faulty(shelf, time, {2: -503})
    with pytest.raises(ReadCancelled):
        session(link, time, reopen_s=1000).read_all(Request("RACE", EVER, 1), cancelled=lambda: time.at_s > 10)
    assert time.at_s < 20


@pytest.mark.parametrize("what", ["JVGets", "sink"])
def test_whatever_happens_it_is_closed(shelf, time, monkeypatch, what):
    link = Recording(shelf, time)

    def break_down(*arguments):
        raise MemoryError("out of it")

    monkeypatch.setattr(*((link, "JVGets") if what == "JVGets" else (Kept, "records")), break_down)
    with pytest.raises(MemoryError):
        session(link, time).stored()
    assert link.calls[-1] == "JVClose"
