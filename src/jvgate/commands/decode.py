"""`jvgate decode`: files of raw JV-Data in any form."""

from __future__ import annotations

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
    What is lost or broken is told on stderr with its place.  A file to write is not written when one to read could not
    be read to its end.  Raises QueryError for what cannot be asked, OSError.
    """
    form = form_of(output, next(iter(parameters.get("format", ())), None), usual="ndjson")
    selection = parse_selection({**parameters, "format": [form]}, formats=WRITTEN)
    writer = writer_of(_question(selection), proves_end=False)
    totals, unread = Tally(), list[Path]()
    try:
        with writing(output) as out, _bar(paths, is_shown=output is not None) as advance:
            out.write(writer.begin())
            for path in paths:
                tally, is_whole = _decode_file(path, selection, writer, out, advance)
                totals.add(tally)
                unread += [] if is_whole else [path]
            if output is not None and unread:
                raise _NotWhole
            if form != "ndjson":  # whose lines are records and nothing else here
                out.write(writer.end(totals.facts(selection, returned=totals.total, damaged=writer.damaged)))
    except _NotWhole:
        names = ", ".join(map(str, unread))
        typer.echo(f"{output} is not written, since {names} could not be read to the end", err=True)
    return bool(unread or totals.lost_bytes or (writer.damaged and writer.damaged.records))


class _NotWhole(Exception):
    """What was written is not all of it, and must not get its name."""


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
    path: Path, selection: Selection, writer: Writer, out: BinaryIO, advance: Callable[[int], None]
) -> tuple[Tally, bool]:
    """Write the records of one file -> what was seen, and whether it could be read to its end."""
    chooser, framer = Chooser(selection), Framer()
    chooser.begin(path.name)
    before = writer.damaged.records if writer.damaged else 0
    try:
        items = chain(chain.from_iterable(map(framer.feed, _chunks(path, advance))), framer.end())
        for item in chooser.shown(_told(items, path)):
            out.write(_written(item, writer))
    except ArchiveError as exc:
        typer.echo(f"{path}: {exc.why}", err=True)
        return chooser.tally, False
    out.flush()
    damaged = writer.damaged.records - before if writer.damaged else 0
    typer.echo(f"{path}: {_summary(chooser.tally, damaged)}", err=True)
    return chooser.tally, True


def _written(item: Run | Frame, writer: Writer) -> bytes:
    if isinstance(item, Run):
        return writer.write(item.layout, item.raw, item.count)
    return writer.write_alone(item)


def _told(items: Iterable[Run | Frame | Damage], path: Path) -> Iterator[Run | Frame | Damage]:
    for item in items:
        if isinstance(item, Damage):
            typer.echo(f"{path}: {item.length} bytes lost at byte {item.offset}: {item.why}", err=True)
        yield item


def _summary(tally: Tally, damaged: int) -> str:
    parts = [f"{tally.total} records"]
    counts = (
        (tally.padded, "padded back"),
        (tally.unknown.total(), "of unknown type"),
        (damaged, "with damaged fields"),
        (tally.lost_bytes, "bytes lost"),
    )
    return ", ".join(parts + [f"{count} {what}" for count, what in counts if count])


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
