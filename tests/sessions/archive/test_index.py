"""The index of an archive: which facts are kept, which files are opened again, and what is told of odd ones."""

import os
import stat
from pathlib import Path

import msgspec
import pytest
import zstandard

from jvgate.errors import ArchiveError
from jvgate.sessions.archive import index as index_module
from jvgate.sessions.archive.index import EMPTY, Index, IndexBuilder
from tests.sessions.archive.moving import Clock
from tests.sessions.archive.test_folder import record, write
from tests.specs import JRA


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that were opened, in order."""
    names = []
    look = index_module.looks_like_jvdata
    monkeypatch.setattr(index_module, "looks_like_jvdata", lambda path: names.append(path.name) or look(path))
    return names


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def builder(tmp_path, clock):
    return IndexBuilder(tmp_path, JRA, clock=clock)


def everything(index: Index) -> list[bytes]:
    return list(index.folders)


def facts(index: Index, name: str) -> index_module.IndexedFile:
    folder, _, file = name.rpartition("/")
    return index.folders[folder.encode()].files[file.encode()]


def test_a_plain_file_is_known_by_the_types_and_days_of_its_records(tmp_path, builder):
    write(tmp_path / "2026" / "a20261109120000.bin", record("RA") + record("UM") + record("RA", "20261107" + "0" * 8))
    known = facts(builder.made(), "2026/a20261109120000.bin")
    assert (known.types, known.days, known.provided) == ((b"RA", b"UM"), ("20261107", "20261108"), "20261109120000")


def test_a_file_in_place_is_not_read_through(tmp_path, builder, monkeypatch):
    monkeypatch.setattr(index_module, "load", None)
    write(tmp_path / "RACE" / "a.jvd", record("RA"))
    assert facts(builder.made(), "RACE/a.jvd").is_data


def test_an_unchanged_file_is_not_opened_again(tmp_path, builder, opened):
    for name in ("a", "RACE/b", "RACE/sub/c"):
        write(tmp_path / name, record("RA"))
    index = builder.made()
    assert (builder.made(index), opened) == (index, ["a", "b", "c"])
    os.utime(tmp_path / "RACE" / "b", (0, 0))
    builder.made(index)
    assert opened[3:] == ["b"]


def test_a_new_file_costs_only_its_own_look(tmp_path, builder, opened, monkeypatch):
    for number in range(5):
        write(tmp_path / "RACE" / f"{number}.jvd", record("RA"))
    index = builder.made()
    opened.clear()
    looks = []
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **how: looks.append(os.fsdecode(path)) or real(path, **how))
    write(tmp_path / "RACE" / "new.jvd", record("RA"))
    looks.clear()
    index = builder.refreshed(index, everything(index))
    assert b"new.jvd" in index.folders[b"RACE"].files
    assert opened == ["new.jvd"]
    assert [Path(look).name for look in looks if look.endswith(".jvd")] == ["new.jvd"]


def test_an_index_without_changes_stays_the_same_object(tmp_path, builder, clock):
    write(tmp_path / "RACE" / "a", record("RA"))
    clock.moment += 10
    index = builder.made()
    assert builder.refreshed(index, everything(index)) is index


def test_a_folder_that_changed_just_now_is_listed_again(tmp_path, builder, clock):
    """A coarse file system shows no second change within its tick."""
    write(tmp_path / "a", record("RA"))
    status = tmp_path.stat()
    index = builder.made()
    write(tmp_path / "b", record("RA"))
    os.utime(tmp_path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert set(builder.refreshed(index, everything(index)).folders[b""].files) == {b"a", b"b"}


def test_only_the_folders_asked_for_are_looked_at(tmp_path, builder):
    write(tmp_path / "RACE" / "a", record("RA"))
    write(tmp_path / "0B12" / "20261108", record("RA"))
    index = builder.made()
    write(tmp_path / "RACE" / "b", record("RA"))
    write(tmp_path / "0B12" / "20261109", record("RA"))
    index = builder.refreshed(index, [b"", b"0B12"])
    assert len(index.folders[b"RACE"].files) == 1
    assert len(index.folders[b"0B12"].files) == 2


@pytest.mark.parametrize("order", [list, reversed])
def test_a_folder_that_is_gone_goes_with_all_that_was_in_it(tmp_path, builder, order):
    write(tmp_path / "x" / "y" / "a", record("RA"))
    write(tmp_path / "x" / "b", record("RA"))
    index = builder.made()
    (tmp_path / "x" / "y" / "a").unlink()
    (tmp_path / "x" / "y").rmdir()
    index = builder.refreshed(index, list(order(everything(index))))
    assert set(index.folders) == {b"", b"x"}


def test_one_odd_file_does_not_take_the_others_away(tmp_path, builder, monkeypatch):
    write(tmp_path / "a.bin", record("RA"))
    write(tmp_path / "b.bin", record("RA"))
    look = index_module.looks_like_jvdata
    monkeypatch.setattr(index_module, "looks_like_jvdata", lambda path: look(path) and 1 // (path.name != "a.bin"))
    summary = builder.made().summary()
    assert (summary.files, summary.sample) == (1, b"b.bin")
    assert summary.first == (
        ("a.bin", "it cannot be examined: ZeroDivisionError('integer division or modulo by zero')"),
    )


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_locked_file_keeps_the_facts_it_had_and_is_examined_again(tmp_path, builder, monkeypatch):
    write(tmp_path / "a.bin", record("RA"))
    index = builder.made()
    write(tmp_path / "a.bin", record("RA") + record("SE"))

    def refused(path):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(index_module, "looks_like_jvdata", refused)
        index = builder.made(index)
        assert facts(index, "a.bin").types == (b"RA",)
        assert index.summary().first == (("a.bin", "it cannot be opened: Permission denied"),)
    assert facts(builder.made(index), "a.bin").types == (b"RA", b"SE")


def test_what_is_no_file_is_passed_over(tmp_path, builder):
    write(tmp_path / "a", record("RA"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
        assert builder.made().summary().first == (("pipe", "it is no regular file"),)


def test_the_first_names_are_told_with_replacements_and_the_others_counted(tmp_path, builder):
    for number in range(12):
        write(tmp_path / os.fsdecode(b"\x83%02d" % number), b"nothing")
    summary = builder.made().summary()
    assert (summary.files, summary.passed_over, len(summary.first)) == (0, 12, 10)
    assert summary.first[0] == ("\ufffd00", "it holds no JV-Data")


def test_an_index_is_handed_over_unfinished_and_gone_on_with(tmp_path, clock, opened):
    for number in range(4):
        write(tmp_path / "RACE" / f"{number}", record("RA"))
    unfinished = []

    def tick():
        clock.moment += 2  # at each look at it
        return clock.moment

    IndexBuilder(tmp_path, JRA, clock=tick, checkpoint=unfinished.append).made()
    assert 0 < len(unfinished[0].folders[b"RACE"].files) < 4
    opened.clear()
    whole = IndexBuilder(tmp_path, JRA, clock=clock).made(unfinished[0])
    assert len(whole.folders[b"RACE"].files) == 4
    assert 0 < len(opened) < 4


def test_an_archive_that_is_gone_is_an_error(tmp_path, builder):
    index = builder.made()
    tmp_path.rmdir()
    for ask in (builder.made, lambda: builder.refreshed(index, [b""])):
        with pytest.raises(ArchiveError, match="there is no such folder"):
            ask()


def test_an_index_is_the_same_after_being_written(tmp_path, builder):
    write(tmp_path / os.fsdecode(b"\x83") / "a.zst", zstandard.compress(record("RA")))
    index = builder.made()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(index), type=Index) == index
    assert EMPTY.summary().files == 0
