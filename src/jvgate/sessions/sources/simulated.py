"""The sources that the simulator plays: what `demo:` and `archive:DIR` share.

The server reads a URL to know its source; each session process reads the same URL to play it.  Their clocks agree,
since both count from the moment that the server began.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import parse_qsl

import structlog

from jvgate.errors import SettingsError
from jvgate.jvlink.faults import FAULTS, FaultySimulator, Outside
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.interface import FullJVLink
from jvgate.jvlink.request import Limits
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.session_process import own_pipes, serve
from jvgate.jvlink.shelf import Shelf
from jvgate.jvlink.simulator import Latency, Simulator
from jvgate.jvlink.wire import Channel, Kind
from jvgate.sessions.archive.index import ArchiveSummary
from jvgate.sessions.archive.rawfile import shown
from jvgate.sessions.remote_session import start_process
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.sources.source import SETTING, Means, Source
from jvgate.sessions.watchdog import CallLimits
from jvgate.spec.jst import moment_at
from jvgate.spec.spec import Provider, Spec, load_spec
from jvgate.values import SourceClock

__all__ = ["Play", "hold", "parse_play", "serve_session", "simulated_source"]

_PARAMETERS = ("date", "speed", "open_ms", "read_us", "download_ms", "fault")
_NOON = 12
_BUFFER_BYTES = 1 << 24  # a damaged archive may hold longer stretches without CR LF than any record
_DIALOG = {"title": "JV-Link", "text": "新しいバージョンがあります。", "buttons": ["はい", "いいえ"]}


@dataclass(frozen=True, slots=True)
class Play:
    """How the simulator plays a source.

    date: noon of it is when the clock begins, None for the real time; speed: how fast it runs from there.
    faults: rate by name, 0 to 1.
    """

    date: datetime | None = None
    speed: float | None = None
    latency: Latency = field(default_factory=Latency)
    faults: Mapping[str, float] = field(default_factory=dict)

    def clock(self, began: float) -> SourceClock:
        """Return the source's clock.  began: seconds since the epoch."""
        if self.date is None and self.speed is None:
            return SourceClock()
        return SourceClock(self.date or _japan(began), began=began, speed=self.speed or 0.0)

    def identity(self, *parts: str) -> str:
        """Return the identity of a source that is played so.  parts: provider, kind, and what makes its data."""
        clock = [f"date_{self.date:%Y%m%d}"] if self.date is not None else []
        clock += [f"speed_{_shortest(self.speed)}"] if self.speed is not None else []
        faults = [f"fault_{name}_{_shortest(rate)}" for name, rate in sorted(self.faults.items())]
        return ".".join([*parts, *clock, *faults])


def parse_play(query: str, *, own: str) -> tuple[Mapping[str, str], Play]:
    """Return the parameters of a URL's *query*, and what those say that both kinds of source have.

    own: the parameter that only this kind of source has.  Raises SettingsError that names what is allowed.
    """
    parameters, faults = _parameters(query, (own, *_PARAMETERS))
    return parameters, Play(
        date=_noon(parameters["date"]) if "date" in parameters else None,
        speed=_number(parameters, "speed") if "speed" in parameters else None,
        latency=Latency(*(_number(parameters, name) for name in ("open_ms", "read_us", "download_ms"))),
        faults=faults,
    )


def simulated_source(
    url: str,
    play: Play,
    means: Means,
    *,
    identity: str,
    module: str,
    least_s: float,
    provider: Provider = "jra",
    check: Callable[[Spec], None] = lambda spec: None,
    archive: Callable[[Spec], ArchiveSummary] | None = None,
    any_course: bool = False,
) -> Source:
    """Return the source of *url*.

    identity: of its data.  any_course: as in `Source`.
    module: the main module of its session processes; it takes the URL and the time of the server's start.
    least_s: limit of a call that the simulator does not delay.
    """
    began = time.time()
    command = (sys.executable, "-m", module, url, repr(began))
    return Source(
        name=shown(url),
        identity=SourceIdentity(identity),
        start=partial(start_process, command, on_event=means.on_event),
        check=check,
        archive=archive,
        any_course=any_course,
        provider=provider,
        clock=play.clock(began),
        command=command,
        limits=means.limits(_limits(play.latency, least_s)),
        recycling=means.recycling,
    )


def hold(
    play: Play,
    shelf: Shelf,
    spec: Spec,
    began: float,
    *,
    can_refetch: bool = False,
    one_type_per_file: bool = False,
    pump_s: float | None = None,
    renewed: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Holding:
    """Return how a session that plays *shelf* is held.  renewed: entered around each simulator."""

    @contextmanager
    def make(channel: Channel | None) -> Iterator[FullJVLink]:
        with renewed():
            yield _link(play, shelf, spec, play.clock(began).now, channel, can_refetch=can_refetch)

    limits = Limits(buffer_bytes=_BUFFER_BYTES, reopen_s=0.05)
    return Holding(make=make, limits=limits, one_type_per_file=one_type_per_file, pump_s=pump_s)


def serve_session(provider: Provider, holding_of: Callable[[Spec], Holding]) -> int:
    """Hold one session for the server at the other end of this process's pipes; return the exit status."""
    channel = own_pipes()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return serve(holding_of(load_spec(provider)), channel)


def _limits(latency: Latency, least_s: float) -> CallLimits:
    """Return the limits of a simulator, which waits only where it plays slow."""
    open_s = least_s + 2 * latency.open_ms / 1000
    read_s = least_s + 2 * latency.read_us / 1e6
    return CallLimits(open_s=open_s, setup_s=open_s, read_s=read_s, other_s=least_s)


def _link(
    play: Play, shelf: Shelf, spec: Spec, now: Callable[[], datetime], channel: Channel | None, *, can_refetch: bool
) -> FullJVLink:
    if not play.faults:
        return Simulator(shelf, _Rules(spec), now=now, latency=play.latency, can_refetch=can_refetch)
    link = FaultySimulator(shelf, _Rules(spec), now=now, latency=play.latency)
    link.dial(play.faults, _outside(channel), random.Random())
    return link


def _outside(channel: Channel | None) -> Outside:
    if channel is None:  # on a thread: no pipe to spoil, nobody to tell
        return Outside(garble=lambda: None, dialog=lambda: None)
    return Outside(garble=channel.garble, dialog=lambda: channel.send(Kind.DIALOG, 0, _DIALOG))


class _Rules(Mapping[str, DataspecRule]):
    """What each data spec allows; also those that are not known, where the provider may have others."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def __getitem__(self, dataspec: str) -> DataspecRule:
        found = self._spec.dataspec(dataspec)
        if found is None:
            raise KeyError(dataspec)
        return DataspecRule(found.is_realtime, found.options, found.end_allowed, found.key_forms)

    def __iter__(self) -> Iterator[str]:
        return iter(self._spec.dataspecs)

    def __len__(self) -> int:
        return len(self._spec.dataspecs)


def _shortest(number: float) -> str:
    """Return the shortest text of *number* that no other number has."""
    return repr(number).removesuffix(".0")


def _japan(epoch_s: float) -> datetime:
    return moment_at(epoch_s).replace(tzinfo=None)


def _parameters(query: str, allowed: tuple[str, ...]) -> tuple[dict[str, str], dict[str, float]]:
    """Return the parameters of a URL and its faults.  Raises SettingsError for unknown ones and for one given twice."""
    pairs = parse_qsl(query, keep_blank_values=True)
    faults = dict(_fault(value) for name, value in pairs if name == "fault")
    given = [name for name, _ in pairs if name != "fault"] + list(faults)
    parameters = {name: value for name, value in pairs if name != "fault"}
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        raise SettingsError(SETTING, f"the source has no parameter {unknown[0]!r}.", allowed=", ".join(allowed))
    if len(parameters) + len(faults) < len(pairs) or len(set(given)) < len(given):
        raise SettingsError(SETTING, "a parameter is given twice.", allowed="each once; each fault once")
    return parameters, faults


def _fault(text: str) -> tuple[str, float]:
    name, _, rate = text.partition(":")
    try:
        number = float(rate)
    except ValueError:
        number = math.nan
    if name not in FAULTS or not 0 <= number <= 1:
        allowed = f"NAME:RATE, a rate from 0 to 1 and one of {', '.join(FAULTS)}"
        raise SettingsError(SETTING, f"fault={text} is no fault.", allowed=allowed)
    return name, number


def _noon(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(hour=_NOON)
    except ValueError as exc:
        raise SettingsError(SETTING, f"date={text} is no day.", allowed="YYYY-MM-DD") from exc


def _number(parameters: Mapping[str, str], name: str) -> float:
    """Return a parameter that is a number from 0 to a million, 0 when it is not given."""
    text = parameters.get(name, "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1_000_000:
        raise SettingsError(SETTING, f"{name}={text} is out of range.", allowed="a number from 0 to 1000000")
    return number
