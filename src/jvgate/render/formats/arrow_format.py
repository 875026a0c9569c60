"""Apache Arrow: a table of one record type as an IPC stream."""

from __future__ import annotations

from functools import partial

from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["FORMAT"]


def _writer(question: Question, spec: Spec, *, is_stream: bool = False) -> RecordWriter:
    from jvgate.render.tables.arrow_stream import ArrowWriter  # noqa: PLC0415  (loads pyarrow)

    return ArrowWriter(question, spec, is_stream=is_stream)


FORMAT = Format(
    word="arrow",
    media_types=("application/vnd.apache.arrow.stream",),
    suffixes=(".arrow", ".arrows"),
    download_suffix=".arrows",
    refused_parameters=("labels", "raw"),
    needs_one_record_type=True,
    answer=_writer,
    stream=partial(_writer, is_stream=True),
    fetched=_writer,
)
