"""`jvgate decode`: files of raw JV-Data -> NDJSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import typer
import zstandard

from jvgate.errors import ArchiveError, QueryError
from jvgate.question import LANGUAGES
from jvgate.records.framing import Damage, frames
from jvgate.records.kinds import Errors
from jvgate.render.shown import RecordText
from jvgate.sessions.rawfile import expanded
from jvgate.values import Selection

__all__ = ["decode_files"]

CHUNK_BYTES = 1 << 20


def decode_files(paths: Iterable[Path], *, raw: bool, labels: str, out: BinaryIO) -> bool:
    """Write every record of the files in *paths* as a line of JSON to *out*; return whether anything was damaged.

    What is lost or broken is told on stderr with its place.  Raises QueryError for what cannot be asked.
    """
    if labels and (labels not in LANGUAGES or raw):
        allowed = " or ".join(LANGUAGES) + ", and not with --raw"
        why = f"There are no labels in {labels!r} here."
        raise QueryError("invalid-labels", why, parameter="labels", value=labels, allowed=allowed)
    damaged = False
    for path in paths:
        damaged |= _decode_file(path, Selection(raw=raw, labels=labels), out)
    return damaged


def _decode_file(path: Path, selection: Selection, out: BinaryIO) -> bool:
    write = RecordText(selection)
    records = padded = unknown = broken = lost = 0
    try:
        for item in frames(_chunks(path)):
            if isinstance(item, Damage):
                lost += item.length
                typer.echo(f"{path}: {item.length} bytes lost at byte {item.offset}: {item.why}", err=True)
                continue
            errors: Errors = []
            out.write(write(item, errors) + b"\n")
            records += 1
            padded += item.padded > 0
            unknown += item.layout is None
            broken += bool(errors)
    except ArchiveError as exc:
        typer.echo(f"{path}: {exc.why}", err=True)
        return True
    out.flush()
    typer.echo(f"{path}: {_summary(records, padded, unknown, broken, lost)}", err=True)
    return bool(lost or broken)


def _summary(records: int, padded: int, unknown: int, broken: int, lost: int) -> str:
    parts = [f"{records} records"]
    parts += [f"{count} {what}" for count, what in ((padded, "padded back"), (unknown, "of unknown type"),
              (broken, "with damaged fields"), (lost, "bytes lost")) if count]  # fmt: skip
    return ", ".join(parts)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of the file, expanded.  Raises ArchiveError when it cannot be read to its end."""
    try:
        with path.open("rb") as file:
            chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
            yield from expanded(chunks) if path.suffix == ".zst" else chunks
    except OSError as exc:
        raise ArchiveError(str(path), f"cannot be read: {exc.strerror}") from exc
    except zstandard.ZstdError as exc:
        raise ArchiveError(str(path), f"cannot be expanded: {exc}") from exc
