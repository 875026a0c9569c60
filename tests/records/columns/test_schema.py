"""The Arrow schema of a layout: types by kind and length, marks, and what columns say of themselves."""

import pyarrow as pa
import pytest

from jvgate.records.columns.schema import arrow_schema, has_mark, is_clock, marks_of, value_type
from tests.records.fields import member
from tests.specs import JRA

TEXT = pa.string()


def words(index):
    return pa.dictionary(index, TEXT)


@pytest.mark.parametrize(
    ("record", "name", "kind"),
    [
        ("SE", "SexCD", words(pa.int8())),
        ("SE", "UmaKigoCD", words(pa.int16())),
        ("SE", "ChakusaCD", words(pa.int32())),
        ("SE", "MonthDay", words(pa.int16())),
        ("RA", "HassoTime", words(pa.int16())),
        ("SE", "Year", pa.int16()),  # 4 digits
        ("SE", "Honsyokin", pa.int32()),  # 8 digits
        ("BN", "HonRuikei.HonSyokinTotal", pa.int64()),  # 10 digits
        ("SE", "Futan", pa.float64()),
        ("SE", "Time", pa.float64()),
        ("SE", "MakeDate", pa.date32()),
        ("SE", "KettoNum", TEXT),
        ("SE", "Bamei", TEXT),
        ("WE", "HappyoTime", TEXT),
    ],
)
def test_a_kind_has_its_type(record, name, kind):
    assert value_type(member(record, name)) == kind


def test_a_time_of_day_is_none_that_a_horse_took():
    assert [is_clock(member("RA", "HassoTime")), is_clock(member("SE", "Time"))] == [True, False]


def test_marks_are_those_of_all_times():
    assert marks_of(member("SE", "BaTaijyu")) == ("not_weighed", "withdrawn")
    assert has_mark(member("O1", "OddsFukusyoInfo.OddsLow"))
    assert not has_mark(member("SE", "Umaban"))


def test_a_schema_has_every_field_that_is_shown_and_the_errors_at_the_end():
    schema = arrow_schema(JRA.layouts.current("JG"), {})
    assert schema.names == [
        "RecordSpec", "DataKubun", "MakeDate", "Year", "MonthDay", "JyoCD", "Kaiji", "Nichiji", "RaceNum", "KettoNum",
        "Bamei", "ShutsubaTohyoJun", "ShussoKubun", "JogaiJotaiKubun", "_errors",
    ]  # fmt: skip
    assert [one.name for one in schema.field("_errors").type.value_type] == ["field", "offset", "raw", "why"]


def test_a_choice_of_fields_keeps_the_order_of_the_layout_and_reaches_into_groups():
    schema = arrow_schema(JRA.layouts.current("SE"), {"ChakuUmaInfo": {"Bamei": {}}, "Odds": {}})
    assert schema.names == ["Odds", "OddsMark", "ChakuUmaInfo", "_errors"]
    assert schema.field("ChakuUmaInfo").type == pa.list_(pa.struct([("Bamei", TEXT)]))


def test_a_repeated_field_is_a_list_without_a_mark():
    schema = arrow_schema(JRA.layouts.current("RA"), {"LapTime": {}})
    assert (schema.names, schema.field("LapTime").type) == (["LapTime", "_errors"], pa.list_(pa.float64()))


def test_columns_say_what_they_hold():
    schema = arrow_schema(JRA.layouts.current("UM"), {"SexCD": {}})
    assert (schema.metadata[b"record"], schema.metadata[b"layout"]) == (b"UM", b"UM")
    about = schema.field("SexCD").metadata
    assert (about[b"code_table"], about[b"label_ja"].decode(), b"unit" in about) == (b"2202", "性別コード", False)
    older = arrow_schema(JRA.layouts.get("UM", 1577), {})
    assert older.metadata[b"layout"] == b"UM@1577"
