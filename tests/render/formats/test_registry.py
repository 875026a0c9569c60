"""A format that one file defines and registers is offered everywhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jvgate.render.formats.format import Format
from jvgate.render.formats.registry import FORMATS, offered_formats, offered_streams, register
from jvgate.settings import Settings
from tests.raceday import archive, race_day
from tests.render.formats.toy import TOY, ToyWriter
from tests.web.conftest import running

pytestmark = pytest.mark.process

WRITTEN = b"RA SE SE SE HR O1 ."
KANJI = replace(TOY, word="kanji", media_types=("text/x-kanji",), suffixes=(".kanji",), charsets=("euc-jp",))
ROOT = str(Path(__file__).parents[3])
COMMAND = """
from jvgate.cli import main
from jvgate.render.formats.registry import register
from tests.render.formats.toy import TOY
register(TOY)
main()
"""


@pytest.fixture(scope="module", autouse=True)
def toy():
    """The registered format."""
    register(TOY)
    register(KANJI)
    yield
    del FORMATS["toy"], FORMATS["kanji"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


@pytest.fixture(scope="module")
def web(toy, folder):
    """A server that was started after the registration."""
    with running(Settings(source=f"archive:{folder}?date=2026-11-18")) as client:
        yield client


@pytest.fixture
def jvgate(tmp_path):
    """Run the command where the format is registered, in an empty folder."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("JVGATE_")}

    def run(*words):
        command = [sys.executable, "-c", COMMAND, *map(str, words)]
        return subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env={**clean, "PYTHONPATH": ROOT})

    return run


@pytest.mark.parametrize("route", ["data", "stream"])
@pytest.mark.parametrize(("query", "accept"), [("&format=toy", "*/*"), ("", "text/x-toy")])
def test_a_registered_format_is_served(web, route, query, accept):
    response = web.get(f"/api/v1/{route}/RACE?from_time=20261101{query}", headers={"accept": accept})
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
def test_a_format_with_a_charset_of_its_own_is_asked_for_with_it(web, route):
    url = f"/api/v1/{route}/RACE?from_time=20261101&charset=euc-jp"
    response = web.get(f"{url}&format=kanji")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/x-kanji; charset=euc-jp")
    problem = web.get(f"{url}&format=csv&record=SE").json()
    assert (problem["type"], problem["parameter"]) == ("/problems/parameter-not-allowed", "charset")
    operation = web.get("/openapi.json").json()["paths"][f"/api/v1/{route}/{{dataspec}}"]["get"]
    (words,) = [given["schema"]["enum"] for given in operation["parameters"] if given["name"] == "charset"]
    assert "euc-jp" in words


@pytest.mark.parametrize("route", ["data", "stream"])
def test_a_registered_format_is_allowed_by_the_406(web, route):
    parameters, accept = {"from_time": "20261101"}, {"accept": "image/png"}
    problem = web.get(f"/api/v1/{route}/RACE", params=parameters, headers=accept).json()
    assert problem["status"] == 406
    assert "text/x-toy" in problem["allowed"]


@pytest.mark.parametrize("words", [("--format", "toy"), ("-o", "x.toy")], ids=str)
@pytest.mark.parametrize("command", ["fetch", "decode"])
def test_a_registered_format_is_written_by_the_commands(jvgate, tmp_path, folder, command, words):
    source = ("RACE", "--from", "20261101", "--source", f"archive:{folder}?date=2026-11-18")
    done = jvgate(command, *(source if command == "fetch" else folder.glob("RACE/*")), *words)
    assert (done.stdout or (tmp_path / "x.toy").read_bytes()) == WRITTEN


@pytest.mark.parametrize("command", ["fetch", "decode"])
def test_the_help_of_a_command_lists_a_registered_format(jvgate, command):
    assert b"toy" in jvgate(command, "--help").stdout


def test_a_format_takes_no_name_of_another():
    with pytest.raises(ValueError, match="csv has text/csv already"):
        register(Format(word="excel", media_types=("text/csv",), answer=ToyWriter))
    assert "excel" not in FORMATS


def test_a_stream_is_ndjson_unless_asked_otherwise():
    assert offered_streams(Settings())[0] == "ndjson"
    assert offered_formats(Settings())[0] == "json"
