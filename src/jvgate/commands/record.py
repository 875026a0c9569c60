"""`jvgate record`: data specs from any source into an archive folder, resumable at any point."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from jvgate.commands.log import set_up_log
from jvgate.errors import QueryError, SessionHung, SourceError, WorkerLost
from jvgate.gateway import source_of
from jvgate.jvlink.request import Request, Summary
from jvgate.question import parse_question
from jvgate.sessions.collecting import request_of
from jvgate.sessions.pool import Pool
from jvgate.sessions.recording import Mark, Recording, exclusive
from jvgate.settings import load_settings
from jvgate.values import Query

__all__ = ["record_all"]

TRIES = 3  # opens in a row that bring no file, when workers are lost
LOOK_S = 0.2
EXIT_INTERRUPTED = 130
_GOES_ON = "What was recorded stays; the same command goes on from there."
_FROM_THE_MARK = "19860101"  # stands in for a from-time while the question is read


def record_all(
    dataspecs: Sequence[str],
    parameters: Mapping[str, Sequence[str]],
    folder: Path,
    *,
    is_compressed: bool,
    source: str | None,
) -> bool:
    """Record each of *dataspecs* into *folder*; return whether all of them came to their end.

    parameters: as of the data route (from_time, to_time, option, key, record).  Progress and results go to stderr.
    Raises QueryError, SettingsError, and OSError for a folder that cannot be written.
    """
    queries = [query for dataspec in dataspecs for query in _queries(dataspec, parameters)]
    settings = load_settings(source=source)
    set_up_log(settings.log_format)
    pool = Pool(source_of(settings), sessions=1, limit_bytes=0, queue_limit=1)
    try:
        return asyncio.run(_record_all(pool, queries, "from_time" in parameters, folder, is_compressed))
    except KeyboardInterrupt:
        typer.echo(f"jvgate: interrupted. {_GOES_ON}", err=True)
        raise SystemExit(EXIT_INTERRUPTED) from None


def _queries(dataspec: str, parameters: Mapping[str, Sequence[str]]) -> tuple[Query, ...]:
    """Return what is asked for; without a from-time, stored data go on from their mark."""
    is_stored = not dataspec.startswith("0B")
    stand_in = {"from_time": [_FROM_THE_MARK]} if is_stored and "from_time" not in parameters else {}
    return parse_question(dataspec, {**parameters, **stand_in}, formats=("json",)).queries


async def _record_all(pool: Pool, queries: Sequence[Query], has_from: bool, folder: Path, is_compressed: bool) -> bool:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"),
               TextColumn("{task.fields[size]}"), TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    is_whole = True
    async with pool:
        for query in queries:
            with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
                try:
                    told = await _record(pool, query, has_from, folder / query.dataspec, is_compressed, bars)
                except SourceError as exc:
                    told, is_whole = f"{exc}. {_GOES_ON}", False
                except QueryError as exc:
                    told, is_whole = str(exc), False
            typer.echo(f"{query.dataspec}: {told}", err=True)
    return is_whole


async def _record(
    pool: Pool, query: Query, has_from: bool, folder: Path, is_compressed: bool, bars: Progress
) -> str:  # fmt: skip
    """Record one data spec and return what to tell of it."""
    with exclusive(folder):
        mark = None if query.is_realtime else Mark.read(folder)
        query = _with_start(query, mark, has_from)
        only_name = f"{query.key}.jvd" if query.is_realtime else ""  # as an archive names what a key gives
        recording = Recording(folder, is_compressed=is_compressed, only_name=only_name)
        already = frozenset() if query.is_realtime else recording.have(query.from_time)
        summary = await _read(pool, query, recording, already, bars)
        if not query.is_realtime:
            _advance(query, mark, summary, folder)
    there = f", {len(already)} there already" if already else ""
    size = f"{recording.records_added} records, {recording.added_bytes / 1e6:.1f} MB"
    return f"{len(recording.added)} files recorded ({size}){there}"


def _with_start(query: Query, mark: Mark | None, has_from: bool) -> Query:
    """Return the query with its from-time.  Raises QueryError where there is none, or one way does not fit another."""
    if query.is_realtime:
        return query
    if mark is not None and (mark.option, mark.records) != (query.option, query.records):
        how = f"--option {mark.option}" + (f" --record {','.join(mark.records)}" if mark.records else "")
        why = f"{query.dataspec} has been recorded there with {how}."
        raise QueryError("parameter-not-allowed", why, parameter="record", value=str(query),
                         allowed="the same, or another folder")  # fmt: skip
    if has_from:
        return query
    if mark is None:
        why = f"{query.dataspec} has not been recorded there yet, so that there is nothing to go on from."
        raise QueryError("invalid-from-time", why, parameter="from_time", value=None, allowed="--from YYYYMMDD")
    return replace(query, from_time=mark.last_file_timestamp)


async def _read(
    pool: Pool, query: Query, recording: Recording, already: frozenset[str], bars: Progress
) -> Summary:  # fmt: skip
    """Read until everything is recorded; a worker that is lost costs the file that it was at."""
    request = replace(request_of(query, limit_bytes=None), have=already)
    tries = 0
    while True:
        recorded = len(recording.added)
        try:
            summary = await _watched(pool, _less(request, recording, query), recording, query.dataspec, bars)
        except (WorkerLost, SessionHung):
            recording.discard()
            tries = 1 if len(recording.added) > recorded else tries + 1
            if tries >= TRIES:
                raise
        except SourceError:
            recording.discard()
            raise
        else:
            recording.finish()
            return summary


def _less(request: Request, recording: Recording, query: Query) -> Request:
    return request if query.is_realtime else replace(request, have=request.have | frozenset(recording.added))


async def _watched(pool: Pool, request: Request, recording: Recording, name: str, bars: Progress) -> Summary:
    """Read, with a bar that shows how far it has come."""
    bar = bars.add_task(name, total=None, size="")
    reading = asyncio.create_task(pool.read_into(request, recording))
    try:
        while not (await asyncio.wait([reading], timeout=LOOK_S))[0]:
            latest = recording.latest
            size = f"{(recording.added_bytes + latest.bytes_read) / 1e6:.1f} MB"
            bars.update(bar, total=latest.files or None, completed=latest.files_read, size=size)
        return reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        bars.remove_task(bar)


def _advance(query: Query, mark: Mark | None, summary: Summary, folder: Path) -> None:
    """Write how far it has been recorded, unless that would pass over a stretch that nobody has asked for."""
    newest = summary.last_file_timestamp
    if not newest or (mark is not None and not query.from_time <= mark.last_file_timestamp < newest):
        return
    Mark(newest, query.option, query.records).write(folder)
