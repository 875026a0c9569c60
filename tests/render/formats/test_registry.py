"""A format that one file defines and registers is offered everywhere."""

import pytest
from typer.testing import CliRunner

from jvgate.cli import app
from jvgate.render.formats.format import Format
from jvgate.render.formats.registry import FORMATS, offered_formats, offered_streams, register
from jvgate.render.formats.writers import RecordWriter
from jvgate.settings import Settings
from tests.raceday import archive, race_day
from tests.web.conftest import running


class ToyWriter(RecordWriter):
    """The record types, separated by blanks; the end is a full stop."""

    def __init__(self, question):
        """Need nothing of the question."""

    def write(self, layout, raw, count):
        return f"{layout.record} ".encode() * count

    def write_single(self, frame):
        return b"? "

    def end(self, facts):
        return b"."


TOY = Format(
    word="toy",
    media_types=("text/x-toy",),
    suffixes=(".toy",),
    download_suffix=".toy",
    answer=ToyWriter,
    stream=ToyWriter,
)
WRITTEN = b"RA SE SE SE HR O1 ."


@pytest.fixture(scope="module", autouse=True)
def toy():
    """The registered format."""
    register(TOY)
    yield
    del FORMATS["toy"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


@pytest.fixture(scope="module")
def web(toy, folder):
    """A server that was started after the registration."""
    with running(Settings(source=f"archive:{folder}?date=2026-11-18")) as client:
        yield client


def jvgate(*words):
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("route", ["data", "stream"])
@pytest.mark.parametrize("asked", [{"params": {"format": "toy"}}, {"headers": {"accept": "text/x-toy"}}], ids=str)
def test_a_registered_format_is_served(web, route, asked):
    response = web.get(
        f"/api/v1/{route}/RACE", **{**asked, "params": {"from_time": "20261101"} | asked.get("params", {})}
    )
    assert (response.status_code, response.content) == (200, WRITTEN)
    assert response.headers["content-type"] == "text/x-toy"
    assert response.headers["content-disposition"] == 'attachment; filename="RACE_20261101000000.toy"'


@pytest.mark.parametrize("route", ["data", "stream"])
def test_a_registered_format_stands_in_openapi(web, route):
    operation = web.get("/openapi.json").json()["paths"][f"/api/v1/{route}/{{dataspec}}"]["get"]
    (words,) = [given["schema"]["enum"] for given in operation["parameters"] if given["name"] == "format"]
    assert "toy" in words
    assert "text/x-toy" in operation["responses"]["200"]["content"]


@pytest.mark.parametrize("route", ["data", "stream"])
def test_a_registered_format_is_allowed_by_the_406(web, route):
    parameters, accept = {"from_time": "20261101"}, {"accept": "image/png"}
    problem = web.get(f"/api/v1/{route}/RACE", params=parameters, headers=accept).json()
    assert problem["status"] == 406
    assert "text/x-toy" in problem["allowed"]


@pytest.mark.parametrize("words", [("--format", "toy"), ("-o", "x.toy")], ids=str)
@pytest.mark.parametrize("command", ["fetch", "decode"])
def test_a_registered_format_is_written_by_the_commands(monkeypatch, tmp_path, folder, command, words):
    monkeypatch.chdir(tmp_path)
    source = ("RACE", "--from", "20261101", "--source", f"archive:{folder}?date=2026-11-18")
    done = jvgate(command, *(source if command == "fetch" else folder.glob("RACE/*")), *words)
    assert (done.stdout_bytes or (tmp_path / "x.toy").read_bytes()) == WRITTEN


@pytest.mark.parametrize("command", ["fetch", "decode"])
def test_the_help_of_a_command_lists_a_registered_format(command):
    assert "toy" in jvgate(command, "--help").output


def test_a_format_takes_no_name_of_another():
    with pytest.raises(ValueError, match="csv has text/csv already"):
        register(Format(word="excel", media_types=("text/csv",), answer=ToyWriter))
    assert "excel" not in FORMATS


def test_a_stream_is_ndjson_unless_asked_otherwise():
    assert offered_streams(Settings())[0] == "ndjson"
    assert offered_formats(Settings())[0] == "json"
