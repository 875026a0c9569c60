"""`jvgate fetch`: one data spec through the source, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jvgate.commands.log import set_up_log
from jvgate.jvlink.request import Progress as Read
from jvgate.opening import source_of
from jvgate.question import parse_question
from jvgate.render.forms import render
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources import Source
from jvgate.settings import load_settings
from jvgate.values import Dataset, Question

__all__ = ["fetch_answer"]

# A command has one reader and time: larger than the server allows, still bounded.
LIMIT_BYTES = 8 << 30


def fetch_answer(dataspec: str, parameters: Mapping[str, Sequence[str]], *, source: str | None) -> bytes:
    """Return the JSON answer to the question that *parameters* ask, as the server would give it.

    Progress goes to stderr.  Raises QueryError, SettingsError and what reading raises.
    """
    question = parse_question(dataspec, parameters, formats=("json",))
    settings = load_settings(source=source)
    set_up_log(settings.log_format)
    datasets = asyncio.run(_read(question, source_of(settings)))
    return render(question, datasets).answer.body


async def _read(question: Question, source: Source) -> list[Dataset]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"),
               TextColumn("{task.fields[size]}"), TimeElapsedColumn())  # fmt: skip
    pool = Pool(source, sessions=1, limit_bytes=LIMIT_BYTES, queue_limit=1)
    with Progress(*columns, console=Console(stderr=True)) as bars:
        async with pool:
            return [await pool.read(query, on_progress=_shower(bars, query.dataspec)) for query in question.queries]


def _shower(bars: Progress, dataspec: str) -> Callable[[Read], None]:
    """Return what moves a bar of its own; rich takes calls from the session's thread."""
    bar = bars.add_task(dataspec, total=None, size="")

    def show(read: Read) -> None:
        bars.update(bar, total=read.files or None, completed=read.files_read, size=f"{read.bytes_read / 1e6:.1f} MB")

    return show
