"""What is recorded is an archive: whole files under their own names and times, and nothing else."""

import os

import pytest
import zstandard

from jvgate.errors import ArchiveError, SourceError
from jvgate.sessions.archive.recording import Recording, exclusive, is_safe_name
from tests.raceday import FILE_NAME, PROVIDED, record

RA, SE = record("RA"), record("SE")
PROVIDED_S = 1794805200.0  # 2026-11-16 14:00:00 in Japan


def shown(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_next_one_begins_and_the_last_when_it_is_finished(tmp_path):
    recording = Recording(tmp_path)
    recording.begin("a.jvd", PROVIDED)
    recording.records(RA, 1)
    assert shown(tmp_path) == [".a.jvd.part"]
    recording.begin("b.jvd", PROVIDED)
    recording.records(SE + SE, 2)
    assert shown(tmp_path) == [".b.jvd.part", "a.jvd"]
    recording.finish()
    assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == [
        ("a.jvd", RA),
        ("b.jvd", SE + SE),
    ]
    assert (recording.added, recording.records_added, recording.added_bytes) == (["a.jvd", "b.jvd"], 3, 1272 + 2 * 555)


def test_its_time_of_change_is_when_it_was_provided(tmp_path):
    recording = Recording(tmp_path)
    recording.begin(FILE_NAME, PROVIDED)
    recording.records(RA, 1)
    recording.finish()
    assert (tmp_path / FILE_NAME).stat().st_mtime == PROVIDED_S


def test_what_is_not_whole_is_thrown_away_at_once_and_after_a_crash(tmp_path):
    recording = Recording(tmp_path)
    recording.begin("a.jvd", PROVIDED)
    recording.records(RA, 1)
    recording.discard()
    (tmp_path / ".b.jvd.part").write_bytes(RA)
    Recording(tmp_path)
    assert shown(tmp_path) == []


def test_a_file_provided_later_than_asked_for_is_there_already(tmp_path):
    for name, moment in (("a.jvd", 0.0), ("b.jvd.zst", PROVIDED_S)):
        (tmp_path / name).write_bytes(RA)
        os.utime(tmp_path / name, (moment, moment))
    recording = Recording(tmp_path)
    assert recording.have("20261110000000", by_name=True) == {"b.jvd"}
    assert recording.have(PROVIDED, by_name=True) == frozenset()


def test_a_name_that_does_not_tell_its_version_is_read_again_but_in_a_set_up(tmp_path):
    for name in ("setup.jvd", FILE_NAME):
        (tmp_path / name).write_bytes(RA)
        os.utime(tmp_path / name, (PROVIDED_S, PROVIDED_S))
    recording = Recording(tmp_path)
    assert recording.have("20261110000000", by_name=False) == {FILE_NAME}
    assert recording.have("20261110000000", by_name=True) == {FILE_NAME, "setup.jvd"}


def test_a_file_in_both_forms_is_read_again(tmp_path):
    for name in (FILE_NAME, f"{FILE_NAME}.zst"):
        (tmp_path / name).write_bytes(RA)
        os.utime(tmp_path / name, (PROVIDED_S, PROVIDED_S))
    assert Recording(tmp_path).have("20261110000000", by_name=True) == frozenset()


def test_a_closed_recording_takes_no_more(tmp_path):
    recording = Recording(tmp_path)
    recording.begin("a.jvd", PROVIDED)
    recording.close()
    for late in (lambda: recording.records(RA, 1), lambda: recording.begin("b.jvd", PROVIDED)):
        with pytest.raises(SourceError, match="has ended"):
            late()
    assert shown(tmp_path) == []


def test_compressed_files_are_the_same_bytes_every_time_and_replace_the_plain_one(tmp_path):
    (tmp_path / "a.jvd").write_bytes(b"old")
    recording = Recording(tmp_path, is_compressed=True)
    recording.begin("a.jvd", PROVIDED)
    for _ in range(3):
        recording.records(RA, 1)
    recording.finish()
    assert shown(tmp_path) == ["a.jvd.zst"]
    assert (tmp_path / "a.jvd.zst").read_bytes() == zstandard.ZstdCompressor(level=9).compress(RA * 3)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "C:x", ".hidden", "a\0b", "a\nb", "CON", "nul.jvd", "com1.txt", "x.", "x ",
     "a" * 300, "a?b", "a*b"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    assert not is_safe_name(name)
    with pytest.raises(SourceError, match="cannot be recorded"):
        Recording(tmp_path).begin(name, PROVIDED)
    assert shown(tmp_path) == []


@pytest.mark.parametrize("name", [FILE_NAME, "RASW20261107.20261107120000.jvd", "レース.jvd", "a b"])
def test_a_plain_name_is_taken(name):
    assert is_safe_name(name)


def test_two_files_of_one_name_are_refused(tmp_path):
    recording = Recording(tmp_path)
    recording.begin("a.jvd", PROVIDED)
    with pytest.raises(SourceError, match=r"two files named a\.jvd"):
        recording.begin("a.jvd", PROVIDED)


def test_two_recordings_do_not_write_into_one_folder(tmp_path):
    with exclusive(tmp_path), pytest.raises(ArchiveError, match="another"), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass
    assert shown(tmp_path) == []


def test_names_that_are_not_utf8_are_compared_as_they_are_shown(tmp_path):
    """They go to the session, whose messages are UTF-8."""
    recording = Recording(tmp_path)
    (tmp_path / os.fsdecode(b"\x8320261116140000.jvd")).write_bytes(b"")
    assert recording.have("", by_name=True) == {"\ufffd20261116140000.jvd"}
