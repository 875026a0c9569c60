"""What a client asks as text: read into queries and a selection, or refused with what would be right."""

import pytest

from jvgate.errors import QueryError
from jvgate.question.parameters import PARAMETERS
from jvgate.question.parsing import parse_question
from jvgate.spec.conditions import Condition, Span
from jvgate.values import Query, Selection
from tests.specs import JRA

MAX_CONDITIONS = PARAMETERS["where"].max_values
MAX_LIMIT = PARAMETERS["limit"].type.maximum
CHARSETS = ("utf-8", "utf-8-bom", "shift_jis")
FROM = "20261101"
RACE_KEY = "202611150511"
EVENT = "WE20261115050020261115060000"


def ask(dataspec="RACE", **parameters):
    """Parse; a parameter is a text or a list of texts, None leaves it out, and from_time has a right default."""
    if not dataspec.startswith("0B"):
        parameters = {"from_time": FROM} | parameters
    given = {name: [value] if isinstance(value, str) else value for name, value in parameters.items()}
    asked = {name: value for name, value in given.items() if value is not None}
    return parse_question(dataspec, asked, JRA, formats=("json",), charsets=CHARSETS)


def refusal(dataspec="RACE", **parameters):
    with pytest.raises(QueryError) as caught:
        ask(dataspec, **parameters)
    return caught.value


@pytest.mark.parametrize(
    ("dataspec", "parameters", "query"),
    [
        ("RACE", {}, Query("RACE", "20261101000000", option=1)),
        ("RACE", {"from_time": "20261101123456"}, Query("RACE", "20261101123456", option=1)),
        ("RACE", {"to_time": "20261108"}, Query("RACE", "20261101000000", "20261108000000", 1)),
        ("RACE", {"option": "4"}, Query("RACE", "20261101000000", option=4)),
        ("RACE", {"record": "SE,RA"}, Query("RACE", "20261101000000", option=1, records=("RA", "SE"))),
        ("TCVN", {}, Query("TCVN", "20261101000000", option=2)),
        ("0B12", {"key": "20261115"}, Query("0B12", key="20261115")),
        ("0B12", {"key": RACE_KEY, "record": "HR"}, Query("0B12", key=RACE_KEY, records=("HR",))),
        ("0B30", {"key": "2026111505050411"}, Query("0B30", key="2026111505050411")),
        ("0B15", {"key": "20261115G001"}, Query("0B15", key="20261115G001")),
        ("0B16", {"key": EVENT}, Query("0B16", key=EVENT)),
    ],
)
def test_a_right_question_becomes_its_query(dataspec, parameters, query):
    assert ask(dataspec, **parameters).queries == (query,)


@pytest.mark.parametrize(
    ("parameters", "selection"),
    [
        ({}, Selection()),
        ({"record": ["SE", "RA,SE"]}, Selection(records=("RA", "SE"))),
        ({"fields": ["Umaban,Bamei", "Umaban"]}, Selection(fields=("Bamei", "Umaban"))),
        ({"record": "HR", "fields": "PayTansyo.Pay"}, Selection(records=("HR",), fields=("PayTansyo.Pay",))),
        ({"limit": "0", "offset": "10"}, Selection(limit=0, offset=10)),
        ({"limit": str(MAX_LIMIT)}, Selection(limit=MAX_LIMIT)),
        ({"raw": "1"}, Selection(raw=True)),
        ({"raw": "false", "labels": "ja"}, Selection(labels="ja")),
        ({"labels": "en", "format": "json"}, Selection(labels="en")),
        ({"where": "RaceNum=11"}, Selection(where=(Condition("RaceNum", (Span(11, 11),)),))),
        (
            {"where": ["RaceNum=9..", "JyoCD=06,05"]},
            Selection(
                where=(
                    Condition("JyoCD", (Span("05", "05"), Span("06", "06"))),
                    Condition("RaceNum", (Span(9, None),)),
                )
            ),
        ),
        ({"charset": "utf-8"}, Selection(charset="utf-8")),
        ({"offset": "1000000"}, Selection(offset=1_000_000)),
        ({"charset": "utf-8-bom"}, Selection(charset="utf-8-bom")),
        ({"charset": "shift_jis"}, Selection(charset="shift_jis")),
    ],
)
def test_how_it_is_shown_becomes_the_selection(parameters, selection):
    assert ask(**parameters).selection == selection


@pytest.mark.parametrize("spec", JRA.dataspecs.values(), ids=lambda spec: spec.id)
def test_every_data_spec_can_be_asked_for_with_every_record_and_form_it_has(spec):
    keys = {8: "20261115", 12: RACE_KEY, 16: "2026111505050411", 28: EVENT}
    records = list(spec.record_types)
    for form in spec.key_forms:
        assert ask(spec.id, key=keys[len(form.split()[-1])], record=records).queries[0].is_realtime
    for option in spec.options:
        assert ask(spec.id, option=str(option), record=records).queries[0].option == option


@pytest.mark.parametrize(
    ("dataspec", "slug", "allowed"),
    [
        ("NOPE", "unknown-dataspec", "RACE, DIFF"),
        ("race", "unknown-dataspec", "RACE"),
        ("", "unknown-dataspec", "RACE"),
        ("RA", "unknown-dataspec", "RACE"),
        ("RACEDIF", "unknown-dataspec", "may be joined (RACEDIFN)"),
        ("RACENOPE", "unknown-dataspec", "0B12"),
        ("RACE,DIFN", "unknown-dataspec", "RACEDIFN"),
        ("RACE\0", "unknown-dataspec", "RACE"),
        ("ＲＡＣＥ", "unknown-dataspec", "RACE"),
        ("RACERACE", "invalid-dataspec", "different stored data specs"),
        ("RACEDIFNRACE", "invalid-dataspec", "different stored data specs"),
        ("RACE0B12", "invalid-dataspec", "one real-time data spec by itself"),
        ("0B120B15", "invalid-dataspec", "one real-time data spec by itself"),
    ],
)
def test_a_data_spec_that_is_none_is_refused(dataspec, slug, allowed):
    error = refusal(dataspec, from_time=FROM)
    assert (error.slug, error.parameter, error.value) == (slug, "dataspec", dataspec)
    assert allowed in error.allowed


@pytest.mark.parametrize(
    ("parameters", "slug", "parameter", "allowed"),
    [
        ({"from_time": None}, "invalid-from-time", "from_time", "YYYYMMDDhhmmss"),
        ({"from_time": ""}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "2026-11-01"}, "invalid-from-time", "from_time", "20260501"),
        ({"from_time": "2026110112"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "20261101\n"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "２０２６１１０１"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "20260230"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "20261101240000"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "00000000"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"from_time": "20261101-20261108"}, "invalid-from-time", "from_time", "YYYYMMDD"),
        ({"to_time": "tomorrow"}, "invalid-to-time", "to_time", "YYYYMMDD"),
        ({"to_time": "20261301"}, "invalid-to-time", "to_time", "YYYYMMDD"),
        ({"to_time": "20261031"}, "invalid-to-time", "to_time", "later than from_time"),
        ({"to_time": FROM}, "invalid-to-time", "to_time", "later than from_time"),
        ({"option": "0"}, "invalid-option", "option", "1, 2, 3, 4"),
        ({"option": "5"}, "invalid-option", "option", "1, 2, 3, 4"),
        ({"option": "1.0"}, "invalid-option", "option", "1, 2, 3, 4"),
        ({"option": "１"}, "invalid-option", "option", "1, 2, 3, 4"),
        ({"key": RACE_KEY}, "parameter-not-allowed", "key", "from_time, to_time, option"),
        ({"record": "ZZ"}, "unknown-record", "record", "RA, SE, HR"),
        ({"record": "RA,UM"}, "unknown-record", "record", "RA, SE, HR"),
        ({"record": "ra"}, "unknown-record", "record", "RA, SE, HR"),
        ({"fields": "Bamei,Bameii"}, "unknown-field", "fields", "Bamei"),
        ({"fields": "PayTansyo.Umaban.x"}, "unknown-field", "fields", "BaTaijyu, Bamei"),
        ({"record": "RA", "fields": "Bamei"}, "unknown-field", "fields", "Hondai"),
        ({"limit": "-1"}, "invalid-limit", "limit", "0 to 1000000"),
        ({"limit": "1000001"}, "invalid-limit", "limit", "0 to 1000000"),
        ({"limit": "9" * 5000}, "invalid-limit", "limit", "0 to 1000000"),
        ({"limit": "ten"}, "invalid-limit", "limit", "0 to 1000000"),
        ({"limit": "１０"}, "invalid-limit", "limit", "0 to 1000000"),
        ({"limit": ""}, "invalid-limit", "limit", "0 to 1000000"),
        ({"offset": "1e3"}, "invalid-offset", "offset", "0 to 999999999999"),
        ({"offset": "-0"}, "invalid-offset", "offset", "0 to 999999999999"),
        ({"raw": "yes"}, "invalid-raw", "raw", "1, true, 0, false"),
        ({"labels": "fr"}, "invalid-labels", "labels", "ja or en"),
        ({"labels": "ja", "raw": "1"}, "invalid-labels", "labels", "not both"),
        ({"format": "csv"}, "unknown-format", "format", "json"),
        ({"format": "JSON"}, "unknown-format", "format", "json"),
        ({"charset": "sjis"}, "invalid-charset", "charset", "utf-8 or utf-8-bom or shift_jis"),
        ({"where": "JyoCD"}, "invalid-where", "where", "Field=value"),
        ({"where": "JyoCD=5"}, "invalid-where", "where", "a code of 2 characters"),
        ({"where": "jyocd=05"}, "unknown-field", "where", "JyoCD"),
        ({"where": "Bamei=x"}, "unknown-field", "where", "Barei"),
        ({"where": "LapTime=12.8"}, "unknown-field", "where", "Time"),
        ({"where": "=05"}, "unknown-field", "where", "JyoCD"),
        ({"where": "x" * 4000}, "invalid-where", "where", "Field=value"),
        ({"where": ["RaceNum=1"] * (MAX_CONDITIONS + 1)}, "invalid-where", "where", "20 conditions at most"),
        ({"where": ["KaisaiDate=20261115", "RaceNum=1"]}, "invalid-where", "where", "one record type"),
        ({"record": "WF", "where": "date=20261115"}, "unknown-field", "where", "KaisaiDate"),
        ({"colour": "red"}, "unknown-parameter", "colour", "from_time, to_time, option, record"),
        ({"FROM_TIME": FROM}, "unknown-parameter", "FROM_TIME", "from_time"),
        ({"": ""}, "unknown-parameter", "", "from_time"),
    ],
)
def test_a_wrong_parameter_of_stored_data_is_refused(parameters, slug, parameter, allowed):
    error = refusal("RACE", **parameters)
    assert (error.slug, error.parameter) == (slug, parameter)
    assert allowed in error.allowed
    assert error.allowed in str(error)


@pytest.mark.parametrize(
    ("dataspec", "parameters", "slug", "parameter", "allowed"),
    [
        ("0B12", {}, "invalid-key", "key", "YYYYMMDD or YYYYMMDDJJRR"),
        ("0B12", {"key": ""}, "invalid-key", "key", "YYYYMMDD"),
        ("0B12", {"key": "2026111"}, "invalid-key", "key", "YYYYMMDD"),
        ("0B12", {"key": "20261332"}, "invalid-key", "key", "YYYYMMDD"),
        ("0B12", {"key": "20261115XX"}, "invalid-key", "key", "YYYYMMDDJJRR"),
        ("0B12", {"key": "202611159911"}, "invalid-key", "key", "table 2001"),
        ("0B12", {"key": "202611150011"}, "invalid-key", "key", "table 2001"),
        ("0B12", {"key": "20261115051\n"}, "invalid-key", "key", "YYYYMMDDJJRR"),
        ("0B12", {"key": "../../../../etc/x"[:12]}, "invalid-key", "key", "YYYYMMDDJJRR"),
        ("0B12", {"key": EVENT}, "invalid-key", "key", "YYYYMMDDJJRR"),
        ("0B31", {"key": "20261115"}, "invalid-key", "key", "YYYYMMDDJJRR or YYYYMMDDJJKKHHRR"),
        ("0B14", {"key": RACE_KEY}, "invalid-key", "key", "YYYYMMDD"),
        ("0B16", {"key": RACE_KEY}, "invalid-key", "key", "TTYYYYMMDDJJRR"),
        ("0B16", {"key": EVENT[:-2] + "99"}, "invalid-key", "key", "YYYYMMDDhhmmss"),
        ("0B12", {"key": RACE_KEY, "from_time": FROM}, "parameter-not-allowed", "from_time", "key, record"),
        ("0B12", {"key": RACE_KEY, "to_time": FROM}, "parameter-not-allowed", "to_time", "key, record"),
        ("0B12", {"key": RACE_KEY, "option": "1"}, "parameter-not-allowed", "option", "key, record"),
        ("0B12", {"key": RACE_KEY, "record": "O1"}, "unknown-record", "record", "RA, SE, HR"),
        ("0B12", {"key": [RACE_KEY, RACE_KEY]}, "repeated-parameter", "key", "key once"),
        ("TOKU", {"to_time": "20261108"}, "invalid-to-time", "to_time", "from_time alone"),
        ("TCVN", {"option": "1"}, "dataspec-option-mismatch", "option", "2"),
        ("DIFN", {"option": "2"}, "dataspec-option-mismatch", "option", "1, 3, 4"),
        ("RACEDIFN", {"option": "2"}, "dataspec-option-mismatch", "option", "1, 3, 4"),
        ("RACEDIFN", {"to_time": "20261108"}, "invalid-to-time", "to_time", "from_time alone"),
        ("RACEDIFN", {"record": "O1,HN"}, "unknown-record", "record", "UM"),
    ],
)
def test_what_a_data_spec_does_not_take_is_refused(dataspec, parameters, slug, parameter, allowed):
    error = refusal(dataspec, **parameters)
    assert (error.slug, error.parameter) == (slug, parameter)
    assert allowed in error.allowed


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - {"record", "fields", "where", "key"}))
def test_only_lists_may_be_repeated(name):
    error = refusal(**{name: ["1", "1"]})
    assert (error.slug, error.parameter) == ("repeated-parameter", name)
    assert f"{name} once" in error.allowed


def test_an_unknown_field_gets_its_neighbours_and_not_the_whole_catalogue():
    assert "KisyuCode" in refusal(fields="kisyucode").allowed
    assert len(refusal(fields="x" * 4000).allowed) < 4000


@pytest.mark.parametrize(
    ("parameter", "given", "meant"),
    [
        ("fields", "Bameii", "Did you mean Bamei"),
        ("fields", "kisyucode", "Did you mean KisyuCode"),
        ("fields", "PayTansyou.Pay", "Did you mean PayTansyo.Pay"),
        ("where", "RaceNo=1", "Did you mean RaceNum"),
        ("where", "JyoCode=05", "Did you mean JyoCD"),
    ],
)
def test_what_was_most_likely_meant_is_offered_first(parameter, given, meant):
    error = refusal(**{parameter: given})
    assert meant in str(error)
    assert error.allowed.startswith(meant.split()[-1])


def test_what_resembles_nothing_gets_the_list_alone():
    assert "Did you mean" not in str(refusal(fields="xyzzy"))


def test_a_condition_needs_the_field_in_one_of_the_wanted_types_only():
    assert ask(record="RA,SE", where="Kyori=2400").selection.where
    assert ask(where=["KaisaiDate=20261115"]).selection.where


@pytest.mark.parametrize("forged", ["05|RACE", "05&limit=1", "05&offset=5", "05,06|x", "05:RA", "05\n06", "05=06"])
def test_a_condition_cannot_look_like_another_part_of_the_question(forged):
    assert refusal(where=f"JyoCD={forged}").slug == "invalid-where"


@pytest.mark.parametrize("name", ["Hondai", "Bamei"])
def test_a_field_of_one_wanted_record_is_enough(name):
    assert ask(record="RA,SE", fields=name).selection.fields == (name,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"from_time": "20261101"}, {"from_time": "20261101000000"}),
        ({}, {"option": "1"}),
        ({"record": "SE,RA"}, {"record": ["RA", "SE", "RA"]}),
        ({"fields": "Umaban,Bamei"}, {"fields": ["Bamei", "Umaban"]}),
        ({"offset": "0", "raw": "0", "format": "json"}, {}),
        ({"limit": "010"}, {"limit": "10"}),
        ({"raw": "true"}, {"raw": "1"}),
        ({"to_time": "20261108"}, {"to_time": "20261108000000"}),
        ({"where": ["RaceNum=11", "JyoCD=05"]}, {"where": ["JyoCD=05", "RaceNum=011", "JyoCD=05"]}),
        ({"where": "date=20261114..20261115"}, {"where": "date=2026-11-14..2026-11-15"}),
    ],
)
def test_the_same_question_in_another_spelling_has_the_same_key(one, other):
    assert str(ask(**one)) == str(ask(**other))


@pytest.mark.parametrize(
    "parameters",
    [
        {"from_time": "20261102"}, {"to_time": "20261108"}, {"option": "2"}, {"record": "RA"}, {"fields": "Bamei"},
        {"limit": "10"}, {"limit": "0"}, {"offset": "10"}, {"raw": "1"}, {"labels": "ja"}, {"labels": "en"},
        {"where": "JyoCD=05"}, {"where": "date=20261115"}, {"charset": "shift_jis"},
    ],
)  # fmt: skip
def test_another_question_has_another_key(parameters):
    assert str(ask(**parameters)) != str(ask())


def test_the_canonical_text_of_a_query_can_be_read():
    question = ask(to_time="20261108", record="SE,RA", limit="10", labels="ja")
    assert str(question.queries[0]) == "jra:RACE:20261101000000-20261108000000:1:RA+SE"
    assert str(question) == "RACE|jra:RACE:20261101000000-20261108000000:1:RA+SE|json&record=RA+SE&limit=10&labels=ja"
    assert str(ask("0B12", key=RACE_KEY).queries[0]) == f"jra:0B12:{RACE_KEY}"


def test_all_records_by_name_are_the_query_for_all_records():
    everything = ask(record=list(JRA.dataspecs["RACE"].record_types))
    assert everything.queries == ask().queries


def test_a_joined_question_is_one_query_for_each_data_spec():
    race, difn = ask("RACEDIFN", record="RA,HR,UM").queries
    assert (race.dataspec, race.records) == ("RACE", ("HR", "RA"))
    assert (difn.dataspec, difn.records) == ("DIFN", ("RA", "UM"))


def test_a_joined_data_spec_that_delivers_nothing_wanted_is_not_opened():
    assert [query.dataspec for query in ask("RACEDIFN", record="HR").queries] == ["RACE"]


@pytest.mark.parametrize("name", ["record", "where", "fields", "labels", "format", "charset"])
def test_a_parameter_without_a_value_is_refused(name):
    with pytest.raises(QueryError) as caught:
        parse_question("RACE", {"from_time": ["20261101"], name: [""]}, JRA, formats=("json",))
    assert (caught.value.slug, caught.value.parameter) == ("empty-parameter", name)
