"""A session as it is shown: what it is at, since when, and how it has fared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from jvgate.jvlink.request import Progress
from jvgate.sessions.lane import Lane

__all__ = ["SessionCounts", "SessionView", "view_of"]


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """The number of sessions in each state.  waiting: reads that wait for a session."""

    busy: int
    idle: int
    resting: int
    waiting: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session as it is shown.  state: new, starting, idle, busy or resting.  for_s: how long it has been so.

    doing: JV-Link's method; job: what is read; facts: what the worker told of itself (pid, bits, version, …).
    """

    id: int
    state: str
    for_s: float
    takes: tuple[str, ...]
    job: str
    doing: str
    dialog: str
    progress: Progress
    opens: int
    faults: int
    last_fault: str
    facts: dict[str, Any]


def view_of(lane: Lane, *, is_idle: bool, is_resting: bool) -> SessionView:
    """Return what there is to see of *lane*.  is_idle, is_resting: what its pool knows of it."""
    activity, worker = lane.activity, lane.worker
    return SessionView(
        id=lane.id,
        state="resting" if is_resting else _state(lane, is_idle=is_idle),
        for_s=round(time.monotonic() - lane.since, 3),
        takes=tuple(sorted(lane.takes)),
        job=lane.job,
        doing=activity.doing if activity else "",
        dialog=activity.dialog if activity else "",
        progress=lane.progress,
        opens=lane.opens,
        faults=lane.faults,
        last_fault=lane.fault,
        facts=dict(worker.facts) if worker else {},
    )


def _state(lane: Lane, *, is_idle: bool) -> str:
    if lane.job:
        return "busy"
    if not is_idle or (lane.worker is not None and not lane.is_open):
        return "starting"
    return "idle" if lane.worker is not None else "new"
