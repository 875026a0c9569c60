"""CSV read back: one line a record, everything that repeats in columns of its own, nothing altered."""

import csv
import io
import json
import random

import pandas as pd
import polars as pl
import pytest

from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.raceday import record
from tests.records.build import random_record
from tests.render.tables.writers import table_writer
from tests.specs import JRA


def written(*raws, fields=(), facts=None, **options):
    layout = JRA.layouts.get(raws[0][:2].decode(), len(raws[0]))
    writer = table_writer("csv", layout.record, fields, **options)
    return writer.begin() + writer.write(layout, b"".join(raws), len(raws)) + writer.end(facts or {})


def lines(data, charset="utf-8"):
    return list(csv.DictReader(io.StringIO(data.decode(charset), newline="")))


def spread(value, name):
    """The cells of a value of the JSON, by the rule that the module states."""
    if isinstance(value, dict):
        return {key: cell for inner in value for key, cell in spread(value[inner], f"{name}_{inner}").items()}
    if isinstance(value, list):
        return {key: cell for n, item in enumerate(value, 1) for key, cell in spread(item, f"{name}_{n}").items()}
    return {name: value}


def cells(raw):
    record = decode(raw, JRA.layouts)
    return {key: cell for name in record for key, cell in spread(record[name], name).items() if cell is not None}


def is_same(text, value):
    return text == value if isinstance(value, str) else float(text) == value


@pytest.mark.parametrize("name", ["SE", "RA", "HR", "JG", "WE", "HC", "TM", "YS", "SK"])
def test_values_are_those_of_the_json(name):
    rng = random.Random(1)
    raws = [encode(random_record(JRA.layouts.current(name), rng), JRA.layouts) for _ in range(30)]
    for raw, line in zip(raws, lines(written(*raws)), strict=True):
        expected = cells(raw)
        assert {key for key, text in line.items() if text} == set(expected)
        assert all(is_same(line[key], value) for key, value in expected.items())


@pytest.mark.parametrize(
    ("options", "encoding"),
    [({}, "utf-8"), ({"charset": "utf-8-bom"}, "utf-8-sig"), ({"charset": "shift_jis"}, "cp932")],
    ids=["utf-8", "bom", "shift_jis"],
)
@pytest.mark.parametrize("name", ["SE", "RA", "HR"])
def test_pandas_reads_the_values_of_the_json(name, options, encoding):
    rng = random.Random(2)
    raws = [encode(random_record(JRA.layouts.current(name), rng), JRA.layouts) for _ in range(30)]
    data = io.BytesIO(written(*raws, **options))
    rows = pd.read_csv(data, encoding=encoding, dtype=str, keep_default_na=False).to_dict("records")
    for raw, row in zip(raws, rows, strict=True):
        expected = cells(raw)
        assert {key for key, text in row.items() if text} == set(expected)
        assert all(is_same(row[key], value) for key, value in expected.items())


def test_pandas_takes_numbers_for_numbers_and_days_for_days_by_itself():
    data = io.BytesIO(written(record("SE", Umaban=7, Futan=54.0, Odds=12.3), record("SE", Umaban=11, Futan=56.5)))
    frame = pd.read_csv(data, parse_dates=["MakeDate"], dtype={"JyoCD": str})
    assert (frame["Umaban"].tolist(), frame["Futan"].tolist()) == ([7, 11], [54.0, 56.5])
    assert frame["MakeDate"].dt.year.tolist() == [2026, 2026]
    assert frame["JyoCD"].tolist() == ["05", "05"]


def test_the_first_line_names_the_columns():
    names = written(record("SE")).split(b"\r\n", 1)[0].decode().split(",")
    assert names[:3] == ["RecordSpec", "DataKubun", "MakeDate"]
    assert names[names.index("ChakuUmaInfo_1_KettoNum") :][:6] == [
        f"ChakuUmaInfo_{slot}_{key}" for slot in (1, 2, 3) for key in ("KettoNum", "Bamei")]  # fmt: skip
    assert names[-1] == "_errors"


def test_a_line_reads_as_the_rules_say():
    raw = record("WE", HenkoID="1")
    data = written(raw, fields=("RecordSpec", "MakeDate", "Year", "JyoCD", "HenkoID", "HappyoTime"))
    assert data == (b'RecordSpec,MakeDate,Year,JyoCD,HappyoTime,HenkoID,_errors\r\n"WE",2026-11-16,2026,"05",,"1",\r\n')


@pytest.mark.parametrize("text", ['いろ"は', "一,二", "=1+1", "@x", "-1", " a"])
def test_values_are_not_altered(text):
    (line,) = lines(written(record("SE", Bamei=text), fields=("Bamei",)))
    assert line["Bamei"] == text


def test_a_line_feed_within_a_damaged_text_stays_in_its_cell():
    raw = record("SE", Bamei="アイウ")
    raw = raw[:40] + b"A\nB" + raw[43:]
    assert [line["Bamei"] for line in lines(written(raw, raw, fields=("Bamei",)))] == [
        decode(raw, JRA.layouts)["Bamei"]
    ] * 2


def test_what_could_not_be_read_is_told_as_json():
    raw = record("SE")
    (line,) = lines(written(raw[:3] + b"2026X511" + raw[11:]))
    assert json.loads(line["_errors"]) == decode(raw[:3] + b"2026X511" + raw[11:], JRA.layouts)["_errors"]


def test_shift_jis_is_that_of_windows():
    raw = record("SE", Bamei="髙①～")
    assert lines(written(raw, charset="shift_jis"), "cp932")[0]["Bamei"] == "髙①～"


def test_a_mark_at_the_start_is_for_utf_8_alone():
    assert written(record("SE"), charset="utf-8-bom").startswith(b"\xef\xbb\xbfRecordSpec,")
    assert written(record("SE"), charset="shift_jis").startswith(b"RecordSpec,")


def test_a_streamed_table_ends_with_a_line_that_says_so():
    data = written(record("SE"), is_stream=True, facts={"records": 1})
    assert data.endswith(b'\r\n# end {"records":1}\r\n')
    assert b"# end" not in written(record("SE"), facts={"records": 1})


def test_a_choice_of_fields_may_be_few_enough():
    raw = record("O1", OddsTansyoInfo=[{"Umaban": 3, "Odds": 1.5, "Ninki": 1}])
    (line,) = lines(written(raw, fields=("RaceNum", "OddsTansyoInfo.Odds")))
    assert (line["RaceNum"], line["OddsTansyoInfo_1_Odds"], line["OddsTansyoInfo_2_Odds"]) == ("11", "1.5", "")


def test_polars_reads_it_with_its_zeros():
    frame = pl.read_csv(io.BytesIO(written(record("SE", Bamei="アイウ"))), schema_overrides={"JyoCD": pl.String})
    assert frame.select("JyoCD", "Bamei", "Year").row(0) == ("05", "アイウ", 2026)


@pytest.mark.parametrize("name", JRA.layouts.types)
def test_names_are_unique(name):
    names = table_writer("csv", name).begin().decode().rstrip("\r\n").split(",")
    assert len(set(names)) == len(names)
