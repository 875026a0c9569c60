"""`jvgate record`: data specs from any source into an archive folder, resumable at any point."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from jvgate.commands.log import set_up_log
from jvgate.errors import SESSION_LOST, ArchiveError, QueryError, SettingsError, SourceError
from jvgate.jvlink.request import Progress as Read
from jvgate.jvlink.request import Request, Summary
from jvgate.question.parsing import parse_question
from jvgate.sessions.archive.archive_id import ArchiveId
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.sessions.archive.rawfile import shown
from jvgate.sessions.archive.recording import Recording, exclusive
from jvgate.sessions.archive.resume import SETUP, Mark, advanced, readable, resumed
from jvgate.sessions.collecting import request_of
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.archive import parse_archive
from jvgate.sessions.sources.demo import parse_demo
from jvgate.sessions.sources.registry import source_of
from jvgate.sessions.sources.source import Source
from jvgate.settings import load_settings
from jvgate.spec.spec import Spec, load_spec
from jvgate.values import Query

__all__ = ["record_all"]

TRIES = 3  # opens in a row that bring no file, when workers are lost
LOOK_S = 0.2
EXIT_INTERRUPTED = 130
_GOES_ON = "What was recorded stays; the same command goes on from there"
_FROM_THE_MARK = "19860101"  # stands in for a from-time while the question is read


@dataclass(frozen=True, slots=True)
class _Way:
    """What holds for every data spec of one call.

    origin: what made the data, as `Mark` has it.  place: the archive that is recorded, None for other sources.
    """

    folder: Path
    source: Source
    spec: Spec
    origin: str
    place: Path | None
    has_from: bool
    is_compressed: bool


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
    Raises QueryError, SettingsError, ArchiveError for a folder of another provider's data, and OSError, in words, for
    what cannot be written.
    """
    settings = load_settings(source=source)
    origin = source_of(settings)
    spec = load_spec(origin.provider, any_course=origin.any_course)
    queries = list(dict.fromkeys(query for dataspec in dataspecs for query in _queries(dataspec, parameters, spec)))
    set_up_log(settings.log_format)
    way = _Way(
        folder,
        origin,
        spec,
        _origin(settings.source),
        _place(settings.source),
        has_from="from_time" in parameters,
        is_compressed=is_compressed,
    )
    _check_apart(way)
    try:
        ArchiveId.ensure(folder, provider=spec.provider, origin=way.origin)
        return asyncio.run(_record_all(queries, way))
    except KeyboardInterrupt:
        typer.echo(f"jvgate: interrupted. {_GOES_ON}.", err=True)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except OSError as exc:  # reading has errors of its own
        raise OSError(exc.errno, f"{exc.strerror or exc} ({exc.filename or folder}). {_GOES_ON}") from exc


def _queries(dataspec: str, parameters: Mapping[str, Sequence[str]], spec: Spec) -> tuple[Query, ...]:
    """Return what is asked for; without a from-time, stored data go on from their mark."""
    is_stored = not dataspec.startswith("0B")
    stand_in = {"from_time": [_FROM_THE_MARK]} if is_stored and "from_time" not in parameters else {}
    return parse_question(dataspec, {**parameters, **stand_in}, spec, formats=("json",)).queries


def _origin(url: str) -> str:
    """Return what makes the data of a source, "" for JRA-VAN: whatever way they come, they are the same."""
    scheme = url.partition(":")[0]
    return f"demo:?seed={parse_demo(url).seed}" if scheme == "demo" else "nvlink:" if scheme == "nvlink" else ""


def _place(url: str) -> Path | None:
    return Path(parse_archive(url).place).expanduser().resolve() if url.startswith("archive:") else None


def _check_apart(way: _Way) -> None:
    """Refuse to record an archive into itself: a narrower recording would replace what it reads."""
    folder = way.folder.resolve()
    if way.place is not None and (way.place in (folder, *folder.parents) or folder in way.place.parents):
        why = f"{way.folder} and the source lie in one another."
        raise SettingsError("--output (-o)", why, allowed="a folder apart from the source's")


async def _record_all(queries: Sequence[Query], way: _Way) -> bool:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TextColumn("{task.fields[size]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    is_whole = True
    async with Pool(way.source, way.spec, sessions=1, limit_bytes=0, queue_limit=1) as pool:
        for query in queries:
            with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
                try:
                    told = await _record(_Reader(pool, way.spec, bars), query, way)
                except ArchiveError as exc:
                    told, is_whole = f"{exc}.", False
                except SourceError as exc:
                    told, is_whole = f"{exc}. {_GOES_ON}.", False
                except QueryError as exc:
                    told, is_whole = str(exc), False
            typer.echo(f"{query.dataspec}: {told}", err=True)
    return is_whole


async def _record(reader: _Reader, query: Query, way: _Way) -> str:
    """Record one data spec and return what to tell of it."""
    folder = way.folder / query.dataspec
    with exclusive(folder):
        only_name = f"{query.key}.jvd" if query.is_realtime else ""  # as an archive names what a key gives
        recording = Recording(folder, is_compressed=way.is_compressed, only_name=only_name)
        before = Mark.read(folder)
        mark, query = resumed(query, before, origin=way.origin, has_from=way.has_from, is_empty=recording.is_empty)
        if mark != before:
            mark.write(folder)
        have: frozenset[str] = frozenset()
        if not query.is_realtime:
            _check_names(query.dataspec, way)
            # A set-up goes on by names, as JRA-VAN has it: its files stand for years, whatever they are called.
            by_name = query.option in SETUP and not mark.last_file_timestamp
            have = recording.have(query.from_time, by_name=by_name)
        try:
            summary = await reader.read(query, recording, have)
        finally:
            recording.close()
        if not query.is_realtime:
            after = advanced(mark, query, summary.last_file_timestamp)
            if after != mark:
                after.write(folder)
            mark = after
    return _told(recording, len(have), mark.last_file_timestamp)


def _told(recording: Recording, there: int, reached: str) -> str:
    size = f"{recording.records_added} records, {recording.added_bytes / 1e6:.1f} MB"
    already = f", {there} there already" if there else ""
    complete = f"; complete up to {readable(reached)}" if reached else ""
    return f"{len(recording.added)} files recorded ({size}){already}{complete}"


def _check_names(dataspec: str, way: _Way) -> None:
    """Raise ArchiveError when an archive has files of one name for *dataspec*, in different folders.

    Before the first is read: a later run knows a file by its name, and would take one of them for both.
    """
    place = way.place
    if place is None or max(Counter(_names(place, dataspec, way.spec)).values(), default=1) == 1:
        return
    shelved = ArchiveShelf(place, way.spec).stored(dataspec, now=way.source.clock.now(), setup=False)
    names = Counter(file.name.casefold() for file in shelved)
    if equal := [name for name, count in names.items() if count > 1]:
        why = f"several files of {dataspec} in it have one name, such as {equal[0]}; rename all but one of these"
        raise ArchiveError(str(place), why)


def _names(place: Path, dataspec: str, spec: Spec) -> Iterator[str]:
    """Yield the name of each file that may belong to *dataspec*, whatever lies in it; quick."""
    for folder, folders, files in os.walk(place):
        if Path(folder) == place:
            folders[:] = [name for name in folders if name == dataspec or not spec.is_dataspec(name)]
        yield from {shown(name).removesuffix(".zst").casefold() for name in files if not name.startswith(".")}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads through a pool, and shows how far it has come."""

    pool: Pool
    spec: Spec
    bars: Progress

    async def read(self, query: Query, recording: Recording, have: frozenset[str]) -> Summary:
        """Read until everything is recorded; a worker that is lost costs the file that it was at."""
        request = replace(request_of(query, self.spec, limit_bytes=None), have=have)
        bar = self.bars.add_task(query.dataspec, total=None, size="")
        lost = 0
        while True:
            recorded = len(recording.added)
            done = frozenset() if query.is_realtime else frozenset(recording.added)
            try:
                summary = await self._watched(replace(request, have=have | done), recording, bar)
            except SESSION_LOST as exc:
                recording.discard()
                lost = 1 if len(recording.added) > recorded else lost + 1
                if lost >= TRIES:
                    raise
                told = f"{query.dataspec}: {exc}; going on after {len(recording.added)} files"
                self.bars.console.print(told, markup=False, highlight=False, soft_wrap=True)
            else:
                await asyncio.to_thread(recording.finish)
                return summary

    async def _watched(self, request: Request, recording: Recording, bar: TaskID) -> Summary:
        """Read, and move the bar."""
        reading = asyncio.create_task(self.pool.read_into(request, recording))
        began, before = time.monotonic(), recording.seen_bytes
        try:
            while not (await asyncio.wait([reading], timeout=LOOK_S))[0]:
                rate = (recording.seen_bytes - before) / (time.monotonic() - began)
                self._show(bar, request.dataspec, recording.latest, recording.seen_bytes, rate)
            return reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _show(self, bar: TaskID, name: str, latest: Read, size: int, rate: float) -> None:
        is_download = latest.downloaded < latest.downloads
        self.bars.update(
            bar,
            description=f"{name} (download)" if is_download else name,
            total=(latest.downloads if is_download else latest.files) or None,
            completed=latest.downloaded if is_download else latest.files_read,
            size=f"{size / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s",
        )
