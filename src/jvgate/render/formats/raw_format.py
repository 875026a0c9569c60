"""Raw JV-Data: the records as JV-Link gave them, one after another."""

from __future__ import annotations

from jvgate.records.runs import RawRecord
from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["FORMAT", "RawWriter"]


class RawWriter(RecordWriter):
    """Copies records.  There is no room for facts; nothing is decoded, so damage inside records is not counted."""

    is_verbatim = True

    def __init__(self, question: Question, spec: Spec) -> None:
        """Ignore *question* and *spec*: records are written whole."""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return the records."""
        return raw

    def write_single(self, frame: RawRecord) -> bytes:
        """Return the record without its padding."""
        return frame.as_it_came()


FORMAT = Format(
    word="raw",
    media_types=("application/octet-stream",),
    suffixes=(".jvd",),
    download_suffix=".jvd",
    refused_parameters=("fields", "labels", "raw"),
    answer=RawWriter,
    stream=RawWriter,
    fetched=RawWriter,
)
