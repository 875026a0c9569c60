"""The file that keeps an index: private, whole or ignored, and not needed."""

import os

import pytest

from jvgate.sessions.archive.index import Index, IndexedFile, IndexedFolder
from jvgate.sessions.archive.index_file import IndexFile

INDEX = Index({b"": IndexedFolder(5, {b"\x83.jvd": IndexedFile(3, 4, "20261108120000", (b"RA",), ("20261108",))})})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path, folder):
    return IndexFile(tmp_path, facts=["RACE"], folder=folder)


def path_in(folder):
    (path,) = folder.glob("*.index")
    return path


def test_an_index_is_kept_with_its_summary_and_the_time_it_was_made(file):
    digest = file.save(INDEX, made_at=1000.0)
    head, index = file.load()
    assert (index, head) == (INDEX, file.head())
    assert (head.digest, head.made_at, head.summary) == (digest, 1000.0, INDEX.summary())


def test_an_equal_index_is_not_written_again(file, folder):
    file.save(INDEX, made_at=1000.0)
    before = path_in(folder).stat().st_ino
    file.save(INDEX, made_at=2000.0)
    assert (file.head().made_at, path_in(folder).stat().st_ino) == (2000.0, before)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_the_file_is_private(file, folder):
    file.save(INDEX, made_at=0.0)
    assert (folder.stat().st_mode & 0o777, path_in(folder).stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"\xff" + data, lambda data: b"", lambda data: b"{}\n\x80"]
)
def test_a_damaged_file_is_no_index_and_is_made_anew(file, folder, damage):
    file.save(INDEX, made_at=1000.0)
    path_in(folder).write_bytes(damage(path_in(folder).read_bytes()))
    assert file.load() is None
    path_in(folder).unlink()
    file.save(INDEX, made_at=1000.0)
    assert file.load()[1] == INDEX


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users of POSIX")
def test_the_file_of_another_user_is_no_index(file, monkeypatch):
    file.save(INDEX, made_at=1000.0)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert file.load() is None


def test_archives_and_facts_have_files_of_their_own(tmp_path, folder):
    places = [(tmp_path, ["RACE"]), (tmp_path / "x", ["RACE"]), (tmp_path, ["RACE", "NEW"])]
    for root, facts in places:
        IndexFile(root, facts=facts, folder=folder).save(INDEX, made_at=1.0)
    assert len(list(folder.glob("*.index"))) == 3


def test_the_index_of_an_archive_that_nobody_reads_any_more_is_removed(tmp_path, file, folder, monkeypatch):
    IndexFile(tmp_path / "x", facts=[], folder=folder).save(INDEX, made_at=1.0)
    later = path_in(folder).stat().st_ctime + 40 * 86_400
    monkeypatch.setattr("time.time", lambda: later)
    file.save(INDEX, made_at=later)
    assert file.head() is not None
    assert len(list(folder.glob("*.index"))) == 1


def test_only_one_holds_the_lock(tmp_path, file, folder):
    other = IndexFile(tmp_path, facts=["RACE"], folder=folder)
    with file.locked(wait=False) as first, other.locked(wait=False) as second:
        assert (first, second) == (True, False)
    with other.locked(wait=False) as second:
        assert second


def test_without_a_cache_directory_nothing_is_kept_and_nobody_is_held_up(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    file = IndexFile(tmp_path, facts=[], folder=tmp_path / "file" / "cache")
    with file.locked(wait=False) as is_free:
        assert is_free
    assert (file.save(INDEX, made_at=1.0), file.head(), file.load()) == (None, None, None)
