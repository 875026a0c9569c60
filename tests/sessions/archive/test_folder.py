"""A folder of raw JV-Data as a shelf: which files and records belong to what, and what is refused."""

import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import zstandard

from jvgate.errors import ArchiveError, JVLinkError
from jvgate.sessions.archive.folder import ArchiveFile, ArchiveShelf
from tests.sessions.archive.moving import Clock
from tests.specs import JRA

NOW = datetime(2026, 11, 9, 12)
RACE_11 = "2026110805081111"
ODD = os.fsdecode(b"\x83\x8c\x81\x5b\x83\x5820261102140000.jvd")  # Shift_JIS, from an archive of Windows


def record(kind: str, key: str = RACE_11, length: int | None = None) -> bytes:
    """Return a record of the current length (or *length*): head, then *key*, spaces, CR LF."""
    wanted = length or JRA.layouts.current(kind).length
    return f"{kind}720261108{key}".encode().ljust(wanted - 2) + b"\r\n"


def write(path: Path, data: bytes, *, changed: datetime | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if changed is not None:
        os.utime(path, (changed.timestamp(),) * 2)


def stored(folder: Path, dataspec: str) -> list[bytes]:
    return [piece for file in ArchiveShelf(folder, JRA).stored(dataspec, now=NOW, setup=False) for piece in file.read()]


def stored_files(shelf: ArchiveShelf) -> Sequence[ArchiveFile]:
    return shelf.stored("RACE", now=NOW, setup=False)


def names(shelf: ArchiveShelf) -> list[str]:
    return [file.name for file in stored_files(shelf)]


def realtime(folder: Path, dataspec: str, key: str) -> list[bytes] | None:
    return ArchiveShelf(folder, JRA).realtime(dataspec, key, now=NOW)


def test_a_stored_file_belongs_to_the_data_spec_of_its_folder(tmp_path):
    write(tmp_path / "RACE" / "RASW.jvd", record("RA"))
    assert stored(tmp_path, "RACE") == [record("RA")]
    assert stored(tmp_path, "DIFN") == []


def test_a_plain_file_belongs_to_every_data_spec_that_delivers_its_types(tmp_path):
    write(tmp_path / "all.bin", record("RA") + record("UM") + record("YS"))
    assert stored(tmp_path, "RACE") == [record("RA")]
    assert stored(tmp_path, "DIFN") == [record("RA"), record("UM")]
    assert stored(tmp_path, "HOSN") == []


def test_plain_files_are_found_in_folders_of_any_other_name(tmp_path):
    write(tmp_path / "2026" / "november" / "x.bin", record("RA"))
    assert stored(tmp_path, "RACE") == [record("RA")]


def test_every_layout_old_and_new_comes_out_of_one_mixed_file(tmp_path):
    mixed = [record(layout.record, length=layout.length) for layout in JRA.layouts.all()]
    write(tmp_path / "all.bin", b"".join(mixed))
    specs = [spec for spec in JRA.dataspecs.values() if not spec.is_realtime]
    days = [spec for spec in JRA.dataspecs.values() if "YYYYMMDD" in spec.key_forms]
    out = {piece for spec in specs for piece in stored(tmp_path, spec.id)}
    out |= {piece for spec in days for piece in realtime(tmp_path, spec.id, "20261108") or ()}
    assert out == set(mixed)


def test_records_of_unknown_types_are_passed_through(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", record("RA") + record("ZZ", length=40) + record("UM"))
    write(tmp_path / "new.bin", record("ZX", length=40))
    assert set(stored(tmp_path, "RACE")) == {record("RA"), record("ZZ", length=40), record("ZX", length=40)}


def test_damage_stays_in_place_and_nuls_go(tmp_path):
    damaged = b"\x00" + record("RA") + b"garbage\r\n" + b"\x00" + record("UM") + record("SE") + b"\x00\x00"
    write(tmp_path / "RACE" / "a.jvd", damaged)
    assert b"".join(stored(tmp_path, "RACE")) == record("RA") + b"garbage\r\n\x00" + record("SE")


def test_a_file_that_begins_within_a_record_is_still_jvdata(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", b" tail of a record\r\n" + record("RA"))
    assert len(stored(tmp_path, "RACE")) == 2


@pytest.mark.parametrize(
    ("name", "provided"),
    [
        ("RASW2026110120261102140000.jvd", "20261102140000"),
        ("RASW20261101.20261102140000.jvd.zst", "20261102140000"),
        ("20261102140000-20261103150000.jvd", "20261103150000"),
        ("20261102140000-99999999999999.jvd", "20261102140000"),
        ("20261102.jvd", "20261101090000"),
    ],
)
def test_a_file_was_provided_at_the_last_time_in_its_name_or_when_it_changed(tmp_path, name, provided):
    data = zstandard.compress(record("RA")) if name.endswith(".zst") else record("RA")
    write(tmp_path / "RACE" / name, data, changed=datetime.fromisoformat("2026-11-01T00:00:00+00:00"))
    (file,) = ArchiveShelf(tmp_path, JRA).stored("RACE", now=NOW, setup=False)
    assert (file.provided, file.name) == (provided, name.removesuffix(".zst"))


def test_a_file_changed_in_the_future_was_provided_by_now(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", record("RA"), changed=datetime(2030, 1, 1))
    (file,) = ArchiveShelf(tmp_path, JRA).stored("RACE", now=NOW, setup=False)
    assert file.provided == "20261109120000"


def test_files_come_in_the_order_they_were_provided(tmp_path):
    for day in ("03", "01", "02"):
        write(tmp_path / "RACE" / f"x202611{day}120000.jvd", record("RA"))
    provided = [file.provided[6:8] for file in ArchiveShelf(tmp_path, JRA).stored("RACE", now=NOW, setup=True)]
    assert provided == ["01", "02", "03"]


def test_new_files_appear_at_the_next_open(tmp_path):
    write(tmp_path / "a.bin", record("RA"))
    shelf = ArchiveShelf(tmp_path, JRA)
    assert names(shelf) == ["a.bin"]
    write(tmp_path / "b.bin", record("SE"))
    write(tmp_path / "2026" / "c.bin", record("SE"))
    (tmp_path / "a.bin").unlink()
    assert names(shelf) == ["b.bin", "c.bin"]
    shutil.rmtree(tmp_path / "2026")
    assert names(shelf) == ["b.bin"]


def test_a_plain_file_overwritten_in_place_is_known_anew_after_a_minute(tmp_path):
    clock = Clock()
    write(tmp_path / "a.bin", record("RA"))
    write(tmp_path / "b.bin", record("SE"))
    shelf = ArchiveShelf(tmp_path, JRA, clock=clock)
    assert names(shelf) == ["a.bin", "b.bin"]
    write(tmp_path / "a.bin", record("UM") + record("UM"))
    assert [file.read() for file in stored_files(shelf)] == [[], [record("SE")]]  # a read reads the file as it is
    clock.moment += 60
    assert names(shelf) == ["b.bin"]


def test_a_file_beside_its_compressed_form_takes_the_place_of_it_and_gives_it_back(tmp_path):
    write(tmp_path / "RACE" / "a.jvd.zst", zstandard.compress(record("RA")))
    shelf = ArchiveShelf(tmp_path, JRA)
    assert [file.read() for file in stored_files(shelf)] == [[record("RA")]]
    write(tmp_path / "RACE" / "a.jvd", record("SE"))
    assert [file.read() for file in stored_files(shelf)] == [[record("SE")]]
    (tmp_path / "RACE" / "a.jvd").unlink()
    assert [file.read() for file in stored_files(shelf)] == [[record("RA")]]


def test_an_archive_that_was_away_is_back_without_being_examined_again(tmp_path, monkeypatch):
    write(tmp_path / "a" / "x.bin", record("RA"))
    shelf = ArchiveShelf(tmp_path / "a", JRA)
    assert names(shelf) == ["x.bin"]
    (tmp_path / "a").rename(tmp_path / "away")
    (tmp_path / "a").mkdir()  # an empty mount point
    with pytest.raises(ArchiveError, match="no JV-Data"):
        names(shelf)
    (tmp_path / "a").rmdir()
    (tmp_path / "away").rename(tmp_path / "a")
    monkeypatch.setattr("jvgate.sessions.archive.index.looks_like_jvdata", None)  # opening a file would fail
    assert names(shelf) == ["x.bin"]


def test_a_compressed_file_of_several_frames_is_read_whole(tmp_path):
    write(tmp_path / "RACE" / "a.jvd.zst", zstandard.compress(record("RA")) + zstandard.compress(record("SE")))
    assert stored(tmp_path, "RACE") == [record("RA"), record("SE")]


@pytest.mark.parametrize("cut", [5, -3])
def test_a_compressed_file_that_ends_early_is_broken(tmp_path, cut):
    write(tmp_path / "RACE" / "a.jvd.zst", zstandard.compress(record("RA") * 500)[:cut])
    with pytest.raises(JVLinkError, match=r"-403: a\.jvd\.zst"):
        stored(tmp_path, "RACE")


def test_a_compressed_file_that_holds_too_much_is_broken(tmp_path, monkeypatch):
    monkeypatch.setattr("jvgate.sessions.archive.rawfile._LIMIT_BYTES", 10_000)
    write(tmp_path / "RACE" / "a.jvd.zst", zstandard.compress(record("RA") * 500))
    with pytest.raises(JVLinkError, match="longer than 10000 bytes"):
        stored(tmp_path, "RACE")


def test_an_empty_file_is_told_by_its_code(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", b"")
    with pytest.raises(JVLinkError, match=r"-402: a\.jvd"):
        stored(tmp_path, "RACE")


def test_a_truncated_file_is_told_with_the_byte_where_its_last_record_begins(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", record("RA") + record("SE")[:-2])
    with pytest.raises(JVLinkError, match=r"-403: a\.jvd: the record at byte 1272 "):
        stored(tmp_path, "RACE")


def test_a_truncated_plain_file_harms_only_who_asks_for_the_torn_type(tmp_path):
    write(tmp_path / "a.bin", record("RA") + record("UM")[:-9])
    assert stored(tmp_path, "RACE") == [record("RA")]
    with pytest.raises(JVLinkError, match="-403"):
        stored(tmp_path, "DIFN")


def test_what_is_no_jvdata_is_passed_over_and_told_with_the_reason(tmp_path):
    write(tmp_path / "README.md", b"# Archive\r\nRA and SE\r\n")
    write(tmp_path / ".hidden", record("RA"))
    write(tmp_path / "empty.txt", b"")
    write(tmp_path / "RACE" / "notes.txt", b"PK\x03\x04")
    write(tmp_path / "RACE" / "a.jvd", record("RA"))
    write(tmp_path / "RACE" / "a.jvd.zst", zstandard.compress(record("RA")))
    (tmp_path / "link").symlink_to(tmp_path / "RACE")
    shelf = ArchiveShelf(tmp_path, JRA)
    assert names(shelf) == ["a.jvd"]
    summary = shelf.summary()
    assert (summary.files, summary.passed_over) == (1, 5)
    assert dict(summary.first) == {
        "README.md": "it holds no JV-Data",
        "RACE/a.jvd.zst": "the same file stands beside it without .zst",
        "RACE/notes.txt": "it holds no JV-Data",
        "empty.txt": "it holds no JV-Data",
        "link": "a link is not followed",
    }


def test_a_file_whose_name_is_not_utf8_is_served_and_shown_with_replacements(tmp_path):
    write(tmp_path / "RACE" / ODD, record("RA"))
    write(tmp_path / "RACE" / os.fsdecode(b"\x93") / "x.jvd", record("SE"))
    files = stored_files(ArchiveShelf(tmp_path, JRA))
    assert [file.name for file in files] == ["\ufffd\ufffd\ufffd[\ufffdX20261102140000.jvd", "x.jvd"]
    assert files[0].provided == "20261102140000"
    assert [piece for file in files for piece in file.read()] == [record("RA"), record("SE")]


def test_an_error_shows_a_name_that_is_not_utf8_with_replacements(tmp_path):
    write(tmp_path / "RACE" / ODD, record("RA")[:-2])
    with pytest.raises(JVLinkError, match=re.escape("-403: \ufffd\ufffd\ufffd[\ufffdX2026")):
        stored(tmp_path, "RACE")


@pytest.mark.parametrize(("spoil", "code"), [("gone", -503), ("empty", -402), ("cut", -403)])
def test_a_file_that_is_spoilt_after_the_open_is_told_by_its_code(tmp_path, spoil, code):
    path = tmp_path / "RACE" / "a.jvd"
    write(path, record("RA"))
    (file,) = stored_files(ArchiveShelf(tmp_path, JRA))
    if spoil == "gone":
        path.unlink()
    else:
        write(path, b"" if spoil == "empty" else record("RA")[:-2])
    with pytest.raises(JVLinkError, match=rf"{code}: a\.jvd"):
        file.read()


def test_a_broken_plain_file_harms_only_those_who_ask_for_the_type_in_its_name(tmp_path):
    write(tmp_path / "UMVM.jvd.zst", zstandard.compress(record("UM") * 99)[:-3])
    write(tmp_path / "odd.zst", zstandard.compress(record("UM") * 99)[:-3])
    write(tmp_path / "a.bin", record("RA"))
    assert stored(tmp_path, "RACE") == [record("RA")]
    with pytest.raises(JVLinkError, match=r"-403: UMVM\.jvd\.zst"):
        stored(tmp_path, "DIFN")
    summary = ArchiveShelf(tmp_path, JRA).summary()
    assert (summary.files, [name for name, _ in summary.first]) == (2, ["UMVM.jvd.zst", "odd.zst"])


def test_links_are_not_followed(tmp_path):
    write(tmp_path / "outside" / "secret.jvd", record("RA"))
    write(tmp_path / "inside" / "x.bin", record("UM"))
    (tmp_path / "inside" / "RACE").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "link.bin").symlink_to(tmp_path / "outside" / "secret.jvd")
    assert stored(tmp_path / "inside", "RACE") == []


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    for ask in (ArchiveShelf.check, lambda shelf: shelf.stored("RACE", now=NOW, setup=False)):
        with pytest.raises(ArchiveError, match="there is no such folder"):
            ask(ArchiveShelf(tmp_path / "nowhere", JRA))


@pytest.mark.parametrize("junk", [b"", b"hello\r\n", os.urandom(2000).replace(b"\r", b"")])
def test_a_folder_without_jvdata_is_an_error_that_says_what_a_right_one_holds(tmp_path, junk):
    write(tmp_path / "junk.txt", junk)
    with pytest.raises(ArchiveError, match="RACE/<file>"):
        ArchiveShelf(tmp_path, JRA).check()


def test_a_right_folder_passes_the_check(tmp_path):
    write(tmp_path / "0B12" / "20261108.zst", zstandard.compress(record("RA")))
    ArchiveShelf(tmp_path, JRA).check()


@pytest.mark.parametrize("name", ["202611080511", RACE_11, f"{RACE_11}.rtd", "202611080511.zst"])
@pytest.mark.parametrize("key", ["202611080511", RACE_11])
def test_a_race_is_found_under_its_long_and_its_short_key(tmp_path, name, key):
    data = record("O1")
    write(tmp_path / "0B31" / name, zstandard.compress(data) if name.endswith(".zst") else data)
    assert realtime(tmp_path, "0B31", key) == [data]
    assert realtime(tmp_path, "0B31", "202611080512") is None


def test_a_race_is_cut_out_of_the_file_of_its_day_and_a_day_put_together_from_its_races(tmp_path):
    one, two = record("RA", "2026110805081101"), record("RA", "2026110805081102")
    write(tmp_path / "0B15" / "20261108", one + two)
    assert realtime(tmp_path, "0B15", "202611080502") == [two]
    write(tmp_path / "0B12" / "202611080501", one)
    write(tmp_path / "0B12" / "202611080502", two)
    assert realtime(tmp_path, "0B12", "20261108") == [one, two]


def test_plain_records_are_filtered_by_type_and_key(tmp_path):
    wanted = [record("O1"), record("O2")]
    write(
        tmp_path / "x.bin", b"".join([*wanted, record("O1", "2026110805081112"), record("SE"), record("ZZ", length=40)])
    )
    assert realtime(tmp_path, "0B30", RACE_11) == [*wanted, record("ZZ", length=40)]
    assert realtime(tmp_path, "0B31", "202611080511") == [wanted[0], record("ZZ", length=40)]
    assert realtime(tmp_path, "0B31", "202611090511") is None


@pytest.mark.parametrize(
    ("dataspec", "key", "kinds"),
    [
        ("0B14", "20261108", ["WE", "AV", "JC"]),
        ("0B14", "20261109", []),
        ("0B16", "JC20261108051120261108101530", ["JC"]),
        ("0B16", "WE20261108050020261108101530", ["WE"]),
        ("0B51", "20261108", ["WF"]),
    ],
)
def test_days_and_events_are_found_in_a_plain_folder(tmp_path, dataspec, key, kinds):
    pieces = {kind: record(kind) for kind in ("WE", "AV", "JC")} | {"WF": record("WF", "20261108")}
    write(tmp_path / "x.bin", b"".join(pieces.values()))
    assert (realtime(tmp_path, dataspec, key) or []) == [pieces[kind] for kind in kinds]


@pytest.mark.parametrize("folder", ["202611080511", RACE_11])
@pytest.mark.parametrize("key", ["202611080511", RACE_11])
def test_of_several_versions_of_a_key_the_newest_one_is_served(tmp_path, folder, key):
    for minute, horses in (("10", "1"), ("30", "3"), ("20", "2")):
        write(tmp_path / "0B31" / folder / f"2026110810{minute}00", record("O1", RACE_11 + horses))
    assert realtime(tmp_path, "0B31", key) == [record("O1", RACE_11 + "3")]
    assert realtime(tmp_path, "0B31", "202611080512") is None


def test_a_day_is_put_together_from_the_newest_versions_of_its_races(tmp_path):
    one, two = record("RA", "2026110805081101"), record("RA", "2026110805081102")
    for race, version, data in (("01", "1000", record("SE")), ("01", "1100", one), ("02", "1000", two)):
        write(tmp_path / "0B12" / f"2026110805{race}" / f"20261108{version}00.zst", zstandard.compress(data))
    assert realtime(tmp_path, "0B12", "20261108") == [one, two]


def test_a_new_version_is_served_by_the_next_read(tmp_path):
    shelf = ArchiveShelf(tmp_path, JRA)
    for version in ("20261108100000", "20261108101000", "20261108102000"):
        data = record("O1", RACE_11 + version)
        write(tmp_path / "0B31" / "202611080511" / version, data)
        assert shelf.realtime("0B31", RACE_11, now=NOW) == [data]


@pytest.mark.parametrize("key", ["../../../../x", "/etc/passwd", "..", "\0"])
def test_a_key_never_becomes_a_path(tmp_path, key):
    write(tmp_path / "x", record("O1"))
    write(tmp_path / "a" / "0B31" / "20261108", record("O1"))
    assert realtime(tmp_path / "a", "0B31", key) is None
