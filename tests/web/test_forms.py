"""Forms over HTTP: chosen by parameter or Accept, each with its own tag, name and neighbours."""

import json
import pickle
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.raceday import RACE_KEY, race_day
from tests.web.test_bad_input import is_problem

NDJSON, MSGPACK, RAW, CSV = "application/x-ndjson", "application/msgpack", "application/octet-stream", "text/csv"


@pytest.fixture(scope="module")
def everything(serve, folder):
    """A server that gives every form."""
    return serve(f"archive:{folder}?date=2026-11-18", allow_pickle=True)


def accept(media):
    return {"accept": media}


def test_every_form_says_what_json_says(everything):
    expected = everything.data().json()
    read = {
        "ndjson": lambda body: [json.loads(line) for line in body.splitlines()[:-1]],
        "msgpack": lambda body: msgspec.msgpack.decode(body)["data"],
        "pickle": lambda body: pickle.loads(body)["data"],
    }
    for form, load in read.items():
        assert load(everything.data(format=form).content) == expected["data"]
    assert everything.data(format="raw").content == b"".join(race_day())


@pytest.mark.parametrize(
    ("media", "form"),
    [
        (NDJSON, "ndjson"), ("application/jsonl", "ndjson"), (MSGPACK, "msgpack"), (RAW, "raw"),
        ("application/x-msgpack", "msgpack"), ("application/vnd.msgpack;q=0.5, text/html", "msgpack"),
        ("application/x-python-pickle", "pickle"), ("application/vnd.apache.arrow.stream", "arrow"),
        ("application/vnd.apache.parquet", "parquet"), (CSV, "csv"), ("text/*", "csv"), ("*/*", "json"),
    ],
)  # fmt: skip
def test_accept_and_the_parameter_choose_the_same_forms(everything, media, form):
    for _ in range(2):  # from the route and from the edge
        by_accept = everything.data(record="SE", headers=accept(media))
        by_name = everything.data(record="SE", format=form)
        assert (by_accept.status_code, by_accept.content) == (200, by_name.content)
        assert "Accept" in by_accept.headers["vary"]


def test_the_form_goes_by_the_name_that_the_client_knows(everything):
    for name in ("application/jsonl", NDJSON, "application/vnd.msgpack", MSGPACK):
        assert everything.data(headers=accept(name)).headers["content-type"] == name


def test_the_parameter_wins_over_accept(everything):
    response = everything.data(format="ndjson", headers=accept(MSGPACK))
    assert response.headers["content-type"] == NDJSON


@pytest.mark.parametrize(
    ("headers", "parameters", "content_type"),
    [
        (accept("text/csv;charset=shift_jis"), {}, "text/csv; charset=shift_jis"),
        (accept("text/csv;charset=Windows-31J"), {}, "text/csv; charset=shift_jis"),
        (accept("text/csv; charset=UTF-8"), {}, "text/csv; charset=utf-8"),
        (accept("text/csv"), {"charset": "shift_jis"}, "text/csv; charset=shift_jis"),
        ({}, {"format": "csv"}, "text/csv; charset=utf-8"),
        ({}, {"format": "csv", "charset": "utf-8-bom"}, "text/csv; charset=utf-8"),
        ({}, {"charset": "shift_jis"}, "text/csv; charset=shift_jis"),
    ],
)
def test_the_charset_of_csv_is_chosen(everything, headers, parameters, content_type):
    response = everything.data(record="SE", headers=headers, **parameters)
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    charset = parameters.get("charset", "shift_jis" if "shift" in content_type else "")
    names = response.content.decode("cp932" if charset == "shift_jis" else "utf-8-sig").splitlines()[0]
    assert names.startswith("RecordSpec,")


def test_each_representation_has_its_own_tag_and_keeps_it(everything):
    forms = ("json", "ndjson", "csv", "msgpack", "arrow", "parquet", "raw", "pickle")
    tags = {form: everything.data(record="SE", format=form).headers["etag"] for form in forms}
    assert len(set(tags.values())) == len(forms)
    for form, tag in tags.items():
        for other in forms:
            response = everything.data(record="SE", format=other, headers={"if-none-match": tag})
            assert response.status_code == (304 if other == form else 200)


def test_head_of_another_form_has_its_headers(everything):
    got, head = (everything.data(format="raw", method=method) for method in ("GET", "HEAD"))
    names = ("etag", "content-length", "content-type", "content-disposition")
    assert all(head.headers[name] == got.headers[name] for name in names)


@pytest.mark.parametrize(
    ("parameters", "disposition"),
    [
        ({"format": "raw", "record": "SE"}, 'attachment; filename="RACE_20261101000000_SE.jvd"'),
        ({"format": "csv", "record": "SE"}, 'attachment; filename="RACE_20261101000000_SE.csv"'),
        ({"format": "msgpack"}, None),
        ({"format": "json"}, None),
    ],
)
def test_what_is_to_be_saved_comes_with_a_name(everything, parameters, disposition):
    for _ in range(2):
        assert everything.data(**parameters).headers.get("content-disposition") == disposition


def test_real_time_data_has_every_form_too(everything):
    response = everything.data("0B12", key=RACE_KEY, format="raw", record="HR")
    assert response.content == race_day()[4]
    assert response.headers["content-disposition"] == f'attachment; filename="0B12_{RACE_KEY}_HR.jvd"'


@pytest.mark.parametrize("form", ["json", "ndjson", "msgpack", "raw", "pickle"])
def test_following_next_gives_every_record_once(everything, form):
    url, bodies = f"/api/v1/data/RACE?from_time=20261101&limit=2&format={form}", []
    while url:
        response = everything.get(url)
        bodies.append(response)
        url = response.links.get("next", {}).get("url")
    assert len(bodies) == 3
    if form == "raw":
        assert b"".join(page.content for page in bodies) == b"".join(race_day())
    assert len({page.headers["content-type"] for page in bodies}) == 1
    assert set(bodies[1].links) == {"first", "prev", "next"}
    assert set(bodies[2].links) == {"first", "prev"}


def test_links_lead_to_the_same_selection(everything):
    where = ["JyoCD=05,06", "Umaban=1..2"]
    first = everything.data(
        record="SE", where=where, fields="Umaban,Bamei", labels="ja", limit="1", headers=accept(NDJSON)
    )
    for _ in range(2):  # from the route and from the edge
        path = urlsplit(first.links["next"]["url"])
        assert (path.scheme, path.path) == ("", "/api/v1/data/RACE")
        second = everything.get(first.links["next"]["url"])
        record, end = (json.loads(line) for line in second.content.splitlines())
        assert (record, end["end"]["total"]) == ({"Umaban": 2, "Bamei": "アイ"}, 2)


def test_an_older_data_spec_has_its_successor_beside_the_pages(everything):
    links = everything.data("DIFF", limit="1").links
    assert set(links) == {"next", "successor-version"}


@pytest.mark.parametrize(
    ("parameters", "headers", "status", "slug", "said"),
    [
        ({"format": "xml"}, {}, 406, "unknown-format", "json, ndjson, csv, msgpack, arrow, parquet, raw, pickle"),
        ({"format": "CSV"}, {}, 406, "unknown-format", "csv"),
        ({"format": "text/csv"}, {}, 406, "unknown-format", "csv"),
        ({"format": "csv,json"}, {}, 406, "unknown-format", "csv"),
        ({"format": "xml"}, accept("application/json"), 406, "unknown-format", "json"),
        ({"format": ""}, {}, 400, "empty-parameter", "format"),
        ({"format": ["csv", "json"]}, {}, 400, "repeated-parameter", "format once"),
        ({}, accept("text/html"), 406, "not-acceptable", "application/jsonl"),
        ({}, accept("text/csv;charset=euc-jp"), 406, "not-acceptable", "text/csv"),
        ({}, accept("application/json;q=0, text/html"), 406, "not-acceptable", "application/json"),
        ({"format": "csv"}, {}, 406, "one-record-needed", "record=SE"),
        ({"format": "arrow", "record": "RA,SE"}, {}, 406, "one-record-needed", "record=RA, record=SE"),
        (
            {"record": "RA,SE"},
            accept("application/vnd.apache.parquet"),
            406,
            "one-record-needed",
            "record=RA, record=SE",
        ),
        ({"charset": "latin-1"}, {}, 400, "invalid-charset", "utf-8 or utf-8-bom or shift_jis"),
        ({"charset": ""}, {}, 400, "empty-parameter", "charset"),
        ({"charset": "shift_jis", "format": "json"}, {}, 400, "parameter-not-allowed", "charset with format=csv"),
        ({"charset": "shift_jis", "record": "RA,SE"}, {}, 400, "parameter-not-allowed", "format=csv"),
        ({"format": "raw", "fields": "RaceNum"}, {}, 400, "parameter-not-allowed", "fields"),
        ({"format": "raw", "labels": "ja"}, {}, 400, "parameter-not-allowed", "labels with format=json"),
        ({"fields": "Bameii"}, {}, 400, "unknown-field", "Did you mean Bamei"),
        ({"fields": "PayTansyo.Pai"}, {}, 400, "unknown-field", "PayTansyo.Pay"),
        ({"where": "RaceNumm=1"}, {}, 400, "unknown-field", "Did you mean RaceNum"),
        ({"where": "Bamei=1"}, {}, 400, "unknown-field", "selected by"),
        ({"where": "RaceNum"}, {}, 400, "invalid-where", "Field=value"),
        ({"where": "RaceNum=x"}, {}, 400, "invalid-where", "a whole number"),
        ({"where": ""}, {}, 400, "empty-parameter", "where"),
        ({"where": "JyoCD=05|RACE"}, {}, 400, "invalid-where", "2 characters"),
        ({"where": "JyoCD=05&limit=1"}, {}, 400, "invalid-where", "2 characters"),
        ({"where": ["RaceNum=1"] * 21}, {}, 400, "invalid-where", "20 conditions"),
        ({"where": ["KaisaiDate=20261115", "Umaban=1"]}, {}, 400, "invalid-where", "together"),
        ({"record": "WF", "where": "RaceNum=1"}, {}, 400, "unknown-field", "KaisaiDate"),
    ],
    ids=str,
)
def test_what_cannot_be_given_is_told_with_what_can(everything, parameters, headers, status, slug, said):
    document = is_problem(everything.data(headers=headers, **parameters), status, slug)
    assert said in document["detail"]


def test_a_pickle_is_not_given_unless_it_is_switched_on(web):
    assert "pickle" not in is_problem(web.data(format="pickle"), 406, "unknown-format")["allowed"]
    is_problem(web.data(headers=accept("application/x-python-pickle")), 406, "not-acceptable")


@pytest.mark.parametrize("route", ["data", "stream"])
@pytest.mark.parametrize(
    ("parameters", "headers", "status", "slug", "said"),
    [
        ({"format": "csv"}, {}, 406, "one-record-needed", "record=SE"),
        ({"format": "arrow", "record": "HR,SE"}, {}, 406, "one-record-needed", "record=HR, record=SE"),
        ({}, accept("text/csv"), 406, "one-record-needed", "record=SE"),
        ({"format": "csv", "record": "O6"}, {}, 406, "too-many-columns", "fields="),
        ({"record": "O6"}, accept("text/csv"), 406, "too-many-columns", "another format"),
        ({"format": "csv", "record": "SE", "fields": "Bameii"}, {}, 400, "unknown-field", "Did you mean Bamei"),
        ({"format": "csv", "record": "SE", "labels": "ja"}, {}, 400, "parameter-not-allowed", "labels with format="),
        ({"format": "arrow", "record": "SE", "raw": "1"}, {}, 400, "parameter-not-allowed", "raw with format="),
        ({"format": "arrow", "record": "SE", "charset": "utf-8-bom"}, {}, 400, "parameter-not-allowed", "format=csv"),
        ({"format": "json", "charset": "shift_jis"}, {}, 400, "parameter-not-allowed", "format=csv"),
        ({"charset": "shift_jis"}, {}, 400, "parameter-not-allowed", "format=csv"),
        ({"format": "table"}, accept("application/json"), 406, "unknown-format", "ndjson"),
    ],
    ids=str,
)
def test_nothing_is_read_for_what_is_refused(everything, route, parameters, headers, status, slug, said):
    before = everything.figure("jvgate_source_opens_total")
    url, given = f"/api/v1/{route}/RACE", {"from_time": "20260901"} | parameters
    document = is_problem(everything.get(url, params=given, headers=headers), status, slug)
    assert said in document["detail"]
    assert everything.head(url, params=given, headers=headers).status_code == status
    assert everything.figure("jvgate_source_opens_total") == before
    assert everything.get(url, params={"from_time": "20261101"}).status_code == 200


@pytest.mark.parametrize("record", ["O6", "RA,SE"])
@pytest.mark.parametrize("media", ["text/csv, application/json;q=0.1", "text/*, */*;q=0.1"])
def test_what_cannot_be_a_table_comes_in_the_next_form_that_is_liked(everything, media, record):
    assert everything.data(record=record, headers=accept(media)).headers["content-type"] == "application/json"


def test_conditions_are_part_of_the_question(everything):
    counts = {
        where: everything.data(where=where).json()["meta"]["total"] for where in ("Umaban=1", "Umaban=1..2", "Umaban=9")
    }
    assert counts == {"Umaban=1": 1, "Umaban=1..2": 2, "Umaban=9": 0}
    assert everything.data(where="Umaban=01").headers["etag"] == everything.data(where="Umaban=1").headers["etag"]
