"""Between open and close: what is kept, what is passed over, in which batches it comes, and what is told meanwhile."""

import pytest

from jvgate.errors import SourceError
from jvgate.jvlink.request import Request
from tests.jvlink.memory_shelf import MemoryFile, MemoryShelf, Time, records
from tests.jvlink.test_session import RA, SE, ZZ, Recording, session


@pytest.fixture
def shelf():
    race = [MemoryFile("RA.jvd", "20261108120000", RA), MemoryFile("SE.jvd", "20261109120000", [*SE, *ZZ])]
    return MemoryShelf({"RACE": race})


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def link(shelf, time):
    return Recording(shelf, time)


def test_wanted_types_are_kept_record_by_record(link, time):
    kept, summary = session(link, time).stored(unwanted=frozenset({"RA", "SE"}))
    assert kept.files == [("SE.jvd", "20261109120000", ZZ[0])]  # a file that gives nothing is not among them
    assert (summary.records, "JVSkip" in link.calls) == (1, False)


def test_a_wanted_record_may_follow_a_stray_nul(link, time, shelf):
    shelf.files["RACE"][0].records = [RA[0], b"\0" + RA[1]]
    assert session(link, time).body(unwanted=frozenset({"SE", "ZZ"})) == RA[0] + b"\0" + RA[1]


def test_an_unwanted_file_is_skipped_where_files_hold_one_type(link, time):
    body = session(link, time, one_type_per_file=True).body(unwanted=frozenset({"RA"}))
    assert body == b"".join(SE) + ZZ[0]  # what else its file holds comes along
    assert link.calls.count("JVSkip") == 1
    assert link.calls.count("JVGets") < 10


@pytest.mark.parametrize(("unwanted", "left"), [("RA", SE), ("SE", RA), ("", RA + SE)])
def test_what_comes_for_a_key_is_never_skipped_since_it_holds_all_types(link, time, shelf, unwanted, left):
    shelf.answers = {"20261108": [*RA, *SE]}
    asked = Request("0B12", key="20261108", unwanted=frozenset({unwanted} - {""}))
    kept, _ = session(link, time, one_type_per_file=True).read_all(asked)
    assert kept.body == b"".join(left)
    assert "JVSkip" not in link.calls


def test_files_that_one_has_are_passed_over(link, time):
    assert session(link, time).body(have=frozenset({"RA.jvd", "other.jvd"})) == b"".join(SE + ZZ)
    assert link.calls.count("JVSkip") == 1


@pytest.mark.parametrize(("batch_bytes", "batches"), [(1, [1] * 204), (1 << 20, [200, 4]), (500, None)])
def test_records_come_in_batches_of_so_many_bytes_and_never_across_files(link, time, batch_bytes, batches):
    kept, _ = session(link, time, batch_bytes=batch_bytes).stored()
    assert kept.body == b"".join(RA + SE + ZZ)
    assert batches is None or kept.batches == batches
    assert max(kept.batches) <= max(1, 1 + batch_bytes // len(RA[0]))


def test_what_comes_slowly_comes_in_smaller_batches(shelf, time):
    link = Recording(shelf, time, read_us=10_000)
    kept, _ = session(link, time, batch_s=0.05).stored()
    assert max(kept.batches) <= 6
    assert kept.body == b"".join(RA + SE + ZZ)


def test_progress_goes_from_downloads_to_files_to_the_end(shelf, time):
    link = Recording(shelf, time, download_ms=1000)
    told = session(link, time).stored()[0].told
    steps = list(dict.fromkeys((step.downloaded, step.files_read) for step in told))
    assert steps == [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]
    assert (told[-1].bytes_read, told[-1].records_read) == (len(b"".join(RA + SE + ZZ)), 204)
    assert told[-1].bytes_total > 0


def test_a_record_longer_than_the_buffer_is_an_error_and_not_cut(link, time):
    with pytest.raises(SourceError, match=r"bytes of RA\.jvd"):
        session(link, time, buffer_bytes=10).stored()


def test_fewer_bytes_than_announced_are_an_error(link, time, monkeypatch):
    monkeypatch.setattr(link, "JVGets", lambda *arguments: (17, b"short", "RA.jvd"))
    with pytest.raises(SourceError, match=r"bytes of RA\.jvd"):
        session(link, time).stored()


def test_more_bytes_than_announced_are_left_out(link, time, monkeypatch):
    answers = iter([(17, memoryview(RA[0] + b"\0" * 99), "RA.jvd"), (-1, b"", "RA.jvd"), (0, b"", "")])
    monkeypatch.setattr(link, "JVGets", lambda *arguments: next(answers))
    assert session(link, time).body() == RA[0]


def test_a_file_that_ends_without_minus_one_ends_when_another_name_comes(link, time, monkeypatch):
    one, two = records("RA", 2)
    answers = iter([(17, one, "a.jvd"), (17, two, "b.jvd"), (0, b"", "")])
    monkeypatch.setattr(link, "JVGets", lambda *arguments: next(answers))
    kept, _ = session(link, time).stored()
    assert [(name, bytes(body)) for name, _, body in kept.files] == [("a.jvd", one), ("b.jvd", two)]


@pytest.mark.parametrize("option", [1, 3, 4])
def test_files_provided_after_the_end_are_left_out_with_every_option(time, option):
    old = [MemoryFile(f"RA{day}.jvd", f"202610{day}120000", RA[:1]) for day in ("08", "18", "28")]
    link = Recording(MemoryShelf({"RACE": old}), time)
    kept, summary = session(link, time).stored(fromtime="20261001000000-20261020000000", option=option)
    assert [name for name, _, _ in kept.files] == ["RA08.jvd", "RA18.jvd"]
    assert summary.last_file_timestamp == "20261018120000"  # the next read goes on from here and loses nothing


def test_a_set_up_whose_files_all_come_after_the_end_gives_nothing_and_names_no_newest_file(time):
    link = Recording(MemoryShelf({"RACE": [MemoryFile("RA.jvd", "20261028120000", RA)]}), time)
    kept, summary = session(link, time).stored(fromtime="20261001000000-20261020000000", option=4)
    assert (kept.files, summary.last_file_timestamp) == ([], "")
