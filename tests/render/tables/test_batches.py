"""Tables read back by those who will read them: the values are those of the JSON, the bytes always the same."""

import io
import json
import random
from itertools import groupby

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jvgate.errors import QueryError, RecordError
from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.raceday import record
from tests.records.build import random_record
from tests.records.rows import as_row, rows_of
from tests.render.tables.writers import table_writer
from tests.specs import JRA

FORMS = ("arrow", "parquet", "csv")
FACTS = {"records": {"SE": 3}, "last_file_timestamp": "20261116140000", "digest": "abc"}
SMALL = [record for record in JRA.layouts.types if JRA.layouts.current(record).length < 10_000]


def written(form, raws, *, step=7, fields=(), record=None, **options):
    """The whole of a table, given *step* records at a time, or fewer where their layout changes."""
    writer = table_writer(form, record or raws[0][:2].decode(), fields, **options)
    pieces = [writer.begin()]
    for at in range(0, len(raws), step):
        for length, alike in groupby(raws[at : at + step], len):
            raw = b"".join(alike)
            layout = JRA.layouts.get(raw[:2].decode(), length)
            pieces.append(writer.write(layout, raw, len(raw) // length))
    return b"".join([*pieces, writer.end(FACTS)])


def records(name, count=20, seed=1):
    rng = random.Random(seed)
    return [encode(random_record(JRA.layouts.current(name), rng), JRA.layouts) for _ in range(count)]


def damaged(raw):
    return raw[:3] + b"2026X511" + raw[11:]


def assert_same(rows, raws):
    """The rows of a table against the answers in JSON."""
    for row, raw in zip(rows, raws, strict=True):
        assert row == as_row(json.loads(json.dumps(decode(raw, JRA.layouts))), row)


def arrow_table(data):
    return pa.ipc.open_stream(data).read_all()


@pytest.mark.parametrize("name", SMALL)
def test_arrow_is_read_back_by_pyarrow(name):
    raws = [*records(name), damaged(records(name)[0])]
    assert_same(rows_of(arrow_table(written("arrow", raws))), raws)


@pytest.mark.parametrize("name", ["SE", "RA", "HR", "UM", "KS", "O1"])
def test_arrow_is_read_back_by_polars(name):
    raws = [*records(name), damaged(records(name)[0])]
    frame = pl.read_ipc_stream(io.BytesIO(written("arrow", raws)))
    assert_same(rows_of(frame.to_arrow()), raws)


@pytest.mark.parametrize("name", SMALL)
def test_parquet_is_read_back_by_pyarrow(name):
    raws = [*records(name), damaged(records(name)[0])]
    assert_same(rows_of(pq.read_table(io.BytesIO(written("parquet", raws)))), raws)


@pytest.mark.parametrize("name", ["SE", "RA", "HR", "UM", "KS", "O1"])
def test_parquet_is_read_back_by_polars(name):
    raws = [*records(name), damaged(records(name)[0])]
    frame = pl.read_parquet(io.BytesIO(written("parquet", raws)))
    assert_same(rows_of(frame.to_arrow()), raws)


@pytest.mark.parametrize("name", ["SE", "RA", "HR", "UM", "KS", "O1"])
def test_parquet_is_read_back_by_duckdb(name, tmp_path):
    raws = [*records(name), damaged(records(name)[0])]
    (tmp_path / "a.parquet").write_bytes(written("parquet", raws))
    with duckdb.connect() as database:
        found = database.read_parquet(str(tmp_path / "a.parquet")).to_arrow_table()
    assert_same(rows_of(found), raws)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_records_are_the_same_bytes_however_they_come(form):
    raws = records("SE", 50)
    assert written(form, raws, step=1) == written(form, raws, step=50) == written(form, raws, step=13)


@pytest.mark.parametrize("form", FORMS)
def test_more_records_than_a_batch_holds_are_all_there(form):
    raws = records("WE", 30) * 700
    data = written(form, raws, step=999)
    rows = {
        "arrow": lambda: arrow_table(data).num_rows,
        "parquet": lambda: pq.read_metadata(io.BytesIO(data)).num_rows,
        "csv": lambda: data.count(b"\r\n") - 1,
    }[form]()
    assert rows == len(raws)


@pytest.mark.parametrize("form", FORMS)
def test_older_generations_go_into_the_same_table(form):
    lengths = (545, 537, 537, 545)
    raws = [
        encode({"RecordSpec": "BR", "BreederName": f"牧場{n}"}, JRA.layouts, length=length)
        for n, length in enumerate(lengths)
    ]
    read = {"arrow": pl.read_ipc_stream, "parquet": pl.read_parquet, "csv": pl.read_csv}[form]
    frame = read(io.BytesIO(written(form, raws, step=4, fields=("BreederName",))))
    assert frame["BreederName"].to_list() == ["牧場0", "牧場1", "牧場2", "牧場3"]


@pytest.mark.parametrize("form", FORMS)
def test_no_records_are_a_table_without_rows(form):
    data = written(form, [], record="SE")
    read = {"arrow": pl.read_ipc_stream, "parquet": pl.read_parquet, "csv": pl.read_csv}[form]
    assert read(io.BytesIO(data)).height == 0


def test_the_first_bytes_of_an_arrow_stream_do_not_wait_for_records():
    assert pa.ipc.read_schema(pa.py_buffer(table_writer("arrow", "SE").begin())).names[0] == "RecordSpec"


def test_the_last_batch_of_an_arrow_stream_tells_the_facts():
    reader = pa.ipc.open_stream(written("arrow", records("SE", 3)))
    *_, (batch, told) = reader.iter_batches_with_custom_metadata()
    assert (batch.num_rows, json.loads(told[b"end"])) == (0, FACTS)


def test_an_arrow_stream_that_was_cut_off_has_no_last_batch():
    writer = table_writer("arrow", "WE")
    cut = writer.begin() + writer.write(JRA.layouts.current("WE"), b"".join(records("WE", 30) * 300), 9000)
    told = [told for _, told in pa.ipc.open_stream(cut).iter_batches_with_custom_metadata()]
    assert told == [None]


def test_the_footer_of_a_parquet_file_tells_the_facts():
    told = pq.read_metadata(io.BytesIO(written("parquet", records("SE", 3)))).metadata
    assert json.loads(told[b"end"]) == FACTS
    assert told[b"record"] == b"SE"


def test_a_parquet_file_says_nothing_before_it_says_it_all():
    """Its footer is its end mark: without it nobody reads it."""
    writer = table_writer("parquet", "SE")
    cut = writer.begin() + writer.write(JRA.layouts.current("SE"), b"".join(records("SE", 3)), 3)
    with pytest.raises(pa.ArrowInvalid):
        pq.read_metadata(io.BytesIO(cut))


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_columns_tell_what_they_hold(form):
    data = written(form, records("SE", 3))
    schema = arrow_table(data).schema if form == "arrow" else pq.read_schema(io.BytesIO(data))
    assert schema.field("Futan").metadata[b"unit"] == b"kg"
    assert schema.field("Futan").metadata[b"label_ja"].decode() == "負担重量"


def test_a_parquet_file_has_bounded_row_groups(monkeypatch):
    monkeypatch.setattr("jvgate.render.tables.parquet_file._GROUP_BYTES", 1)
    raws = records("WE", 30) * 600
    found = pq.ParquetFile(io.BytesIO(written("parquet", raws)))
    assert [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)] == [8192, 8192, 1616]
    assert found.read().num_rows == len(raws)


def test_an_error_of_the_writing_thread_is_the_writers(monkeypatch):
    writer = table_writer("parquet", "SE")
    monkeypatch.setattr(pq.ParquetWriter, "write_table", lambda *args, **options: 1 / 0)
    writer.write(JRA.layouts.current("SE"), b"".join(records("SE", 3)), 3)
    with pytest.raises(ZeroDivisionError):
        writer.end(FACTS)


@pytest.mark.parametrize("form", FORMS)
def test_records_of_another_type_are_refused(form):
    with pytest.raises(QueryError, match="one type"):
        table_writer(form, "SE").write(JRA.layouts.current("RA"), record("RA"), 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_count_that_the_bytes_do_not_hold_is_refused(form):
    with pytest.raises(RecordError, match="length"):
        table_writer(form, "SE").write(JRA.layouts.current("SE"), record("SE"), 2)
