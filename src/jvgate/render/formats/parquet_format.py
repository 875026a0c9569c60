"""Apache Parquet: a table of one record type as a file.  Its table of contents is its end, so there is no stream."""

from __future__ import annotations

from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["FORMAT"]


def _writer(question: Question, spec: Spec) -> RecordWriter:
    from jvgate.render.tables.parquet_file import ParquetFileWriter  # noqa: PLC0415  (loads pyarrow)

    return ParquetFileWriter(question, spec)


FORMAT = Format(
    word="parquet",
    media_types=("application/vnd.apache.parquet",),
    suffixes=(".parquet",),
    download_suffix=".parquet",
    refused_parameters=("labels", "raw"),
    needs_one_record_type=True,
    is_compressed=True,
    answer=_writer,
    fetched=_writer,
)
