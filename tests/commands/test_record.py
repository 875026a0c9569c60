"""`jvgate record`: an archive that grows, serves as its source does, and never mixes what differs."""

import pytest

from jvgate.commands.record import record_all
from jvgate.errors import ArchiveError
from jvgate.sessions.archive.archive_id import ArchiveId
from jvgate.settings import Settings
from tests.commands.command import OK, SOURCE, USAGE, fails, runner
from tests.raceday import archive, race_day, record
from tests.web.conftest import running

pytestmark = pytest.mark.process

FROM = ("--from", "20261101")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An archive of five files, each of another second."""
    folder = tmp_path_factory.mktemp("source")
    for number in range(5):
        name = f"SEVM20261116{20261116000000 + number}.jvd"
        archive(folder, *[record("SE", Umaban=at + 1, RaceNum=number + 1) for at in range(3)], name=name)
    return folder


@pytest.fixture
def run(tmp_path, place):
    """Run `jvgate record RACE` from the archive into a folder."""
    jvgate = runner(tmp_path)
    return lambda folder, *words: jvgate("record", "RACE", "-o", folder, "--source", f"archive:{place}", *words)


def finished(done):
    assert done.returncode == OK, done.stderr
    return done.stderr


def contents(folder):
    """The bytes of every file; the mark, whose name begins with a dot, is left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [(path.relative_to(folder), path.read_bytes()) for path in files]


def test_what_is_recorded_is_the_source_byte_for_byte(run, tmp_path, place):
    assert "5 files recorded (15 records" in finished(run("out", *FROM))
    assert contents(tmp_path / "out") == contents(place)


def test_without_a_from_time_it_goes_on_from_where_it_came_to(run, tmp_path, place):
    finished(run("out", *FROM, "--to", "20261116000001"))
    assert "3 files recorded" in finished(run("out"))
    assert contents(tmp_path / "out") == contents(place)


def test_the_recorded_folder_serves_what_the_source_serves(run, tmp_path, place):
    finished(run("out", *FROM))
    answers = []
    for folder in (place, tmp_path / "out"):
        with running(Settings(source=f"archive:{folder}")) as client:
            answers.append(client.data().content)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), SOURCE, "Allowed: --from"),
        (("--from", "20261399"), USAGE, "no time"),
        ((*FROM, "--key", "20261101"), USAGE, "key"),
        ((*FROM, "--source", "archive:/nowhere"), SOURCE, "no such folder"),
    ],
)
def test_bad_input_is_told_in_clear_words(run, arguments, status, words):
    fails(run("out", *arguments), status, words)


def test_a_folder_that_is_a_file_is_told(run, tmp_path):
    (tmp_path / "file").touch()
    fails(run("file", *FROM), USAGE, "cannot write")


def test_an_archive_is_not_recorded_into_itself(run, place):
    fails(run(place / "deeper", *FROM), USAGE, "lie in one another")


@pytest.mark.parametrize("arguments", [("--record", "RA"), ("--option", "4"), ("--source", "demo:")])
def test_other_ways_to_record_do_not_mix_in_one_folder(run, arguments):
    finished(run("out", *FROM, "--record", "SE"))
    fails(run("out", *FROM, *arguments), SOURCE, "would mix")


def test_a_set_up_goes_on_week_by_week(run):
    finished(run("out", *FROM, "--option", "4"))
    assert "0 files recorded" in finished(run("out"))
    fails(run("out", *FROM), SOURCE, "by a set-up")


def test_two_files_of_one_name_are_told_before_anything_is_read(jvgate, tmp_path):
    for folder in ("one", "two"):
        archive(tmp_path / "source" / folder, record("SE"), name="SEVM2026111620261116000000.jvd")
    done = jvgate("record", "RACE", "-o", "out", "--source", f"archive:{tmp_path / 'source'}", *FROM)
    fails(done, SOURCE, "have one name")


def test_a_recording_gets_an_id_that_a_later_one_keeps(tmp_path):
    source = archive(tmp_path / "in", *race_day())
    made = []
    for given in ({"from_time": ["20261101"]}, {}):
        assert record_all(["RACE"], given, tmp_path / "out", is_compressed=False, source=f"archive:{source}")
        made.append(ArchiveId.read(tmp_path / "out"))
    assert made[0] == made[1]
    assert (made[0].provider, made[0].origin) == ("jra", "")


def test_a_recording_tells_the_provider_of_its_source(tmp_path):
    source = archive(tmp_path / "in", *race_day())
    url, out = f"archive:{source}?provider=nv", tmp_path / "out"
    assert record_all(["RACE"], {"from_time": ["20261101"]}, out, is_compressed=False, source=url)
    assert ArchiveId.read(out).provider == "nv"
    with pytest.raises(ArchiveError, match="another folder"):
        record_all(["DIFN"], {"from_time": ["20261101"]}, out, is_compressed=False, source=f"archive:{source}")
