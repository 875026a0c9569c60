"""Tables read back by those who will read them: the values are those of the JSON, the bytes always the same."""

import io

import polars as pl
import pyarrow.parquet as pq
import pytest

from jvgate.errors import QueryError, RecordError
from jvgate.records.encode import encode
from tests.raceday import record
from tests.render.tables.tables_read import arrow_table, records, written
from tests.render.tables.writers import table_writer
from tests.specs import JRA

FORMS = ("arrow", "parquet", "csv")


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


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_columns_tell_what_they_hold(form):
    data = written(form, records("SE", 3))
    schema = arrow_table(data).schema if form == "arrow" else pq.read_schema(io.BytesIO(data))
    assert schema.field("Futan").metadata[b"unit"] == b"kg"
    assert schema.field("Futan").metadata[b"label_ja"].decode() == "負担重量"


@pytest.mark.parametrize("form", FORMS)
def test_records_of_another_type_are_refused(form):
    with pytest.raises(QueryError, match="one type"):
        table_writer(form, "SE").write(JRA.layouts.current("RA"), record("RA"), 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_count_that_the_bytes_do_not_hold_is_refused(form):
    with pytest.raises(RecordError, match="length"):
        table_writer(form, "SE").write(JRA.layouts.current("SE"), record("SE"), 2)
