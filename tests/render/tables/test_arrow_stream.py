"""Arrow streams read back by their readers: the values of the JSON, and the facts at the end."""

import io
import json

import polars as pl
import pyarrow as pa
import pytest

from tests.records.rows import rows_of
from tests.render.tables.tables_read import FACTS, SMALL, arrow_table, assert_same, damaged, records, written
from tests.render.tables.writers import table_writer
from tests.specs import JRA


@pytest.mark.parametrize("name", SMALL)
def test_arrow_is_read_back_by_pyarrow(name):
    raws = [*records(name), damaged(records(name)[0])]
    assert_same(rows_of(arrow_table(written("arrow", raws))), raws)


@pytest.mark.parametrize("name", ["SE", "RA", "HR", "UM", "KS", "O1"])
def test_arrow_is_read_back_by_polars(name):
    raws = [*records(name), damaged(records(name)[0])]
    frame = pl.read_ipc_stream(io.BytesIO(written("arrow", raws)))
    assert_same(rows_of(frame.to_arrow()), raws)


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
