"""Where the data comes from, named by a URL: `demo:` (a generated season), `archive:DIR` (a folder of raw JV-Data)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

from jvgate.errors import SettingsError
from jvgate.jvlink.interface import JVLink
from jvgate.jvlink.rules import DataspecRule
from jvgate.jvlink.shelf import Shelf
from jvgate.jvlink.simulator import Latency, Simulator
from jvgate.sessions.archive import ArchiveShelf
from jvgate.spec.dataspecs import dataspecs

__all__ = ["JST", "Source", "parse_source"]

JST = timezone(timedelta(hours=9), "JST")

_SETTING = "JVGATE_SOURCE (--source)"
_SOURCES = "demo: (a generated season) or archive:DIR (a folder of raw JV-Data)."
_CLOCK_AND_LATENCY = ("date", "speed", "open_ms", "read_us", "download_ms")
_NOON = 12
_BUFFER_BYTES = 1 << 24  # a damaged archive may hold longer stretches without CR LF than any record


@dataclass(frozen=True, slots=True)
class Source:
    """One source of data, shared by all sessions.

    name: its URL.  now: what time it is there, naive, Japan Standard Time.  check: raises SourceError when it
    cannot serve.  one_type_per_file: whether its stored files keep to JV-Link's promise of one record type each.
    buffer_bytes: what a session gives JVGets.
    """

    name: str
    make_link: Callable[[], JVLink]
    check: Callable[[], None]
    now: Callable[[], datetime]
    one_type_per_file: bool
    buffer_bytes: int = _BUFFER_BYTES


def parse_source(url: str) -> Source:
    """Return the source that *url* names, without looking at it yet.

    Raises SettingsError that names what is allowed.
    """
    scheme, colon, rest = url.partition(":")
    place, _, query = rest.partition("?")
    if scheme == "demo" and colon:
        return _demo(url, place, _parameters(query, allowed=("seed", *_CLOCK_AND_LATENCY)))
    if scheme == "archive" and colon:
        return _archive(url, place, _parameters(query, allowed=_CLOCK_AND_LATENCY))
    if scheme in ("jvlink", "agent"):
        raise SettingsError(_SETTING, f"this version has no source {scheme}: yet.", allowed=_SOURCES)
    raise SettingsError(_SETTING, f"{url!r} names no source.", allowed=_SOURCES)


def _demo(url: str, place: str, parameters: Mapping[str, str]) -> Source:
    from jvgate.season.shelf import SeasonShelf  # noqa: PLC0415 - the season is loaded only where it is played

    if place:
        raise SettingsError(_SETTING, f"demo: takes no place ({place!r}).", allowed="demo:?seed=1&date=2026-11-08")
    return _simulated(url, SeasonShelf(_whole(parameters, "seed", default=1)), parameters, one_type_per_file=True)


def _archive(url: str, place: str, parameters: Mapping[str, str]) -> Source:
    if not place:
        raise SettingsError(_SETTING, "archive: needs a folder.", allowed="archive:DIR, such as archive:/data/jv")
    shelf = ArchiveShelf(place)
    return _simulated(url, shelf, parameters, one_type_per_file=False, check=shelf.check)


def _simulated(
    url: str,
    shelf: Shelf,
    parameters: Mapping[str, str],
    *,
    one_type_per_file: bool,
    check: Callable[[], None] = lambda: None,
) -> Source:
    latency = Latency(*(_number(parameters, name) for name in ("open_ms", "read_us", "download_ms")))
    now = _clock(parameters)
    rules = _rules()
    return Source(
        name=url,
        make_link=lambda: Simulator(shelf, rules, now=now, latency=latency),
        check=check,
        now=now,
        one_type_per_file=one_type_per_file,
    )


def _rules() -> Mapping[str, DataspecRule]:
    return {
        spec.id: DataspecRule(spec.is_realtime, spec.options, spec.end_allowed, spec.key_forms)
        for spec in dataspecs().values()
    }


def _clock(parameters: Mapping[str, str]) -> Callable[[], datetime]:
    """Return the source's clock: the real one; or from noon of `date` on, `speed` times as fast, by default still."""
    if "date" not in parameters and "speed" not in parameters:
        return _real_now
    start = _noon(parameters["date"]) if "date" in parameters else _real_now()
    speed, began = _number(parameters, "speed"), time.monotonic()
    return lambda: start + timedelta(seconds=(time.monotonic() - began) * speed)


def _real_now() -> datetime:
    return datetime.now(JST).replace(tzinfo=None)


def _parameters(query: str, *, allowed: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of a URL.  Raises SettingsError for unknown ones and for a name given twice."""
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        raise SettingsError(_SETTING, f"the source has no parameter {unknown[0]!r}.", allowed=", ".join(allowed))
    if len(parameters) < len(pairs):
        raise SettingsError(_SETTING, "a parameter is given twice.", allowed="each once")
    return parameters


def _noon(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(hour=_NOON)
    except ValueError as exc:
        raise SettingsError(_SETTING, f"date={text} is no day.", allowed="YYYY-MM-DD") from exc


def _number(parameters: Mapping[str, str], name: str) -> float:
    """Return a parameter that is a number from 0 to a million, 0 when it is not given."""
    text = parameters.get(name, "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1_000_000:
        raise SettingsError(_SETTING, f"{name}={text} is out of range.", allowed="a number from 0 to 1000000")
    return number


def _whole(parameters: Mapping[str, str], name: str, *, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SettingsError(_SETTING, f"{name}={text} is no whole number.", allowed="0 to 999999999999999999")
    return int(text)
