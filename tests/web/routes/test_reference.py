"""The reference: data specs, record layouts and code tables, complete, in both languages, with an ETag of their own."""

import re

import pytest

from jvgate.records.decode import decode
from tests.raceday import record
from tests.specs import JRA

LISTS = {"dataspecs": "dataspec", "records": "record", "codes": "table"}


@pytest.mark.parametrize("name", LISTS)
def test_every_item_of_a_list_has_a_page_of_its_own(web, name):
    items = web.get(f"/api/v1/{name}").json()[name]
    for item in items:
        assert web.get(f"/api/v1/{name}/{item[LISTS[name]]}").status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_every_item_of_a_list_is_titled_in_both_languages(web, name):
    items = web.get(f"/api/v1/{name}").json()[name]
    assert all(item["title_ja"] and item["title_en"] for item in items)
    assert len({item[LISTS[name]] for item in items}) == len(items)


def test_the_lists_are_complete(web):
    found = {name: {item[key] for item in web.get(f"/api/v1/{name}").json()[name]} for name, key in LISTS.items()}
    assert found == {"dataspecs": set(JRA.dataspecs), "records": set(JRA.layouts.types), "codes": set(JRA.code_tables)}


def test_a_data_spec_tells_how_it_is_asked_for(web):
    specs = {spec["dataspec"]: spec for spec in web.get("/api/v1/dataspecs").json()["dataspecs"]}
    assert (specs["RACE"]["family"], specs["RACE"]["options"]) == ("stored", [1, 2, 3, 4])
    assert (specs["0B31"]["family"], specs["0B31"]["key_forms"][0]) == ("real_time", "YYYYMMDDJJRR")
    assert (specs["TOKU"]["to_time_allowed"], specs["DIFF"]["replaced_by"]) == (False, "DIFN")
    assert "delivery" in web.get("/api/v1/dataspecs/RACE").json()


@pytest.mark.parametrize("kind", JRA.layouts.types)
def test_a_record_page_tells_every_field_of_every_layout(web, kind):
    page = web.get(f"/api/v1/records/{kind}").json()
    assert [layout["length"] for layout in page["layouts"]] == list(JRA.layouts.lengths(kind))
    for told, layout in zip(page["layouts"], JRA.layouts.generations(kind), strict=True):
        assert [field["name"] for field in told["fields"]] == [field.key for field in layout.fields]
        assert all(field["label_ja"] and field["label_en"] for field in told["fields"])


def test_the_names_of_the_reference_are_those_of_the_answers(web):
    told = {field["name"] for field in web.get("/api/v1/records/SE").json()["layouts"][0]["fields"]}
    shown = {name.removesuffix("Mark") for name in decode(record("SE"), JRA.layouts)}
    assert shown <= told


def test_a_code_table_tells_every_code_in_both_languages(web):
    page = web.get("/api/v1/codes/2001").json()
    codes = {row["code"]: (row["ja"], row["en"]) for row in page["codes"]}
    assert set(codes) == set(JRA.code_tables["2001"].rows)
    assert codes["05"] == ("東京競馬場", "Tokyo")


@pytest.mark.parametrize("path", ["dataspecs", "dataspecs/RACE", "records", "records/SE", "codes", "codes/2001"])
def test_the_reference_is_cached_by_its_etag(web, path):
    first = web.get(f"/api/v1/{path}")
    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["etag"])
    assert (first.headers["cache-control"], "Accept" in first.headers["vary"]) == ("max-age=86400", True)
    again = web.get(f"/api/v1/{path}", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.parametrize("path", ["dataspecs", "records/SE", "codes/2001"])
def test_head_of_a_page_has_its_headers_alone(web, path):
    head, got = web.head(f"/api/v1/{path}"), web.get(f"/api/v1/{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["etag"], head.headers["content-length"]) == (got.headers["etag"], str(len(got.content)))
