"""Records of one type as a table: an Arrow IPC stream, a Parquet file, CSV text.

A writer takes records as they come and gives bytes that are ready to be sent, in bounded memory: how many records it
is given at once changes nothing in what it writes altogether, and neither does anything but the records, unless it is
told to wait no longer.  Older
generations of the record type go into the same table: their columns are the same, only their fields were narrower.

pyarrow is loaded when the first writer is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from jvgate.errors import QueryError
from jvgate.spec.layouts import Layout

__all__ = ["Writer", "table_writer"]

# What JRA-VAN calls Shift_JIS is Windows' kind of it.
_CODECS = {"utf-8": "utf-8", "shift_jis": "cp932"}


class Writer(Protocol):
    """What turns records into the bytes of one form."""

    def begin(self) -> bytes:
        """Return what stands before the first record."""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Take *count* records of *layout*, one behind the other; return the bytes that are ready, maybe none."""

    @property
    def has_rest(self) -> bool:
        """Whether records wait for more, since many are written better than few."""

    def rest(self) -> bytes:
        """Return what waits, for somebody who waits too."""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return what is left and the mark of the end, which tells *facts*: counts, last file timestamp, digest."""


def table_writer(
    form: str,
    layout: Layout,
    fields: tuple[str, ...] = (),
    *,
    charset: str = "utf-8",
    bom: bool = False,
    end_line: bool = False,
) -> Writer:
    """Return what writes records of one type as *form*: `arrow`, `parquet` or `csv`.

    layout: the current one of the type.  fields: answer keys, dotted inside groups; empty for all.  The rest is for
    CSV: charset: `utf-8` or `shift_jis`; bom: whether UTF-8 begins with its mark, for Excel; end_line: whether the last
    line is `# end` and the facts as JSON.  Raises QueryError where CSV would need too many columns.
    """
    # Loaded here: a server that is never asked for a table does without pyarrow and the memory it takes.
    if form == "arrow":
        from jvgate.render.arrow_stream import ArrowWriter  # noqa: PLC0415

        return ArrowWriter(layout, fields)
    if form == "parquet":
        from jvgate.render.parquet_file import ParquetFileWriter  # noqa: PLC0415

        return ParquetFileWriter(layout, fields)
    if form == "csv":
        from jvgate.render.csv_text import CsvWriter  # noqa: PLC0415

        return CsvWriter(layout, fields, charset=_CODECS[charset], bom=bom, end_line=end_line)
    raise QueryError(
        "unknown-format",
        "There is no such form of a table.",
        parameter="format",
        value=form,
        allowed="arrow, csv, parquet",
    )
