"""A jvgate whose source stamps its first record with the moment in which it is read, for `streaming.py`.

`python -m benchmarks.stamping PORT` serves it; with `hold` in the place of a port it is one of its worker processes.
The clock is that of the system (CLOCK_MONOTONIC), the same in every process.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import uvicorn

from jvgate.commands.serve import listen, server_config
from jvgate.gateway import opening
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.session_process import own_pipes, serve
from jvgate.jvlink.simulator import Simulator
from jvgate.records.encode import encode
from jvgate.sessions.remote_session import start_process
from jvgate.sessions.sources.registry import parse_source
from jvgate.settings import Settings
from jvgate.spec.spec import load_spec

JRA = load_spec("jra")


__all__ = ["STAMP", "command"]

STAMP = re.compile(rb"T(\d{19})T")
RECORDS, PAUSE_S = 200, 0.002  # so slow that no batch is ever full
RULES = {"RACE": DataspecRule(is_realtime=False, options=(1, 2, 3, 4))}


def command() -> list[str]:
    """Return the command of the server; the port is added by `servers.running`."""
    return [sys.executable, "-m", "benchmarks.stamping"]


class _Records(Sequence[bytes]):
    """Records of runners, the first one named by the moment of its reading."""

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(RECORDS):
            yield _runner(f"T{time.monotonic_ns():019}T")
            time.sleep(PAUSE_S)

    def __len__(self) -> int:
        return RECORDS

    def __getitem__(self, place: object) -> bytes:  # type: ignore[override]
        raise NotImplementedError


def _runner(name: str) -> bytes:
    return encode({"RecordSpec": "SE", "DataKubun": "7", "MakeDate": "2026-11-16", "Bamei": name}, JRA.layouts)


@dataclass(frozen=True)
class _File:
    name: str = "SE.jvd"
    provided: str = "20261116120000"
    size: int = 1 << 20

    def read(self) -> Sequence[bytes]:
        return _Records()


class _Shelf:
    def stored(self, dataspec: str, *, now: datetime, setup: bool) -> Sequence[_File]:
        return [_File()]

    def realtime(self, dataspec: str, key: str, *, now: datetime) -> None:
        return None


def _hold() -> int:
    link = Simulator(_Shelf(), RULES, now=lambda: datetime(2026, 11, 18, 12))
    return serve(Holding(make=lambda channel: nullcontext(link)), own_pipes())


def _serve(port: int) -> None:
    source = replace(parse_source("demo:"), start=partial(start_process, [*command(), "hold"]))
    opening.source_of = lambda settings: source
    settings = Settings(sessions=1)
    uvicorn.Server(server_config(settings)).run([listen(settings.host, port)])


if __name__ == "__main__":
    sys.exit(_hold() if sys.argv[1] == "hold" else _serve(int(sys.argv[1])))
