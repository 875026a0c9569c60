"""Parquet as a format: a compressed file of one record type, which cannot be a stream."""

import io

import pyarrow.parquet as pq

from jvgate.render.formats.parquet_format import FORMAT
from tests.raceday import record
from tests.render.tables.writers import table_writer
from tests.specs import JRA

SE = JRA.layouts.current("SE")


def test_it_is_a_compressed_table_of_one_record_type():
    assert (FORMAT.word, FORMAT.media_types, FORMAT.suffixes) == (
        "parquet", ("application/vnd.apache.parquet",), (".parquet",),
    )  # fmt: skip
    assert FORMAT.needs_one_record_type
    assert FORMAT.is_compressed
    assert FORMAT.refused_parameters == ("labels", "raw")


def test_there_is_no_stream_of_it_but_fetch_writes_it():
    assert FORMAT.stream is None
    assert FORMAT.fetched is FORMAT.answer


def test_its_writer_writes_a_file():
    writer = table_writer("parquet", "SE", ("Umaban",))
    data = writer.begin() + writer.write(SE, record("SE", Umaban=3), 1) + writer.end({})
    assert data[:4] == data[-4:] == b"PAR1"
    assert pq.read_table(io.BytesIO(data))["Umaban"].to_pylist() == [3]
