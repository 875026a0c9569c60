"""Parquet files read back by their readers: the values of the JSON, and the facts in the footer."""

import io
import json

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.records.rows import rows_of
from tests.render.tables.tables_read import FACTS, SMALL, assert_same, damaged, records, written
from tests.render.tables.writers import table_writer
from tests.specs import JRA


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
