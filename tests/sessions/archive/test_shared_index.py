"""One index for all who read an archive: who makes it, who takes it over, and how old it gets."""

import subprocess
import sys
from threading import Event, Thread

import pytest

from jvgate.sessions.archive import index as index_module
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.sessions.archive.index import IndexBuilder
from jvgate.sessions.archive.shared_index import SharedIndex
from tests.sessions.archive.moving import Clock
from tests.sessions.archive.test_folder import record, write
from tests.specs import JRA

ANOTHER_PROCESS = """
import sys
from datetime import datetime
from jvgate.sessions.archive import index
def refuse(path): sys.exit(f"{path} was opened")
index.looks_like_jvdata = refuse
index.load = refuse
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.spec.spec import load_spec
print(len(ArchiveShelf(sys.argv[1], load_spec("jra")).stored("RACE", now=datetime(2030, 1, 1), setup=False)))
"""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shared(tmp_path, clock):
    """A way to open the index of the archive as another process would."""
    write(tmp_path / "a.bin", record("RA"))
    return lambda: SharedIndex(tmp_path, JRA, clock=clock)


@pytest.fixture
def made(monkeypatch):
    """The indexes that were made, by whomever."""
    indexes = []
    make = IndexBuilder.made
    monkeypatch.setattr(IndexBuilder, "made", lambda self, known: indexes.append(known) or make(self, known))
    return indexes


def current(index: SharedIndex):
    return index.current(lambda index: index.folders)


def types(index: SharedIndex):
    return current(index).folders[b""].files[b"a.bin"].types


@pytest.mark.process
def test_another_process_opens_no_file_that_the_first_one_knows(tmp_path):
    write(tmp_path / "RACE" / "a.jvd", record("RA"))
    write(tmp_path / "b.bin", record("SE"))
    ArchiveShelf(tmp_path, JRA).check()
    told = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert told.stdout == "2\n"


def test_the_index_is_made_once_for_all(shared, made):
    assert current(shared()) == current(shared()) == current(shared())
    assert len(made) == 1


def test_an_overwrite_in_place_is_seen_once_the_index_is_a_minute_old(tmp_path, shared, clock):
    one, two = shared(), shared()
    assert types(one) == types(two) == (b"RA",)
    write(tmp_path / "a.bin", record("UM"))
    clock.moment += 59
    assert types(one) == (b"RA",)
    clock.moment += 1
    assert types(one) == types(two) == (b"UM",)


def test_one_makes_the_index_anew_and_the_others_take_it_over(tmp_path, shared, clock, made):
    one, two = shared(), shared()
    current(one), current(two)
    clock.moment += 61
    assert current(one) is not None
    assert current(two) is not None
    assert len(made) == 2


def test_a_clock_set_back_makes_the_index_anew(shared, clock, made):
    index = shared()
    current(index)
    clock.moment -= 3600
    current(index)
    assert len(made) == 2


def test_a_damaged_index_file_is_made_anew(shared, cache_home, made):
    current(shared())
    for path in (cache_home / "jvgate").glob("**/*.index"):
        path.write_bytes(b"{}")
    assert types(shared()) == (b"RA",)
    assert len(made) == 2


def test_without_a_cache_directory_each_process_holds_its_own(tmp_path, shared, monkeypatch, made):
    write(tmp_path / "file", b"")
    monkeypatch.setattr("jvgate.sessions.archive.index_file.user_cache_path", lambda *name, **how: tmp_path / "file")
    one, two = shared(), shared()
    assert types(one) == types(one) == types(two) == (b"RA",)
    assert len(made) == 2
    assert one.summary().files == 1
    assert len(made) == 2


def test_the_summary_comes_from_the_file_while_the_index_is_young(shared, clock, made):
    current(shared())
    assert [shared().summary().files for _ in range(3)] == [1, 1, 1]
    assert len(made) == 1
    clock.moment += 61
    assert shared().summary().files == 1
    assert len(made) == 2


def test_the_summary_knows_at_once_that_the_files_are_gone(tmp_path, shared):
    current(shared())
    (tmp_path / "a.bin").unlink()
    assert shared().summary().files == 0


def test_a_thread_makes_the_index_before_anybody_asks(shared, monkeypatch):
    index, is_made = shared(), Event()
    make = IndexBuilder.made
    monkeypatch.setattr(IndexBuilder, "made", lambda self, known: (make(self, known), is_made.set())[0])
    with index.renewed():
        assert is_made.wait(30)
        assert types(index) == (b"RA",)


def test_a_question_does_not_wait_for_the_index_being_made_anew(shared, clock, monkeypatch):
    index, begun, goes_on = shared(), Event(), Event()
    current(index)
    clock.moment += 50
    make = IndexBuilder.made
    monkeypatch.setattr(
        IndexBuilder, "made", lambda self, known: (begun.set(), goes_on.wait(30), make(self, known))[-1]
    )
    renewing = Thread(target=index.renew)
    renewing.start()
    assert begun.wait(30)
    assert types(index) == (b"RA",)
    goes_on.set()
    renewing.join(30)


def test_the_facts_of_a_file_that_is_known_are_kept_as_they_are(tmp_path, shared, clock):
    """What was derived from them stays valid, also after the index of another process was taken over."""
    one, two = shared(), shared()
    before = current(one).folders[b""].files[b"a.bin"]
    current(two)
    write(tmp_path / "b.bin", record("RA"))
    clock.moment += 61
    current(two)
    after = current(one).folders[b""].files
    assert after[b"a.bin"] is before
    assert after.keys() == {b"a.bin", b"b.bin"}
    assert index_module.EMPTY.folders == {}
