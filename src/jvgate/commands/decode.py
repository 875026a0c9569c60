"""`jvgate decode`: files of raw JV-Data in any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import typer
import zstandard
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from jvgate.commands.output import output_format, writing
from jvgate.errors import ArchiveError, QueryError
from jvgate.question.parsing import parse_selection
from jvgate.records.framing import Framer
from jvgate.records.runs import Damage, Framed, RecordRun
from jvgate.render.choosing import Chooser
from jvgate.render.formats.registry import FORMATS, charsets, offered_formats
from jvgate.render.formats.writers import RecordWriter
from jvgate.render.negotiation import check
from jvgate.render.tally import Tally
from jvgate.sessions.archive.rawfile import expanded
from jvgate.settings import load_settings
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Spec, load_spec
from jvgate.values import Question, Selection

__all__ = ["decode_files"]

CHUNK_BYTES = 1 << 20


def decode_files(paths: Sequence[Path], parameters: Mapping[str, Sequence[str]], output: Path | None) -> bool:
    """Write the records of the files in *paths*; return whether anything was damaged.

    parameters: as of the data route (record, where, fields, format, charset, raw, labels).
    What is lost or broken is told on stderr with its place.  When a file could not be read to its end, what goes to a
    file is not written, and what goes to stdout has no end.  Raises QueryError for what cannot be asked, OSError.
    """
    word = output_format(output, next(iter(parameters.get("format", ())), None), default="ndjson")
    spec, formats = load_spec("jra"), offered_formats(load_settings())
    selection = parse_selection({**parameters, "format": [word]}, spec, formats=formats, charsets=charsets(formats))
    question, chosen = _question(selection, spec), FORMATS[selection.format]
    writer = (chosen.decoded or chosen.answer)(question, spec)
    totals, unread = Tally(), list[Path]()
    try:
        with writing(output) as out, _bar(paths, is_shown=output is not None) as bar:
            out.write(writer.begin())
            for path in paths:
                tally, is_whole = _decode_file(path, selection, spec.layouts, writer, out, bar)
                totals.add(tally)
                unread += [] if is_whole else [path]
            if output is not None and unread:
                raise _NotWhole
            if not unread:
                out.write(writer.end(totals.facts(selection, returned=totals.total, damaged=writer.damaged)))
    except _NotWhole:
        names = ", ".join(map(str, unread))
        typer.echo(f"{output} is not written, since {names} could not be read to the end", err=True)
    return bool(unread or totals.lost_bytes or totals.flawed or (writer.damaged and writer.damaged.records))


class _NotWhole(Exception):
    """What was written is not all of it, and must not get its name."""


def _question(selection: Selection, spec: Spec) -> Question:
    """Return *selection* as a question, of files alone.  Raises QueryError for what its format cannot show."""
    if FORMATS[selection.format].needs_one_record_type and len(selection.records) != 1:
        why, allowed = f"{selection.format} holds records of one type.", "--record with one type, such as SE"
        raise QueryError("one-record-needed", why, parameter="record", value=None, allowed=allowed)
    return check(Question("", (), selection), spec)


class _Bar:
    """A bar on stderr: the bytes of the files that were read, and the records in them."""

    def __init__(self, bars: Progress, *, total: int) -> None:
        self._bars = bars
        self._bar = bars.add_task("", total=total, records=0)
        self._records = 0

    def read(self, size: int) -> None:
        """Move on by *size* bytes."""
        self._bars.advance(self._bar, size)

    def found(self, records: int) -> None:
        """Count *records* more."""
        self._records += records
        self._bars.update(self._bar, records=self._records)


@contextmanager
def _bar(paths: Sequence[Path], *, is_shown: bool) -> Iterator[_Bar]:
    """Yield the bar; none is shown beside what goes to stdout."""
    columns = (
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[records]:,} records"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_shown) as bars:
        yield _Bar(bars, total=sum(path.stat().st_size for path in paths if path.is_file()))


def _decode_file(
    path: Path, selection: Selection, layouts: Layouts, writer: RecordWriter, out: BinaryIO, bar: _Bar
) -> tuple[Tally, bool]:
    """Write the records of one file -> what was seen, and whether it could be read to its end."""
    chooser, framer = Chooser(selection), Framer(layouts)
    chooser.begin(path.name)
    before = writer.damaged.records if writer.damaged else 0
    try:
        items = chain(chain.from_iterable(map(framer.feed, _chunks(path, bar))), framer.end())
        for item in chooser.shown(_told(items, path)):
            out.write(writer.write_item(item))
            bar.found(item.count if isinstance(item, RecordRun) else 1)
    except ArchiveError as exc:
        typer.echo(f"{path}: {exc.why}", err=True)
        return chooser.tally, False
    out.flush()
    damaged = writer.damaged.records - before - chooser.tally.flawed if writer.damaged else 0
    typer.echo(f"{path}: {_summary(chooser.tally, damaged)}", err=True)
    return chooser.tally, True


def _told(items: Iterable[Framed], path: Path) -> Iterator[Framed]:
    for item in items:
        if isinstance(item, Damage):
            typer.echo(f"{path}: {item.length} bytes lost at byte {item.offset}: {item.why}", err=True)
        yield item


def _summary(tally: Tally, damaged: int) -> str:
    parts = [f"{tally.total} records"]
    counts = (
        (tally.padded, "padded back"),
        (tally.unknown.total(), "of unknown type"),
        (tally.flawed, "damaged as a whole"),
        (damaged, "with damaged fields"),
        (tally.line_ends, "with another line end than CR LF"),
        (tally.fill_bytes, "bytes of fill skipped"),
        (tally.lost_bytes, "bytes lost"),
    )
    return ", ".join(parts + [f"{count} {what}" for count, what in counts if count])


def _chunks(path: Path, bar: _Bar) -> Iterator[bytes]:
    """Yield the bytes of the file, expanded.  Raises ArchiveError when it cannot be read to its end."""

    def read() -> bytes:
        chunk = file.read(CHUNK_BYTES)
        bar.read(len(chunk))
        return chunk

    try:
        with path.open("rb") as file:
            chunks = iter(read, b"")
            yield from expanded(chunks) if path.suffix == ".zst" else chunks
    except OSError as exc:
        raise ArchiveError(str(path), f"cannot be read: {exc.strerror}") from exc
    except zstandard.ZstdError as exc:
        raise ArchiveError(str(path), f"cannot be expanded: {exc}") from exc
