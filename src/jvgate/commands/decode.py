"""`jvgate decode`: files of raw JV-Data in any form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import typer
import zstandard
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from jvgate.commands.output import form_of, writing
from jvgate.errors import ArchiveError, QueryError
from jvgate.question import parse_selection
from jvgate.records.framing import Damage, Frame, Framer, Run
from jvgate.render.choosing import Chooser
from jvgate.render.forms import check
from jvgate.render.tally import Tally
from jvgate.render.writers import WRITTEN, Writer, writer_of
from jvgate.sessions.rawfile import expanded
from jvgate.values import Question, Selection

__all__ = ["decode_files"]

CHUNK_BYTES = 1 << 20


def decode_files(paths: Sequence[Path], parameters: Mapping[str, Sequence[str]], output: Path | None) -> bool:
    """Write the records of the files in *paths*; return whether anything was damaged.

    parameters: as of the data route (record, where, fields, format, charset, raw, labels).
    What is lost or broken is told on stderr with its place.  Raises QueryError for what cannot be asked, OSError.
    """
    form = form_of(output, next(iter(parameters.get("format", ())), None), usual="ndjson")
    selection = parse_selection({**parameters, "format": [form]}, formats=WRITTEN)
    writer = writer_of(_question(selection), proves_end=False)
    damaged, totals = False, Tally()
    with writing(output) as out, _bar(paths, is_shown=output is not None) as advance:
        out.write(writer.begin())
        for path in paths:
            damaged |= _decode_file(path, selection, writer, totals, out, advance)
        if form != "ndjson":  # whose lines are records and nothing else here
            out.write(writer.end(totals.facts(selection, returned=totals.total)))
    return damaged


def _question(selection: Selection) -> Question:
    """Return *selection* as a question, of files alone.  Raises QueryError for a form that needs one record type."""
    if selection.format in ("csv", "arrow", "parquet") and len(selection.records) != 1:
        why, allowed = f"{selection.format} holds records of one type.", "--record with one type, such as SE"
        raise QueryError("one-record-needed", why, parameter="record", value=None, allowed=allowed)
    return check(Question("", (), selection))


@contextmanager
def _bar(paths: Sequence[Path], *, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield what moves a bar on stderr by the bytes that were read; none is shown beside what goes to stdout."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_shown) as bars:
        bar = bars.add_task("", total=sum(path.stat().st_size for path in paths if path.is_file()))
        yield lambda count: bars.advance(bar, count)


def _decode_file(
    path: Path, selection: Selection, writer: Writer, totals: Tally, out: BinaryIO, advance: Callable[[int], None]
) -> bool:
    chooser, framer = Chooser(selection), Framer()
    chooser.begin(path.name)
    broken = writer.damaged_records
    try:
        items = chain(chain.from_iterable(map(framer.feed, _chunks(path, advance))), framer.end())
        for item in chooser.shown(_told(items, path)):
            out.write(_written(item, writer))
    except ArchiveError as exc:
        typer.echo(f"{path}: {exc.why}", err=True)
        return True
    out.flush()
    tally = chooser.tally
    tally.damaged_records = writer.damaged_records - broken
    typer.echo(f"{path}: {_summary(tally)}", err=True)
    _add(totals, tally)
    return bool(tally.lost_bytes or tally.damaged_records)


def _written(item: Run | Frame, writer: Writer) -> bytes:
    if item.layout is None:
        return writer.write_unknown(item.raw)
    return writer.write(item.layout, item.raw, item.count if isinstance(item, Run) else 1)


def _told(items: Iterable[Run | Frame | Damage], path: Path) -> Iterator[Run | Frame | Damage]:
    for item in items:
        if isinstance(item, Damage):
            typer.echo(f"{path}: {item.length} bytes lost at byte {item.offset}: {item.why}", err=True)
        yield item


def _summary(tally: Tally) -> str:
    parts = [f"{tally.total} records"]
    counts = (
        (tally.padded, "padded back"),
        (tally.unknown.total(), "of unknown type"),
        (tally.damaged_records, "with damaged fields"),
        (tally.lost_bytes, "bytes lost"),
    )
    return ", ".join(parts + [f"{count} {what}" for count, what in counts if count])


def _add(totals: Tally, tally: Tally) -> None:
    totals.files += tally.files
    totals.records += Counter(tally.records)
    totals.unknown += Counter(tally.unknown)
    totals.padded += tally.padded
    totals.lost_bytes += tally.lost_bytes


def _chunks(path: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the bytes of the file, expanded.  Raises ArchiveError when it cannot be read to its end."""

    def read() -> bytes:
        chunk = file.read(CHUNK_BYTES)
        advance(len(chunk))
        return chunk

    try:
        with path.open("rb") as file:
            chunks = iter(read, b"")
            yield from expanded(chunks) if path.suffix == ".zst" else chunks
    except OSError as exc:
        raise ArchiveError(str(path), f"cannot be read: {exc.strerror}") from exc
    except zstandard.ZstdError as exc:
        raise ArchiveError(str(path), f"cannot be expanded: {exc}") from exc
