"""An archive with file names that are not UTF-8 and files that are no JV-Data, behind a real server."""

import asyncio
import os
import sys

import pytest

from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import parse_source
from jvgate.values import Query
from tests.raceday import RACE_KEY, archive, race_day, record
from tests.specs import JRA

ODD = os.fsdecode(b"\x83\x8c\x81\x5b\x83\x5820261116140000.jvd")  # Shift_JIS, as unzip leaves it
SHOWN = "\ufffd\ufffd\ufffd[\ufffdX20261116140000.jvd"

pytestmark = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="file names are Unicode there")


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("odd")
    archive(place, *race_day(), name=ODD)
    archive(place, record("UM")[:100], dataspec="DIFN", name=ODD)
    archive(place, *race_day()[:5], dataspec="0B12", name=f"{RACE_KEY}.jvd")
    (place / os.fsdecode(b"\x93\xc7.txt")).write_text("no data")
    return place


@pytest.fixture(scope="module")
def odd(serve, odd_folder):
    return serve(f"archive:{odd_folder}?date=2026-11-18")


def test_a_file_whose_name_is_not_utf8_is_served(odd):
    assert len(odd.data().json()["data"]) == len(race_day())


def test_its_name_is_shown_where_the_files_of_a_read_are_named(odd_folder):
    source = parse_source(f"archive:{odd_folder}?date=2026-11-18")

    async def read():
        async with Pool(source, JRA, sessions=1, limit_bytes=1 << 20, queue_limit=1) as pool:
            return await pool.read(Query("RACE", from_time="20261101000000", option=1))

    (file,) = asyncio.run(read()).files
    assert (file.name, file.provided) == (SHOWN, "20261116140000")


def test_the_other_files_are_served_as_ever(odd):
    assert odd.data("0B12", key=RACE_KEY).status_code == 200


def test_a_stream_of_it_is_whole(odd):
    answer = odd.get("/api/v1/stream/RACE", params={"from_time": "20261101", "format": "raw"})
    assert answer.content == b"".join(race_day())


def test_an_error_in_it_shows_its_name(odd):
    problem = odd.data("DIFN").json()
    assert problem["status"] == 502
    assert SHOWN in problem["detail"]


def test_ready_tells_of_the_files_that_are_passed_over(odd):
    told = odd.get("/readyz").json()["archive"]
    why = "it holds no JV-Data"
    assert told == {"files": 3, "passed_over": 1, "first_passed_over": [{"file": "\ufffd\ufffd.txt", "why": why}]}


def test_a_folder_whose_name_is_not_utf8_is_served(serve, tmp_path):
    place = tmp_path / os.fsdecode(b"\x83")
    archive(place, *race_day())
    client = serve(f"archive:{place}?date=2026-11-18")
    assert client.data().status_code == 200
    assert client.get("/readyz").json()["source"] == f"archive:{tmp_path}/\ufffd?date=2026-11-18"
