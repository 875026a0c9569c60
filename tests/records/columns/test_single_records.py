"""Rows of single records: days, errors of the fields shown, and dictionaries beside nulls."""

from dataclasses import replace
from datetime import date

import pyarrow as pa

from jvgate.records.columns.schema import arrow_schema
from jvgate.records.columns.single_records import batch_of, row_maker
from tests.records.fields import member
from tests.specs import JRA

WORD = pa.dictionary(pa.int8(), pa.string())
ERRORS = [{"field": "Umaban", "why": "a"}, {"field": "ChakuUmaInfo.Bamei", "why": "b"}]


def row_of(record, values, tree):
    return row_maker(JRA.layouts.current(record).fields, tree)(values)


def test_days_are_dates_and_other_values_stay():
    row = row_of("SE", {"MakeDate": "2026-11-15", "MonthDay": "11-15", "Umaban": 5}, {})
    assert row == {"MakeDate": date(2026, 11, 15), "MonthDay": "11-15", "Umaban": 5, "_errors": None}


def test_a_day_that_is_not_set_stays_null():
    assert row_of("SE", {"MakeDate": None}, {})["MakeDate"] is None


def test_days_inside_slots_are_dates_too():
    group = replace(member("SE", "ChakuUmaInfo"), fields=(member("SE", "MakeDate"),))
    row = row_maker([group], {})({"ChakuUmaInfo": [None, {"MakeDate": "2026-11-15"}]})
    assert row["ChakuUmaInfo"] == [None, {"MakeDate": date(2026, 11, 15)}]


def test_errors_are_told_of_the_fields_that_are_shown():
    values = {"Umaban": None, "_errors": ERRORS}
    assert row_of("SE", values, {})["_errors"] == ERRORS
    assert row_of("SE", values, {"ChakuUmaInfo": {"KettoNum": {}}})["_errors"] == ERRORS[1:]
    assert row_of("SE", values, {"Bamei": {}})["_errors"] is None


def test_rows_are_a_batch_of_the_schema():
    schema = arrow_schema(JRA.layouts.current("SE"), {"SexCD": {}, "Umaban": {}, "ChakuUmaInfo": {}})
    rows = [{"SexCD": "2", "Umaban": 5, "ChakuUmaInfo": [{"KettoNum": "1", "Bamei": "a"}]}, {"SexCD": None}]
    batch = batch_of(rows, schema)
    batch.validate(full=True)
    assert batch.schema == schema
    assert batch.to_pylist() == [{**rows[0], "_errors": None}, dict.fromkeys(schema.names)]


def test_a_dictionary_holds_no_place_beyond_its_words_under_a_null():
    schema = pa.schema([("slots", pa.list_(pa.struct([("word", WORD)])))])
    rows = [{"slots": [None, {"word": "a"}, {"word": None}]}, {"slots": []}, {"slots": [{"word": "b"}]}]
    batch = batch_of(rows, schema)
    batch.validate(full=True)
    assert batch.to_pylist() == rows
