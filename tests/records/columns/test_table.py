"""Batches of records as columns: types, marks, unset slots, damage, and what a choice of fields leaves out."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest

from jvgate.errors import RecordError
from jvgate.records.columns import table as columns_module
from jvgate.records.columns.table import columns_of
from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.records.rows import as_row, rows_of
from tests.records.test_golden import CASES, record_of
from tests.specs import JRA

TEXT = pa.string()


def patched(raw, offset, piece):
    """The record with *piece* at *offset*."""
    return raw[:offset] + piece + raw[offset + len(piece) :]


def table(*raws, fields=()):
    """The columns of records of one layout."""
    layout = JRA.layouts.get(raws[0][:2].decode(), len(raws[0]))
    return columns_of(layout, fields).decode(b"".join(raws))


def values(batch, name):
    return batch.column(name).to_pylist()


def se(**given):
    return encode({"RecordSpec": "SE", "DataKubun": "7", "MakeDate": "2026-05-11", **given}, JRA.layouts)


def o1(*slots, day=b"20260510"):
    return patched(encode({"RecordSpec": "O1", "DataKubun": "1", "OddsTansyoInfo": list(slots)}, JRA.layouts), 11, day)


@pytest.fixture
def no_record_decoder(monkeypatch):
    """A test in which reading a record by itself is an error."""
    monkeypatch.setattr(columns_module, "decoder", lambda layout: pytest.fail("a record was read by itself"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_hand_built_bytes_read_as_expected(path):
    case = json.loads(path.read_text("utf-8"))
    (row,) = rows_of(table(record_of(case)))
    assert {key: row[key] for key in case.get("only", case["expected"])} == case["expected"]


def test_values_are_typed_columns(no_record_decoder):
    batch = table(patched(patched(se(KettoNum="2022104567", Umaban=5), 288, b"545"), 338, b"1345"))
    expected = {
        "MakeDate": (pa.date32(), "2026-05-11"), "Umaban": (pa.int16(), 5), "KettoNum": (TEXT, "2022104567"),
        "DataKubun": (pa.dictionary(pa.int8(), TEXT), "7"), "Futan": (pa.float64(), 54.5), "Time": (pa.float64(), 94.5),
    }  # fmt: skip
    (row,) = rows_of(batch)
    assert {name: (batch.schema.field(name).type, row[name]) for name in expected} == expected


def test_a_column_tells_its_labels_its_unit_and_its_code_table():
    schema = columns_of(JRA.layouts.current("SE")).schema
    assert schema.metadata[b"record"] == schema.metadata[b"layout"] == b"SE"
    assert schema.metadata[b"title_ja"].decode() == JRA.layouts.current("SE").title_ja
    assert schema.field("Futan").metadata[b"unit"] == b"kg"
    assert schema.field("SexCD").metadata[b"code_table"] == b"2202"
    assert schema.field("BaTaijyuMark").metadata[b"label_en"].endswith(b"special value")
    slot = schema.field("ChakuUmaInfo").type.value_type
    assert slot.field("Bamei").metadata[b"label_ja"].decode() == "馬名"


def test_a_special_value_is_null_with_its_mark_beside_it(no_record_decoder):
    batch = table(patched(se(), 324, b"999"), patched(se(), 324, b"480"), patched(se(), 324, b"   "))
    assert values(batch, "BaTaijyu") == [None, 480, None]
    assert values(batch, "BaTaijyuMark") == ["not_weighed", None, None]
    assert batch.schema.names.index("BaTaijyuMark") == batch.schema.names.index("BaTaijyu") + 1


def test_signs_are_kept(no_record_decoder):
    raws = [patched(se(), 531, piece) for piece in (b"+012", b"-012", b"-000", b"0000", b"9999")]
    batch = table(*raws)
    assert [decode(raw, JRA.layouts)["TimeDiff"] for raw in raws] == values(batch, "TimeDiff")
    assert str(values(batch, "TimeDiff")[2]) == "-0.0"
    assert values(batch, "TimeDiffMark") == [None, None, None, None, "no_time"]


def test_cancelled_odds_are_told_from_odds_without_votes(no_record_decoder):
    raw = o1({"Umaban": 1, "Odds": 1.5, "Ninki": 1}, {"Umaban": 2}, {"Umaban": 3})
    raw = patched(patched(raw, 43 + 8 + 2, b"----" + b"--"), 43 + 16 + 2, b"0000" + b"03")
    first, second, third = values(table(raw), "OddsTansyoInfo")[0]
    assert (first["Odds"], first["OddsMark"]) == (1.5, None)
    assert (second["Odds"], second["OddsMark"], second["NinkiMark"]) == (None, *["cancelled_before_sale"] * 2)
    assert (third["OddsMark"], third["Ninki"], third["NinkiMark"]) == ("no_votes", 3, None)


def test_the_old_ceiling_counts_for_old_races_only(no_record_decoder):
    slot = {"Umaban": 1, "OddsLow": 99.9, "OddsHigh": 12.0, "Ninki": 3}
    raw = encode({"RecordSpec": "O1", "DataKubun": "5", "OddsFukusyoInfo": [slot]}, JRA.layouts)
    batch = table(*(patched(raw, 11, day) for day in (b"20040814", b"20040813", b"20040815", b"19930101")))
    marks = [slots[0]["OddsLowMark"] for slots in values(batch, "OddsFukusyoInfo")]
    assert marks == [None, "at_or_above_max", None, "at_or_above_max"]


def test_a_slot_that_names_itself_is_left_out_when_unset(no_record_decoder):
    batch = table(o1(), o1({"Umaban": 4, "Odds": 3.0, "Ninki": 2}))
    assert [[slot["Umaban"] for slot in slots] for slots in values(batch, "OddsTansyoInfo")] == [[], [4]]


def test_a_slot_whose_place_is_its_meaning_is_null_when_unset(no_record_decoder):
    corner = {"Corner": "4", "Syukaisu": "1", "Jyuni": "1,2"}
    batch = table(encode({"RecordSpec": "RA", "CornerInfo": [None, None, None, corner]}, JRA.layouts))
    assert values(batch, "CornerInfo") == [[None, None, None, corner]]


def test_a_day_without_a_year_and_a_moment_are_written_out(no_record_decoder):
    batch = table(encode({"RecordSpec": "WE", "MonthDay": "02-29", "HappyoTime": "05-10T09:00"}, JRA.layouts))
    assert (values(batch, "MonthDay"), values(batch, "HappyoTime")) == (["02-29"], ["05-10T09:00"])


@pytest.mark.parametrize("day", ["20240229", "20000229", "99991231", "00010101", "00000000"])
def test_a_day_of_the_calendar_is_a_date(day, no_record_decoder):
    (row,) = rows_of(table(patched(se(), 3, day.encode())))
    assert (row["MakeDate"] or "0000-00-00").replace("-", "") == day


@pytest.mark.parametrize("day", ["20230229", "19000229", "20241301", "20240400", "00000101"])
def test_any_other_day_is_an_error(day):
    (row,) = rows_of(table(patched(se(), 3, day.encode())))
    assert row["MakeDate"] is None
    assert row["_errors"][0]["raw"] == day


def test_a_code_that_no_table_knows_joins_the_dictionary(no_record_decoder):
    batch = table(*(patched(se(), 78, code) for code in (b"Z", b"1", b"Y", b"0")))  # SexCD
    assert values(batch, "SexCD") == ["Z", "1", "Y", None]
    assert batch.column("SexCD").dictionary.to_pylist()[-2:] == ["Y", "Z"]


def test_damage_leaves_the_other_rows_alone():
    raws = [se(Umaban=number, Bamei="テスト") for number in range(1, 6)]
    raws[2] = patched(patched(raws[2], 74, b"\x81\x20"), 28, b"X ")
    batch = table(*raws)
    batch.validate(full=True)
    assert values(batch, "Umaban") == [1, 2, None, 4, 5]
    assert values(batch, "Bamei") == ["テスト", "テスト", None, "テスト", "テスト"]
    assert [errors and [error["field"] for error in errors] for errors in values(batch, "_errors")] == [
        None, None, ["Umaban", "Bamei"], None, None]  # fmt: skip


def test_a_blank_deletion_is_not_judged():
    deletion = b"SE0" + b"20260511" + b" " * (555 - 13) + b"\r\n"
    batch = table(se(Umaban=3), deletion)
    assert (values(batch, "Umaban"), values(batch, "_errors")) == ([3, None], [None, None])


def test_a_slot_that_is_null_beside_damage_stays_whole():
    """A dictionary is made of what is there, not of what stands behind a null."""
    corner = {"Corner": "4", "Syukaisu": "1", "Jyuni": "1,2"}
    raw = encode({"RecordSpec": "RA", "CornerInfo": [None, None, None, None]}, JRA.layouts)
    batch = table(encode({"RecordSpec": "RA", "CornerInfo": [corner]}, JRA.layouts), patched(raw, 3, b"2026X511"))
    batch.validate(full=True)
    assert values(batch, "CornerInfo")[1] == [None] * 4


def test_a_choice_of_fields_comes_with_its_marks():
    batch = table(se(Umaban=5), fields=("Odds", "Umaban"))
    assert batch.schema.names == ["Umaban", "Odds", "OddsMark", "_errors"]


def test_a_choice_inside_a_group_keeps_the_groups_own_rule(no_record_decoder):
    batch = table(o1({"Umaban": 4, "Odds": 3.0, "Ninki": 2}), fields=("OddsTansyoInfo.Odds", "JyoCD"))
    assert batch.schema.names == ["JyoCD", "OddsTansyoInfo", "_errors"]
    assert values(batch, "OddsTansyoInfo") == [[{"Odds": 3.0, "OddsMark": None}]]


def test_fields_that_are_not_shown_are_not_judged():
    raw = patched(se(Umaban=5), 74, b"\x81\x20")
    assert values(table(raw, fields=("Umaban",)), "_errors") == [None]
    assert values(table(raw, fields=("Bamei",)), "_errors")[0][0]["field"] == "Bamei"


def test_no_records_are_an_empty_batch_of_the_same_schema():
    columns = columns_of(JRA.layouts.current("O6"))
    batch = columns.decode(b"")
    assert (len(batch), batch.schema) == (0, columns.schema)


def test_half_a_record_is_refused():
    with pytest.raises(RecordError, match="300 bytes, not 555"):
        columns_of(JRA.layouts.current("SE")).decode(memoryview(se() + se()[:300]))


@pytest.mark.parametrize("record", JRA.layouts.types)
def test_all_generations_of_a_record_type_have_the_same_columns(record):
    current, *older = (columns_of(layout).schema for layout in JRA.layouts.generations(record))
    assert all(schema.equals(current) for schema in older)


def test_the_season_needs_no_record_decoder(no_record_decoder):
    from benchmarks.weekend import weekend  # noqa: PLC0415

    raws = weekend("SE")[:200]
    for raw, row in zip(raws, rows_of(table(*raws)), strict=True):
        assert row == as_row(decode(raw, JRA.layouts), row)


@pytest.mark.process
def test_pyarrow_is_loaded_by_who_asks_for_columns_only():
    code = "import sys, jvgate.gateway.gateway, jvgate.web.app; assert 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
