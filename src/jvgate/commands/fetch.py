"""`jvgate fetch`: one data spec through the source, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from jvgate.commands.log import set_up_log
from jvgate.commands.output import output_format, writing
from jvgate.gateway.streams import Streams
from jvgate.jvlink.request import Progress as Read
from jvgate.question.parsing import parse_question
from jvgate.render.answers import render
from jvgate.render.formats.registry import FORMATS, charsets, offered_formats
from jvgate.render.formats.writers import RecordWriter
from jvgate.render.negotiation import check
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import source_of
from jvgate.settings import load_settings
from jvgate.spec.spec import Spec, load_spec
from jvgate.values import Question

__all__ = ["fetch_answer"]

# A command has one reader and time: larger than the server allows, still bounded.
LIMIT_BYTES = 8 << 30


def fetch_answer(
    dataspec: str, parameters: Mapping[str, Sequence[str]], output: Path | None, *, source: str | None
) -> None:
    """Write the answer to the question that *parameters* ask, as the server would give it.

    Progress goes to stderr.  Raises QueryError, SettingsError and what reading and writing raise.
    """
    settings = load_settings(source=source)
    origin = source_of(settings)
    spec = load_spec(origin.provider, any_course=origin.any_course)
    word = output_format(output, next(iter(parameters.get("format", ())), None), default="json")
    formats = offered_formats(settings)
    given = {**parameters, "format": [word]}
    question = check(parse_question(dataspec, given, spec, formats=formats, charsets=charsets(formats)), spec)
    set_up_log(settings.log_format)
    pool = Pool(origin, spec, sessions=1, limit_bytes=LIMIT_BYTES, queue_limit=1)
    with writing(output) as file:
        asyncio.run(_fetch(question, spec, pool, file))


async def _fetch(question: Question, spec: Spec, pool: Pool, file: BinaryIO) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TextColumn("{task.fields[size]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    chosen = FORMATS[question.selection.format]
    with Progress(*columns, console=Console(stderr=True)) as bars:
        async with pool:
            if chosen.fetched is not None:
                await _stream(
                    question, spec, chosen.fetched(question, spec), pool, file, _shower(bars, question.dataspec)
                )
                return
            reads = [await pool.read(query, on_progress=_shower(bars, query.dataspec)) for query in question.queries]
    body = await asyncio.to_thread(lambda: render(question, reads, spec).answer.body)
    file.write(body if not chosen.is_text or body.endswith(b"\n") else body + b"\n")


async def _stream(
    question: Question,
    spec: Spec,
    writer: RecordWriter,
    pool: Pool,
    file: BinaryIO,
    show: Callable[[Read], None],
) -> None:
    """Write the records while they are read."""
    streams = Streams(pool, spec, stall_s=float("inf"))
    try:
        async with streams.open(question, writer=writer) as stream:
            async for piece in stream.pieces:
                await asyncio.to_thread(file.write, piece)
                show(stream.progress)
    finally:
        streams.close()


def _shower(bars: Progress, name: str) -> Callable[[Read], None]:
    """Return what moves a bar of its own; rich takes calls from the session's thread."""
    bar, began = bars.add_task(name, total=None, size=""), monotonic()

    def show(read: Read) -> None:
        rate = read.bytes_read / 1e6 / max(monotonic() - began, 1e-3)
        size = f"{read.records_read} records, {read.bytes_read / 1e6:.1f} MB, {rate:.1f} MB/s"
        bars.update(bar, total=read.files or None, completed=read.files_read, size=size)

    return show
