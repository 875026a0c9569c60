"""The sources that the simulator plays, `demo:` and `archive:DIR`; and the process that holds one of its sessions.

The server reads a URL to know its source; each worker process reads the same URL to play it.  Their clocks agree,
since both count from the moment that the server began.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
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
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.spec.jst import JST
from jvgate.spec.spec import Provider, Spec, load_spec
from jvgate.values import SourceClock

__all__ = ["Play", "holding_of", "parse_play"]

SETTING = "JVGATE_SOURCE (--source)"

_CLOCK_AND_LATENCY = ("date", "speed", "open_ms", "read_us", "download_ms", "fault")
_NOON = 12
_BUFFER_BYTES = 1 << 24  # a damaged archive may hold longer stretches without CR LF than any record
_WATCH_S = 0.5
_DIALOG = {"title": "JV-Link", "text": "新しいバージョンがあります。", "buttons": ["はい", "いいえ"]}


@dataclass(frozen=True, slots=True)
class Play:
    """What the simulator plays.  place: the archive's folder, "" for the generated season.

    date: noon of it is when the clock begins, None for the real time; speed: how fast it runs from there.
    faults: rate by name, 0 to 1.  provider: whose data they are.
    """

    place: str = ""
    provider: Provider = "jra"
    seed: int = 1
    date: datetime | None = None
    speed: float | None = None
    latency: Latency = field(default_factory=Latency)
    faults: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_demo(self) -> bool:
        """Whether it is the generated season."""
        return not self.place

    def clock(self, began: float) -> SourceClock:
        """Return the source's clock.  began: seconds since the epoch."""
        if self.date is None and self.speed is None:
            return SourceClock()
        return SourceClock(self.date or _japan(began), began=began, speed=self.speed or 0.0)


def parse_play(url: str) -> Play:
    """Return what *url* (`demo:…` or `archive:DIR…`) plays.  Raises SettingsError that names what is allowed."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    if scheme == "demo" and place:
        raise SettingsError(SETTING, f"demo: takes no place ({place!r}).", allowed="demo:?seed=1&date=2026-11-08")
    if scheme == "archive" and not place:
        raise SettingsError(SETTING, "archive: needs a folder.", allowed="archive:DIR, such as archive:/data/jv")
    own = "seed" if scheme == "demo" else "provider"
    parameters, faults = _parameters(query, (own, *_CLOCK_AND_LATENCY))
    return Play(
        place=place,
        provider=provider_named(parameters.get("provider", "jra")),
        seed=_whole(parameters, "seed", default=1),
        date=_noon(parameters["date"]) if "date" in parameters else None,
        speed=_number(parameters, "speed") if "speed" in parameters else None,
        latency=Latency(*(_number(parameters, name) for name in ("open_ms", "read_us", "download_ms"))),
        faults=faults,
    )


def provider_named(text: str) -> Provider:
    """Return the provider that a URL names.  Raises SettingsError."""
    if text == "jra":
        return "jra"
    if text == "nv":
        return "nv"
    raise SettingsError(
        SETTING, f"provider={text} is not known.", allowed="jra (JRA-VAN) or nv (NV-Link, local racing)"
    )


def holding_of(play: Play, spec: Spec, began: float) -> Holding:
    """Return how a session of *play* is held.  The season is loaded here, where it is played, and only here."""
    return Holding(
        make=partial(_make, play, _shelf(play, spec), spec, play.clock(began).now),
        limits=Limits(buffer_bytes=_BUFFER_BYTES, reopen_s=0.05),
        one_type_per_file=play.is_demo,
        pump_s=_WATCH_S if play.is_demo else None,
    )


def main(url: str, began: str) -> int:
    """Hold one session of *url* for the server at the other end of the pipes; return the exit status."""
    channel = own_pipes()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    play = parse_play(url)
    return serve(holding_of(play, load_spec(play.provider), float(began)), channel)


def _shelf(play: Play, spec: Spec) -> Shelf:
    if not play.is_demo:
        return ArchiveShelf(play.place, spec)
    from jvgate.season.shelf import SeasonShelf  # noqa: PLC0415

    return SeasonShelf(spec.layouts, play.seed)


@contextmanager
def _make(
    play: Play, shelf: Shelf, spec: Spec, now: Callable[[], datetime], channel: Channel | None
) -> Iterator[FullJVLink]:  # fmt: skip
    with shelf.renewed() if isinstance(shelf, ArchiveShelf) else nullcontext():
        yield _link(play, shelf, spec, now, channel)


def _link(play: Play, shelf: Shelf, spec: Spec, now: Callable[[], datetime], channel: Channel | None) -> FullJVLink:
    if not play.faults:
        return Simulator(shelf, _Rules(spec), now=now, latency=play.latency, can_refetch=play.is_demo)
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


def _japan(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, JST).replace(tzinfo=None)


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


def _whole(parameters: Mapping[str, str], name: str, *, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SettingsError(SETTING, f"{name}={text} is no whole number.", allowed="0 to 999999999999999999")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
