"""Every format of an answer: the same values as the JSON's, under its own name, with the proof of its end."""

import csv
import io
import json
from dataclasses import replace

import pytest

from jvgate.errors import DatasetTooLarge
from jvgate.question.parsing import parameters_of, parse_question
from jvgate.render.answers import render
from jvgate.render.formats.registry import FORMATS, charsets
from jvgate.render.formats.writers import RecordWriter
from jvgate.render.negotiation import check, refusal
from tests.raceday import GARBAGE, dataset, race_day, record
from tests.render.asking import MIXED, UNKNOWN, WORDS, answer, as_json, question
from tests.specs import JRA


@pytest.mark.parametrize("word", [word for word in WORDS if word != "pickle"])  # counts the values that it holds
def test_an_answer_may_have_as_many_bytes_as_the_limit_and_not_one_more(word):
    asked = question(record="SE", format=word)
    datasets = [dataset(*MIXED, query=asked.queries[0])]
    body = render(asked, datasets, JRA).answer.body
    assert render(asked, datasets, JRA, limit_bytes=len(body)).answer.body == body
    with pytest.raises(DatasetTooLarge) as error:
        render(asked, datasets, JRA, limit_bytes=len(body) - 1)
    assert (error.value.limit_bytes, error.value.is_rendered) == (len(body) - 1, True)


@pytest.mark.parametrize("word", [word for word in WORDS if word != "parquet"])  # its files are far smaller
def test_rendering_ends_soon_after_the_limit(word, monkeypatch):
    rendered = []
    monkeypatch.setattr(RecordWriter, "write_item", noting(rendered, RecordWriter.write_item))
    asked = question(record="SE", format=word)
    many = b"".join([record("SE", Umaban=number % 18 + 1) for number in range(2000)])
    with pytest.raises(DatasetTooLarge):
        render(asked, [dataset(*[many] * 20, query=asked.queries[0])], JRA, limit_bytes=100_000)
    assert sum(item.count for item in rendered) <= 10_000  # of 40,000; a table holds back up to 8192 rows


def noting(noted, write_item):
    return lambda writer, item: noted.append(item) or write_item(writer, item)


def column(body, name):
    """The values under *name* in a CSV."""
    return [row[name] for row in csv.DictReader(io.StringIO(body.decode()))]


def test_a_table_holds_records_of_every_generation_and_none_of_an_unknown_length():
    old, new = record("UM", length=1577, KettoNum="1" * 10), record("UM", KettoNum="2" * 10)
    longer = new[:-2] + b"new field\r\n"
    given = {"dataspec": "DIFN", "record": "UM", "format": "csv", "fields": "KettoNum"}
    body = answer(old, old, new, longer, new, **given).body
    assert column(body, "KettoNum") == ["1" * 10] * 2 + ["2" * 10] * 2


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
def test_a_table_of_nothing_is_one(form):
    assert answer(format=form, record="SE").body


def test_a_run_that_is_cut_gives_the_same_table():
    given = {"format": "csv", "record": "SE", "fields": "Umaban,Bamei"}
    runners = [record("SE", Umaban=3)] * 9
    whole = answer(*runners, **given).body
    assert answer(*runners[:2], record("RA"), *runners[2:], GARBAGE, **given).body == whole


def test_conditions_and_pages_hold_for_tables_too():
    given = {"format": "csv", "record": "SE", "fields": "Umaban"}
    assert column(answer(*race_day(), where="Umaban=2..", limit="1", **given).body, "Umaban") == ["2"]


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
@pytest.mark.parametrize("unfit", [{"labels": "ja"}, {"raw": "1"}])
def test_a_table_has_no_words_beside_its_codes(form, unfit):
    error = refusal(question(format=form, record="SE", **unfit), JRA)
    assert (error.slug, error.parameter) == ("parameter-not-allowed", next(iter(unfit)))


@pytest.mark.parametrize(
    ("parameters", "content_type"),
    [
        ({}, "application/json"),
        ({"format": "ndjson"}, "application/x-ndjson"),
        ({"format": "msgpack"}, "application/msgpack"),
        ({"format": "raw"}, "application/octet-stream"),
        ({"format": "pickle"}, "application/x-python-pickle"),
        ({"format": "csv", "record": "SE"}, "text/csv; charset=utf-8"),
        ({"format": "csv", "record": "SE", "charset": "utf-8-bom"}, "text/csv; charset=utf-8"),
        ({"format": "csv", "record": "SE", "charset": "shift_jis"}, "text/csv; charset=shift_jis"),
        ({"format": "arrow", "record": "SE"}, "application/vnd.apache.arrow.stream"),
        ({"format": "parquet", "record": "SE"}, "application/vnd.apache.parquet"),
    ],
)
def test_every_form_says_what_it_is(parameters, content_type):
    assert answer(*race_day(), **parameters).content_type == content_type


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"format": "raw"}, "RACE_20261101000000.jvd"),
        ({"format": "raw", "record": "SE,RA", "to_time": "20261108"}, "RACE_20261101000000-20261108000000_RA_SE.jvd"),
        ({"format": "csv", "record": "SE"}, "RACE_20261101000000_SE.csv"),
        ({"format": "arrow", "record": "SE"}, "RACE_20261101000000_SE.arrows"),
        ({"format": "parquet", "record": "SE"}, "RACE_20261101000000_SE.parquet"),
        ({"format": "pickle"}, "RACE_20261101000000.pickle"),
        ({"format": "json"}, ""),
        ({"format": "ndjson"}, ""),
        ({"format": "msgpack"}, ""),
    ],
)
def test_what_is_saved_has_a_name(parameters, name):
    assert answer(**parameters).file_name == name


def test_each_form_has_an_etag_of_its_own_even_of_the_same_bytes(monkeypatch):
    for form in ("raw", "csv", "arrow"):
        monkeypatch.setitem(FORMATS, form, replace(FORMATS[form], answer=Nothing))
    assert len({answer(format=form, record="SE").etag for form in ("raw", "csv", "arrow")}) == 3


class Nothing(RecordWriter):
    def __init__(self, question, spec):
        """Need nothing."""

    def write(self, layout, raw, count):
        return b""

    def write_single(self, frame):
        return b""


def test_a_charset_that_is_the_usual_one_makes_no_other_question():
    parameters = {"record": "SE", "format": "csv"}
    assert check(question(charset="utf-8", **parameters), JRA) == check(question(**parameters), JRA)


def test_the_same_question_gives_the_same_bytes_in_every_form():
    for form in FORMATS:
        assert answer(*race_day(), format=form, record="SE") == answer(*race_day(), format=form, record="SE")


@pytest.mark.parametrize(
    ("parameters", "pages"),
    [
        ({}, {}),
        ({"offset": "2"}, {}),
        ({"limit": "0"}, {}),
        ({"limit": "6"}, {}),
        ({"limit": "2"}, {"next": (2, 2)}),
        ({"limit": "2", "offset": "2"}, {"first": (0, 2), "prev": (0, 2), "next": (4, 2)}),
        ({"limit": "2", "offset": "4"}, {"first": (0, 2), "prev": (2, 2)}),
        ({"limit": "4", "offset": "3"}, {"first": (0, 4), "prev": (0, 3)}),
        ({"limit": "2", "record": "SE"}, {"next": (2, 2)}),
        ({"limit": "3", "record": "SE"}, {}),
        ({"limit": "1", "where": "Umaban=2..3"}, {"next": (1, 1)}),
    ],
)
@pytest.mark.parametrize("form", ["json", "ndjson", "raw"])
def test_a_page_knows_the_pages_around_it(parameters, pages, form):
    told = answer(*race_day(), format=form, **parameters).pages
    assert {name: (page.selection.offset, page.selection.limit) for name, page in told} == pages
    assert {page.selection.format for _, page in told} <= {form}


def test_following_the_pages_gives_everything_once():
    asked, seen = question(limit="4", where="JyoCD=05"), []
    while asked is not None:
        page = render(asked, [dataset(*race_day())], JRA).answer
        seen += json.loads(page.body)["data"]
        asked = dict(page.pages).get("next")
    assert seen == as_json(*race_day())["data"]


@pytest.mark.parametrize(
    ("dataspec", "parameters"),
    [
        ("RACE", {"record": "SE,RA", "where": ["RaceNum=9..12", "JyoCD=05,06"], "limit": "5", "offset": "10"}),
        ("RACE", {"fields": "Umaban,Bamei", "labels": "ja", "option": "2", "to_time": "20261108123456"}),
        ("RACE", {"record": "SE", "format": "csv", "charset": "shift_jis", "where": "ChakusaCD= 12"}),
        ("RACE", {"record": "RA", "where": ["date=20261101..", "HassoTime=1540"], "raw": "1"}),
        ("RACE", {"where": ["ZogenFugo=+", "Odds=..9.9"]}),
        ("RACEDIFN", {"record": "RA,UM", "format": "raw"}),
        ("TCVNRACE", {}),
        ("0B12", {"from_time": [], "key": "20261115", "format": "ndjson"}),
    ],
)
def test_a_question_is_asked_again_by_its_own_parameters(dataspec, parameters):
    texts = {"from_time": ["20261101"]} | {
        name: value if isinstance(value, list) else [value] for name, value in parameters.items()
    }
    asked = parse_question(
        dataspec,
        {name: values for name, values in texts.items() if values},
        JRA,
        formats=WORDS,
        charsets=charsets(WORDS),
    )
    again: dict[str, list[str]] = {}
    for name, value in parameters_of(asked):
        again.setdefault(name, []).append(value)
    assert parse_question(dataspec, again, JRA, formats=WORDS, charsets=charsets(WORDS)) == asked


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
def test_a_table_of_several_types_is_refused_with_the_choice(form):
    error = refusal(question(format=form, record="RA,SE"), JRA)
    assert (error.slug, error.parameter, error.allowed) == ("one-record-needed", "record", "record=RA, record=SE")
    assert "record=WF" in refusal(question(format=form), JRA).allowed


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
def test_a_table_of_one_type_needs_no_choice(form):
    assert refusal(question(format=form, record="SE"), JRA) is None
    assert refusal(question("YSCH", format=form), JRA) is None  # it delivers one type only


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"format": "raw", "fields": "Umaban"}, "fields"),
        ({"format": "raw", "labels": "ja"}, "labels"),
        ({"format": "raw", "raw": "1"}, "raw"),
        ({"format": "raw", "charset": "shift_jis"}, "charset"),
        ({"format": "json", "charset": "shift_jis"}, "charset"),
        ({"charset": "utf-8-bom"}, "charset"),
        ({"format": "json", "charset": "utf-8"}, None),
        ({"format": "raw", "record": "SE", "limit": "1", "where": "Umaban=1"}, None),
        ({"format": "csv", "record": "SE", "charset": "utf-8-bom"}, None),
    ],
)
def test_what_a_form_cannot_show_is_refused(parameters, refused):
    error = refusal(question(**parameters), JRA)
    assert (error and error.parameter) == refused
    assert error is None or error.slug == "parameter-not-allowed"


def test_every_form_goes_by_names_of_its_own():
    names = [media for form in FORMATS.values() for media in form.media_types]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("where", "counts", "left_out"),
    [
        ("JyoCD=05", {"HR": 1, "O1": 1, "RA": 1, "SE": 3}, "ZZ"),
        ("JyoCD=06", {}, "all"),
        ("Umaban=2", {"SE": 1}, "RA"),
        ("Umaban=2..", {"SE": 2}, "HR"),
        ("Kyori=0..9999", {}, "SE"),
    ],
)
def test_only_records_that_meet_the_condition_are_counted_and_shown(where, counts, left_out):
    found = as_json(*race_day(), UNKNOWN, where=where)
    assert found["meta"]["record_counts"] == counts
    assert found["meta"]["total"] == found["meta"]["returned"] == len(found["data"]) == sum(counts.values())
    assert left_out not in {shown["RecordSpec"] for shown in found["data"]}


def test_all_conditions_must_hold():
    assert as_json(*race_day(), where=["Umaban=2", "JyoCD=05"])["meta"]["total"] == 1
    assert as_json(*race_day(), where=["Umaban=2", "Umaban=3"])["meta"]["total"] == 0


def test_what_is_lost_is_told_whatever_the_condition():
    meta = as_json(record("RA"), GARBAGE, record("HR"), where="JyoCD=06")["meta"]
    assert (meta["lost_bytes"], meta["file_count"]) == (len(GARBAGE), 1)
