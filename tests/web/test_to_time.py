"""The end of a span (`to_time`) holds with every option, by file time, whatever the source does with it."""

import json

import pytest

from jvgate.settings import Settings
from tests.raceday import archive, record
from tests.web.conftest import running

SPAN = {"from_time": "20260701", "to_time": "20260801"}
MONDAYS = ["2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27"]
OPTIONS = ["1", "3", "4"]
# The second one was provided exactly at the end, the third one a second later, the last one in the current month.
PROVIDED = ["20260710120000", "20260801000000", "20260801000001", "20261023120000", "20261105120000"]


@pytest.fixture(scope="module", params=["demo", "archive"])
def source(request, tmp_path_factory):
    """A client of a source whose own clock says 24 November 2026, and the values of MakeDate up to the end."""
    if request.param == "demo":
        name, expected = "demo:?date=2026-11-24", MONDAYS
    else:
        folder = tmp_path_factory.mktemp("span")
        for number, provided in enumerate(PROVIDED, start=1):
            named = record("WF", MakeDate=f"2026-07-{number:02}")
            archive(folder, named, name=f"WFVM20260700{provided}.jvd")
        name, expected = f"archive:{folder}?date=2026-11-24", ["2026-07-01", "2026-07-02"]
    with running(Settings(source=name, sessions=1, prefetch=False)) as client:
        yield client, expected


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("route", ["data", "stream"])
def test_nothing_provided_after_the_end_is_given_with_any_option(source, route, option):
    client, expected = source
    asked = {**SPAN, "record": "WF", "fields": "MakeDate", "option": option, "format": "ndjson"}
    response = client.get(f"/api/v1/{route}/RACE", params=asked)
    *records, last = map(json.loads, response.text.splitlines())
    assert [shown["MakeDate"] for shown in records] == expected
    assert last["end"]["last_file_timestamp"] <= "20260801000000"


@pytest.mark.parametrize("option", OPTIONS)
def test_the_next_span_goes_on_where_the_last_one_ended_and_neither_loses_nor_doubles(source, option):
    client, expected = source
    spans = [SPAN, {"from_time": "20260801", "to_time": "20261101"}, {"from_time": "20260701", "to_time": "20261101"}]
    asked = [{**span, "record": "WF", "fields": "MakeDate", "option": option} for span in spans]
    first, second, both = (client.get("/api/v1/data/RACE", params=one).json()["data"] for one in asked)
    assert [shown["MakeDate"] for shown in first] == expected
    assert second
    assert first + second == both
