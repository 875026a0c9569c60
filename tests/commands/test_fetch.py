"""`jvgate fetch`: the answer of the server without a server."""

import json

import msgspec
import pytest

from jvgate.commands.fetch import fetch_answer
from jvgate.sessions.archive.archive_id import ArchiveId
from tests.commands.command import OK, SOURCE, USAGE, fails
from tests.raceday import RACE_KEY, archive, record

pytestmark = pytest.mark.process


def test_fetch_gives_the_answer_of_the_server_and_its_progress_on_stderr(jvgate, source):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--record", "RA,SE", "--source", source)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["meta"]["record_counts"]) == (OK, {"RA": 1, "SE": 3})
    assert "RACE" in done.stderr


def test_fetch_reads_real_time_data_and_takes_its_source_from_the_environment(jvgate, source):
    done = jvgate("fetch", "0B12", "--key", RACE_KEY, "--fields", "RaceNum", "--limit", "1", JVGATE_SOURCE=source)
    assert json.loads(done.stdout)["data"] == [{"RaceNum": 11}]


@pytest.mark.parametrize("option", ["1", "3", "4"])
@pytest.mark.parametrize("form", ["ndjson", "msgpack"])  # written while it is read, and afterwards
def test_fetch_keeps_to_the_end_of_the_span_with_every_option(jvgate, tmp_path, form, option):
    for number, provided in enumerate(("20260710120000", "20260801000001", "20261105120000"), start=1):
        archive(tmp_path, record("RA", RaceNum=number), name=f"RAVM20260700{provided}.jvd")
    span = ["--from", "20260701", "--to", "20260801", "--option", option, "--fields", "RaceNum"]
    done = jvgate("fetch", "RACE", *span, "--source", f"archive:{tmp_path}?date=2026-11-24", "-o", f"race.{form}")
    assert done.returncode == OK
    written = (tmp_path / f"race.{form}").read_bytes()
    if form == "ndjson":
        shown = [json.loads(line) for line in written.splitlines()][:-1]
    else:
        shown = msgspec.msgpack.decode(written)["data"]
    assert [one["RaceNum"] for one in shown] == [1]


def test_fetch_writes_a_file(jvgate, source, tmp_path):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "race.json")
    assert (done.returncode, done.stdout) == (OK, "")
    assert json.loads((tmp_path / "race.json").read_text("utf-8"))["meta"]["total"] == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "race.json"]


def test_fetch_leaves_an_older_file_alone_when_it_fails(jvgate, source, tmp_path):
    archive(tmp_path / "data", record("SE")[:100], name="torn20261116150000.jvd")
    (tmp_path / "race.json").write_text("older")
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "race.json")
    fails(done, SOURCE, "-403", "torn20261116150000.jvd")
    assert (tmp_path / "race.json").read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "race.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NOPE", "--from", "20261101"], ["NOPE", "RACE"]),
        (["RACE"], ["--from", "YYYYMMDD"]),
        (["RACE", "--from", "20260230"], ["20260230", "YYYYMMDD"]),
        (["RACE", "--from", "20261101", "--to", "20261001"], ["later"]),
        (["RACE", "--from", "20261101", "--record", "ZZ"], ["ZZ", "RA, SE"]),
        (["RACE", "--from", "20261101", "--format", "csv"], ["csv", "record=SE"]),
        (["0B12", "--key", "2026"], ["YYYYMMDDJJRR"]),
        (["0B12"], ["YYYYMMDDJJRR"]),
        (["RACE", "--from", "20261101", "-o", "no/such/folder/x.json"], ["no/such/folder/x.json"]),
        (["RACE", "--from", "20261101", "-o", "."], ["cannot be written"]),
        (["RACE", "--from", "20261101", "--source", "tape:"], ["tape:", "archive:DIR"]),
    ],
)
def test_fetch_refuses_what_cannot_be_asked_with_what_can(jvgate, source, words, said):
    fails(jvgate("fetch", *words, JVGATE_SOURCE=source), USAGE, *said)


@pytest.mark.parametrize("place", ["nowhere", "junk"])
def test_fetch_from_an_archive_that_is_none_says_what_a_right_one_holds(jvgate, tmp_path, place):
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "letter.txt").write_text("Dear reader")
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", f"archive:{place}")
    fails(done, SOURCE, place, "files of raw records")


@pytest.mark.parametrize("name", ["se.csv", "se.parquet", "se.arrow", "se.ndjson", "se.jvd", "se.msgpack"])
def test_fetch_writes_the_form_that_a_file_is_named_after(jvgate, source, tmp_path, name):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--record", "SE", "-o", name, JVGATE_SOURCE=source)
    assert (done.returncode, "3 records" in done.stderr) == (OK, True), done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]
    begins = {"se.csv": b"RecordSpec,", "se.parquet": b"PAR1", "se.ndjson": b'{"RecordSpec":"SE"', "se.jvd": b"SE7"}
    assert (tmp_path / name).read_bytes().startswith(begins.get(name, b""))


OBIHIRO = "202611158311"


@pytest.fixture
def folder(tmp_path):
    """An archive of a race at Obihiro, course 83, which JRA's tables lack."""
    race = record("RA", JyoCD="83")
    archive(tmp_path / "in", race, name="RAWM2026111520261116140000.jvd")
    return archive(tmp_path / "in", race, dataspec="0B12", name=f"{OBIHIRO}.jvd")


def fetched(tmp_path, source, dataspec="0B12", **parameters):
    output = tmp_path / "out.json"
    fetch_answer(dataspec, {name: [value] for name, value in parameters.items()}, output, source=source)
    return json.loads(output.read_bytes())["data"]


@pytest.mark.parametrize("more", ["", "?date=2026-11-24", "?provider=nv"])
def test_a_course_that_the_tables_lack_is_asked_of_an_archive(folder, tmp_path, more):
    (race,) = fetched(tmp_path, f"archive:{folder}{more}", key=OBIHIRO)
    assert (race["RecordSpec"], race["JyoCD"]) == ("RA", "83")
    assert fetched(tmp_path, f"archive:{folder}{more}", "0B31", key=OBIHIRO) == []


def test_an_archive_that_was_recorded_from_nv_link_is_served_with_its_facts(folder, tmp_path):
    ArchiveId.ensure(folder, provider="nv", origin="nvlink:")
    archive(folder, record("RA", JyoCD="83"), dataspec="NVXX")
    for dataspec in ("NVXX", "RACE"):
        found = fetched(tmp_path, f"archive:{folder}", dataspec, from_time="20261101", where="JyoCD=83")
        assert [race["JyoCD"] for race in found] == ["83"]
    assert fetched(tmp_path, f"archive:{folder}", "NVXX", from_time="20261101", record="ZZ") == []
