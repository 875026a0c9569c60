"""`GET /api/v1/stream/{dataspec}`: what is streamed, in which forms, and how its end can be told from a cut."""

import json

import httpx2
import pytest

from tests.raceday import DAY, RACE_KEY, archive, race_day, record
from tests.waiting import wait_until

OPENS = "jvgate_source_opens_total"
ENDS = "jvgate_streams_total"
LATER = f"RAVM{DAY}20261117090000.jvd"


def stream(client, dataspec="RACE", *, method="GET", headers=None, **parameters):
    if not dataspec.startswith("0B"):
        parameters = {"from_time": "20261101"} | parameters
    return client.request(method, f"/api/v1/stream/{dataspec}", params=parameters, headers=headers)


def told(response):
    """The records and the facts of an NDJSON stream."""
    assert response.status_code == 200, response.text
    *records, last = [json.loads(line) for line in response.text.splitlines()]
    return records, last["end"]


@pytest.mark.parametrize(
    "chosen", [{}, {"record": "SE"}, {"fields": "Umaban,RaceNum"}, {"limit": "2", "offset": "1"}, {"raw": "1"},
               {"labels": "en"}, {"from_time": "20261117"}],
)  # fmt: skip
def test_a_stream_says_what_the_data_route_says(web, chosen):
    records, end = told(stream(web, **chosen))
    whole = web.data(**chosen).json()
    assert records == whole["data"]
    shared = set(end) & set(whole["meta"])
    assert {"record_counts", "total", "returned", "last_file_timestamp", "lost_bytes"} <= shared
    assert {name: end[name] for name in shared} == {name: whole["meta"][name] for name in shared}


def test_real_time_data_is_streamed_by_its_key(web):
    records, end = told(stream(web, "0B12", key=RACE_KEY))
    assert (len(records), end["last_file_timestamp"]) == (5, None)


def test_joined_data_specs_come_one_after_another(web):
    records, end = told(stream(web, "RACEDIFN"))
    assert [shown["RecordSpec"] for shown in records] == ["RA", "SE", "SE", "SE", "HR", "O1", "UM"]
    assert set(end["last_file_timestamps"]) == {"RACE", "DIFN"}


@pytest.mark.parametrize(
    ("asked", "media_type"),
    [
        ({}, "application/x-ndjson"),
        ({"headers": {"accept": "application/json"}}, "application/json"),
        ({"headers": {"accept": "application/octet-stream, */*;q=0.1"}}, "application/octet-stream"),
        ({"headers": {"accept": "text/html, */*;q=0.1"}}, "application/x-ndjson"),
        ({"headers": {"accept": "text/html"}, "format": "json"}, "application/json"),
        ({"format": "raw"}, "application/octet-stream"),
    ],
)
def test_the_form_is_chosen_by_the_parameter_or_else_by_accept(web, asked, media_type):
    response = stream(web, **asked)
    assert response.headers["content-type"] == media_type


def test_json_is_one_array_and_raw_the_very_bytes(web):
    records, end = told(stream(web))
    assert stream(web, format="json").json() == [*records, {"end": end}]
    assert stream(web, format="raw").content == b"".join(race_day())


def test_the_headers_are_those_of_what_no_cache_may_keep(web):
    headers = stream(web).headers
    assert (headers["cache-control"], headers["vary"]) == ("no-store", "Accept, Accept-Encoding")
    assert headers["x-request-id"]
    assert not {"content-length", "etag", "age", "cache-status"} & set(headers)


def test_a_stream_does_not_go_through_memory(serve, folder):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    for _ in range(2):
        stream(cold)
    assert (cold.figure(OPENS), cold.figure("jvgate_cache_bytes", tier="l1")) == (2, 0)
    assert cold.figure(ENDS, end="whole") == 2


@pytest.mark.parametrize("asked", [{}, {"format": "raw"}])
def test_head_answers_without_asking_jvlink(serve, folder, asked):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    response = stream(cold, method="HEAD", **asked)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == stream(cold, **asked).headers["content-type"]
    assert (cold.figure(OPENS), "content-length" in response.headers) == (1, False)


def test_an_older_data_spec_links_to_the_stream_of_its_successor(web):
    assert stream(web, "DIFF").headers["link"] == '</api/v1/stream/DIFN>; rel="successor-version"'


@pytest.mark.parametrize(
    ("asked", "status", "problem"),
    [
        ({"dataspec": "NONE"}, 404, "unknown-dataspec"),
        ({"from_time": "yesterday"}, 400, "invalid-from-time"),
        ({"format": "xml"}, 406, "unknown-format"),
        ({"headers": {"accept": "text/html"}}, 406, "not-acceptable"),
        ({"format": "raw", "labels": "ja"}, 400, "parameter-not-allowed"),
        ({"format": "raw", "fields": "Umaban"}, 400, "parameter-not-allowed"),
        ({"where": "x"}, 400, "invalid-where"),
        ({"nothing": "x"}, 400, "unknown-parameter"),
    ],
)
def test_what_cannot_be_asked_is_an_ordinary_problem(web, asked, status, problem):
    response = stream(web, **asked)
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{problem}")
    assert response.json()["allowed"]


def as_far_as_it_goes(client, **parameters):
    """What comes of a stream, and whether HTTP says that it is all."""
    came = b""
    with client.stream("GET", "/api/v1/stream/RACE", params={"from_time": "20261101"} | parameters) as response:
        assert response.status_code == 200
        try:
            for piece in response.iter_bytes():
                came += piece
        except httpx2.RemoteProtocolError as exc:
            assert "incomplete" in str(exc)  # noqa: PT017
            return came, False
    return came, True


def cut_short(tmp_path, *before):
    """An archive whose last file has a record without an end: JV-Link would answer -403."""
    archive(tmp_path, *before)
    return archive(tmp_path, record("HR")[:-2], name=LATER)


def test_an_error_before_the_first_record_is_an_ordinary_problem(serve, tmp_path):
    response = stream(serve(f"archive:{cut_short(tmp_path / 'x')}?date=2026-11-18"), from_time="20261117")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["jvlink"]["code"] == -403


@pytest.mark.parametrize("form", ["ndjson", "json", "raw"])
def test_an_error_behind_the_first_record_leaves_a_body_without_an_end(serve, tmp_path, form):
    client = serve(f"archive:{cut_short(tmp_path, *race_day())}?date=2026-11-18")
    came, is_whole = as_far_as_it_goes(client, format=form)
    assert not is_whole
    assert came
    assert b'"end"' not in came
    if form == "ndjson":
        assert json.loads(came.splitlines()[-1])["error"]["jvlink"]["code"] == -403
    assert client.figure(ENDS, end="broken") == 1
    assert wait_until(lambda: client.get("/readyz").json()["sessions"]["busy"] == 0)


def test_a_stream_that_finds_nothing_for_long_says_that_it_has_begun(serve, tmp_path, monkeypatch):
    monkeypatch.setattr("jvgate.gateway.streams.SILENCE_S", 0.0)
    archive(tmp_path, *[record("SE")] * 5000)
    client = serve(f"archive:{tmp_path}?date=2026-11-18&read_us=100000")  # all of it would take eight minutes
    asked = {"from_time": "20261101", "record": "SE", "where": "Umaban=18", "format": "csv"}
    with client.stream("GET", "/api/v1/stream/RACE", params=asked) as response:
        assert response.status_code == 200
        assert next(response.iter_bytes()).startswith(b"RecordSpec,")


def test_what_a_stream_tells_at_its_end_is_where_the_next_one_goes_on(serve, tmp_path):
    """An archive that grows between the calls: nothing is lost, and nothing comes twice."""
    names = [f"RAVM{DAY}202611161400{number:02}.jvd" for number in range(6)]
    given = [record("SE", Umaban=number + 1) for number in range(6)]
    archive(tmp_path, given[0], name=names[0])
    client, from_time, seen = serve(f"archive:{tmp_path}?date=2026-11-18"), "20261101", []
    for grown in ([], [1], [], [2, 3], [4, 5], []):
        for number in grown:
            archive(tmp_path, given[number], name=names[number])
        records, end = told(stream(client, from_time=from_time))
        seen += [shown["Umaban"] for shown in records]
        from_time = end["last_file_timestamp"] or from_time
    assert seen == [1, 2, 3, 4, 5, 6]


def test_a_stream_larger_than_any_dataset_may_be_is_no_problem(serve, tmp_path):
    folder = archive(tmp_path, *race_day() * 20)
    client = serve(f"archive:{folder}?date=2026-11-18", dataset_bytes=1024)
    assert client.data().status_code == 413
    assert told(stream(client))[1]["total"] == 120
