"""A JV-Link with pictures and videos, which neither the demo nor an archive has, behind the real application."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import pytest

from jvgate.gateway import opening
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.simulator import Simulator
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.sources.registry import parse_source
from jvgate.settings import Settings
from tests.specs import JRA
from tests.web.conftest import Client, running

GIF = b"GIF89a of a course"
LOCKED = "20260101"  # a week for whose workouts the right is missing
WORKOUTS = ["202611112023100001", "202611122023100002"]


@dataclass
class Offer:
    """What JV-Link was asked for; `gate` holds every call back while it is closed."""

    folder: Path
    calls: list[tuple[str, ...]] = field(default_factory=list)
    gate: Event = field(default_factory=Event)

    def note(self, *call: str) -> None:
        self.calls.append(call)
        assert self.gate.wait(30)


class Offering(Simulator):
    """Knows the course Tokyo, turf, 2400 m, the race video of race 11 there, and two workouts."""

    offer: Offer
    lines: list[str]

    def JVCourseFile(self, key, filepath, explanation):
        self.offer.note("JVCourseFile", key)
        if not key.endswith("05240011"):
            return -1, "", ""
        path = self.offer.folder / "course.gif"
        path.write_bytes(GIF)
        return 0, str(path), "左回り"

    def JVMVCheckWithType(self, movietype, key):
        self.offer.note("JVMVCheckWithType", movietype, key)
        return {"11": 1, "10": 0}.get(key[-2:], -1)

    def JVMVOpen(self, movietype, searchkey):
        self.offer.note("JVMVOpen", movietype, searchkey)
        self.lines = list(WORKOUTS)
        return {"11": 0, "12": -1}[movietype] if searchkey != LOCKED else -304

    def JVMVRead(self, buff, size):
        line = f"{self.lines.pop(0)}\r\n" if self.lines else ""
        return len(line), line, size


@contextmanager
def offering(folder: Path, **given: object) -> Iterator[tuple[Client, Offer]]:
    """Serve a source that has everything; its gate is open."""
    offer = Offer(folder)
    offer.gate.set()

    def make(channel):
        link = Offering(ArchiveShelf(str(folder), JRA), {}, now=source.clock.now)
        link.offer = offer
        return nullcontext(link)

    source = replace(parse_source("demo:"), start=lambda: ThreadWorker(Holding(make=make)))
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opening, "source_of", lambda settings, **listeners: source)
            client = stack.enter_context(running(Settings(**given)))
            client.get("/healthz")  # it has begun, with this source
        stack.callback(offer.gate.set)
        yield client, offer
