"""Does a question to an archive of 50,000 files cost what it costs on 10 files?

A warm session process, whose answer is not in any cache: the index is checked, the files are selected, one is read.
And a file that is new among 50,000, against the listing of their names.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main
from jvgate.jvlink.rules import FromTime, select
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["measure"]

MANY, FEW, TRIAL = 50_000, 10, 500
SETTLE_S = 2.1  # a folder that changed just now is listed at every question
NOW = datetime(2026, 11, 24)
RECORD = b"RA7202611082026110805081111".ljust(1270) + b"\r\n"
SAME_ORDER = Wanted(least_ratio=0.2)


def measure(effort: Effort) -> list[Figure]:
    """Return a cold question of both kinds of folders, and the processor's time for a new file."""
    many = MANY if effort is FULL else TRIAL
    place = Path(tempfile.mkdtemp())
    with patch.dict(os.environ, XDG_CACHE_HOME=str(place / "cache")):
        try:
            figures = [_questions(place, effort, many, folder) for folder in ("RACE", "plain")]
            return [*figures, _new_file(place / f"RACE-{many}" / "RACE", effort)]
        finally:
            shutil.rmtree(place)


def _questions(place: Path, effort: Effort, many: int, folder: str) -> Figure:
    asks = [_question(_archive(place / f"{folder}-{count}" / folder, count)) for count in (many, FEW)]
    time.sleep(SETTLE_S)
    for ask in asks:
        ask()
    ours, few = zip(*[[_timed_us(ask, time.perf_counter) for ask in asks] for _ in range(effort.rounds)], strict=True)
    name = f"cold question to {many} files, {folder}, against {FEW} files"
    return Figure(name, Sample("us", ours), Sample("us", few), SAME_ORDER)


def _archive(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        day = f"{2010 + number % 16}{1 + number % 12:02}{1 + number % 28:02}"
        (folder / f"RASW{number:07}{day}140000.jvd").write_bytes(RECORD)
    (folder / "RASW20261123140000.jvd").write_bytes(RECORD)  # the answer
    return folder.parent


def _question(archive: Path) -> Callable[[], None]:
    shelf = ArchiveShelf(archive, JRA)

    def ask() -> None:
        files = shelf.stored("RACE", now=NOW, setup=False)
        found = select(files, FromTime("20261101000000", ""), option=1, now=NOW)
        assert [file.read() for file in found] == [[RECORD]]

    return ask


def _new_file(folder: Path, effort: Effort) -> Figure:
    shelf = ArchiveShelf(folder.parent, JRA)
    known = len(shelf.stored("RACE", now=NOW, setup=False))
    ours, listing = [], []
    for number in range(effort.rounds):
        (folder / f"RANEW{number}20261101140000.jvd").write_bytes(RECORD)
        ours.append(_timed_us(lambda: shelf.stored("RACE", now=NOW, setup=False), time.process_time))
        listing.append(_timed_us(lambda: os.listdir(folder), time.process_time))  # noqa: PTH208  (as bare as it gets)
        assert len(shelf.stored("RACE", now=NOW, setup=False)) == known + number + 1
    name = f"a file new among {known}, against a listing of their names (processor's time)"
    return Figure(name, Sample("us", tuple(ours)), Sample("us", tuple(listing)))


def _timed_us(do: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    do()
    return max(clock() - began, 1e-6) * 1e6


if __name__ == "__main__":
    sys.exit(main(measure))
