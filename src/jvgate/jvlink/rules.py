"""What JV-Link accepts and which files match: the simulator's decisions as plain functions.

Source: JV-Link interface specification 4.9.0.1; `fromtime_semantics` of `spec/data/jra/dataspecs.json`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from jvgate.errors import JVLinkError
from jvgate.jvlink.shelf import ShelfFile

__all__ = ["DataspecRule", "FromTime", "check_open", "check_realtime", "check_sid", "parse_span", "select", "stamp"]

_OPTIONS = (1, 2, 3, 4)
_SID_BYTES = 64
_THIS_WEEK = timedelta(days=7)
_provided = attrgetter("provided")
_FORM_CLASSES = {**dict.fromkeys("YMDKHRN", "[0-9]"), **dict.fromkeys("JT", "[0-9A-Z]")}


@dataclass(frozen=True, slots=True)
class DataspecRule:
    """What one data spec allows.

    options: of JVOpen, for stored data.  key_forms: of JVRTOpen, for real-time data, such as `YYYYMMDDJJRR`.
    """

    is_realtime: bool
    options: tuple[int, ...] = ()
    end_allowed: bool = True
    key_forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FromTime:
    """A from-time taken apart: start < provided <= end, YYYYMMDDhhmmss.  end: "" for none."""

    start: str
    end: str


def check_sid(sid: str) -> int:
    """Return what JVInit answers to *sid*."""
    if not sid:
        return -101
    if len(sid.encode()) > _SID_BYTES:
        return -102
    return -103 if sid.startswith(" ") else 0


def check_open(rules: Mapping[str, DataspecRule], dataspec: str, option: int) -> list[str]:
    """Return the ids that *dataspec* joins.  Raises JVLinkError (-111, -115, -116)."""
    ids = [dataspec[at : at + 4] for at in range(0, len(dataspec), 4)]
    known = all(spec in rules and not rules[spec].is_realtime for spec in ids)
    if not ids or not known or len(set(ids)) < len(ids):
        raise JVLinkError(-111, "JVOpen")
    if option not in _OPTIONS:
        raise JVLinkError(-115, "JVOpen")
    if any(option not in rules[spec].options for spec in ids):
        raise JVLinkError(-116, "JVOpen")
    return ids


def check_realtime(rules: Mapping[str, DataspecRule], dataspec: str, key: str) -> None:
    """Raise JVLinkError (-111, -114) when JVRTOpen takes no such data spec or key."""
    rule = rules.get(dataspec)
    if rule is None or not rule.is_realtime:
        raise JVLinkError(-111, "JVRTOpen")
    if not any(_fits(key, form) for form in rule.key_forms):
        raise JVLinkError(-114, "JVRTOpen")


def parse_span(fromtime: str) -> FromTime:
    """Take `start` or `start-end` apart.  Raises JVLinkError (-112 for the start, -113 for the end)."""
    start, dash, end = fromtime.partition("-")
    if not _is_time(start):
        raise JVLinkError(-112, "JVOpen")
    if dash and (not _is_time(end) or end < start):
        raise JVLinkError(-113, "JVOpen")
    return FromTime(start, end)


def select(files: Sequence[ShelfFile], span: FromTime, *, option: int, now: datetime) -> Sequence[ShelfFile]:
    """Return those of *files*, the oldest first, that JVOpen finds.

    Option 1: start < provided <= end.  Option 2: of these, the last week's.  Options 3 and 4: the end
    cuts only the current month; everything older comes whenever it is later than the start.
    """
    earliest, latest = span.start, span.end or "9" * 14
    if option == 2:
        earliest, latest = max(earliest, stamp(now - _THIS_WEEK)), min(latest, stamp(now))
    begin, end = bisect_right(files, earliest, key=_provided), bisect_right(files, latest, key=_provided)
    if option in (3, 4):
        end = max(end, bisect_left(files, f"{stamp(now)[:6]}01000000", key=_provided))
    return files[begin:end]


def stamp(moment: datetime) -> str:
    """Return *moment* as JV-Link writes times: YYYYMMDDhhmmss."""
    return moment.strftime("%Y%m%d%H%M%S")


def _fits(key: str, form: str) -> bool:
    """Whether *key* has the *form*; the form is its last word, one letter per character."""
    letters = form.rsplit(maxsplit=1)[-1]
    pattern = "".join(_FORM_CLASSES[letter] for letter in letters)
    day = letters.index("YYYYMMDD")
    return re.fullmatch(pattern, key) is not None and _is_time(f"{key[day : day + 8]}000000")


def _is_time(text: str) -> bool:
    if re.fullmatch(r"[0-9]{14}", text) is None:
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True
