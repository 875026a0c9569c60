"""Race keys and the other keys of JV-Link: parse, validate, build (interface specification 4.9.0.1).

Every key is a string of half-width characters; a course may hold letters (overseas: `G0`), so that no part is
ever turned into a number and back.  Two forms have 16 characters and mean different things, so the caller
says which kind it expects: `RaceKey.parse`, `EventKey.parse`, …; `DayKey` to `HorseKey` know their `forms`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol, Self

from jvgate.errors import QueryError
from jvgate.spec.codes import CodeTable
from jvgate.spec.files import read_json

__all__ = [
    "CoursePictureKey",
    "DayKey",
    "EventKey",
    "HorseKey",
    "Key",
    "KeyRules",
    "MovieKey",
    "RaceKey",
    "TrainingMovieKey",
    "load_key_rules",
    "parse_key",
]

NEWEST_PICTURE = "99999999"


class Key(Protocol):
    """What JV-Link takes as a key; its text is the argument."""

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What may stand in the keys of a provider.  event_records: what change events announce.

    passes_unknown: whether a course, track or record type that is not among them is taken as it is.
    any_course: whether the keys of races and days may name any course, since the source's own content decides.
    """

    courses: frozenset[str]
    tracks: frozenset[str]
    event_records: tuple[str, ...]
    passes_unknown: bool
    any_course: bool = False


@dataclass(frozen=True, slots=True)
class DayKey:
    """A whole day: `YYYYMMDD`."""

    forms: ClassVar = ("YYYYMMDD",)
    day: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that *text* writes.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{8}", cls.forms)
        return cls(_day(text, text))

    def __str__(self) -> str:
        return self.day


@dataclass(frozen=True, slots=True)
class RaceKey:
    """One race.  meeting, meeting_day: kaiji and nichiji, "" when only the short form is known.

    Local and overseas races carry `00` there; overseas courses are countries (`A0`-`N6`) and race numbers
    may reach 99 (race_key rules 2-4).
    """

    forms: ClassVar = ("YYYYMMDDJJKKHHRR", "YYYYMMDDJJRR")
    day: str
    course: str
    race: str
    meeting: str = ""
    meeting_day: str = ""

    @classmethod
    def parse(cls, text: str, rules: KeyRules) -> Self:
        """Return the race that *text* (12 or 16 characters) names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{8}[0-9A-Z]{2}(\d{4})?\d{2}", cls.forms)
        day, course = _day(text[:8], text), _course(text[8:10], text, rules)
        return cls(day, course, text[-2:], text[10:12], text[12:14]) if len(text) == 16 else cls(day, course, text[-2:])

    @property
    def short(self) -> str:
        """The 12-character form, enough to name a race of JRA: a course holds one meeting a day."""
        return f"{self.day}{self.course}{self.race}"

    def __str__(self) -> str:
        return f"{self.day}{self.course}{self.meeting}{self.meeting_day}{self.race}"


@dataclass(frozen=True, slots=True)
class EventKey:
    """What a change event carries and 0B16 takes: record type, race, time sent (YYYYMMDDhhmmss)."""

    forms: ClassVar = ("TTYYYYMMDDJJRRNNNNNNNNNNNNNN",)
    record: str
    race: RaceKey
    sent: str

    @classmethod
    def parse(cls, text: str, rules: KeyRules) -> Self:
        """Return the announcement that *text* names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"[A-Z][A-Z0-9]\d{8}[0-9A-Z]{2}\d{2}\d{14}", cls.forms)
        if text[:2] not in rules.event_records and not rules.passes_unknown:
            raise _invalid(text, f"{text[:2]} is announced by no event.", ", ".join(rules.event_records))
        return cls(text[:2], RaceKey.parse(text[2:14], rules), _moment(text[14:], text))

    def __str__(self) -> str:
        return f"{self.record}{self.race.short}{self.sent}"


@dataclass(frozen=True, slots=True)
class MovieKey:
    """A race's video: a race key and the picture quality of old videos (`01`, `02`)."""

    forms: ClassVar = ("YYYYMMDDJJKKHHRRTT", "YYYYMMDDJJRRTT")
    race: RaceKey
    quality: str

    @classmethod
    def parse(cls, text: str, rules: KeyRules) -> Self:
        """Return the video that *text* (14 or 18 characters) names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{8}[0-9A-Z]{2}(\d{4})?\d{2}0[12]", cls.forms)
        return cls(RaceKey.parse(text[:-2], rules), text[-2:])

    def __str__(self) -> str:
        return f"{self.race}{self.quality}"


@dataclass(frozen=True, slots=True)
class CoursePictureKey:
    """A course picture: date (99999999 is the newest), course, distance in metres, track code (table 2009)."""

    forms: ClassVar = ("YYYYMMDDJJKKKKTT",)
    day: str
    course: str
    distance_m: str
    track: str

    @classmethod
    def parse(cls, text: str, rules: KeyRules) -> Self:
        """Return the picture that *text* names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{8}[0-9A-Z]{2}\d{4}\d{2}", cls.forms)
        day = text[:8] if text[:8] == NEWEST_PICTURE else _day(text[:8], text)
        if text[14:] not in rules.tracks and not rules.passes_unknown:
            raise _invalid(text, f"{text[14:]} is no track.", "a track of code table 2009")
        course = _course(text[8:10], text, replace(rules, any_course=False))  # pictures are the provider's own
        return cls(day, course, text[10:14], text[14:])

    def __str__(self) -> str:
        return f"{self.day}{self.course}{self.distance_m}{self.track}"


@dataclass(frozen=True, slots=True)
class HorseKey:
    """A horse's registration number (kettonum): 10 digits, the first four the year of birth."""

    forms: ClassVar = ("10 digits",)
    number: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the horse that *text* names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{10}", cls.forms)
        return cls(text)

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class TrainingMovieKey:
    """A training video: day of the work-out and the horse's registration number."""

    forms: ClassVar = ("YYYYMMDD + 10 digits",)
    day: str
    horse: HorseKey

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the video that *text* names.  Raises QueryError (`invalid-key`)."""
        _shape(text, r"\d{18}", cls.forms)
        return cls(_day(text[:8], text), HorseKey.parse(text[8:]))

    def __str__(self) -> str:
        return f"{self.day}{self.horse}"


_REALTIME: dict[str, tuple[int, Callable[[str, KeyRules], DayKey | RaceKey | EventKey]]] = {
    "YYYYMMDD": (8, lambda text, rules: DayKey.parse(text)),
    "YYYYMMDDJJRR": (12, RaceKey.parse),
    "YYYYMMDDJJKKHHRR": (16, RaceKey.parse),
    "event parameter TTYYYYMMDDJJRRNNNNNNNNNNNNNN": (28, EventKey.parse),
}


def parse_key(text: str, forms: tuple[str, ...], rules: KeyRules) -> DayKey | RaceKey | EventKey:
    """Return the real-time key that *text* writes in one of *forms* (as `dataspecs.json` names them).

    Raises QueryError (`invalid-key`) that lists the forms.
    """
    for form in forms:
        length, parse = _REALTIME[form]
        if len(text) == length:
            return parse(text, rules)
    raise _invalid(text, f"{len(text)} characters fit no form of this data spec.", " or ".join(forms))


def load_key_rules(code_tables: Mapping[str, CodeTable], *, passes_unknown: bool) -> KeyRules:
    """Return what may stand in keys: the courses and tracks of *code_tables*, the record types of the events."""
    events = read_json("jra/events.json")["events"]
    return KeyRules(
        courses=frozenset(code_tables["2001"].rows) - {"00"},
        tracks=frozenset(code_tables["2009"].rows),
        event_records=tuple(event["record_type_prefix"] for event in events if event["record_type_prefix"]),
        passes_unknown=passes_unknown,
    )


def _shape(text: str, pattern: str, forms: tuple[str, ...]) -> None:
    if re.fullmatch(pattern, text, re.ASCII) is None:
        raise _invalid(text, "The key does not have the form.", " or ".join(forms))


def _day(day: str, key: str) -> str:
    try:
        datetime.strptime(day, "%Y%m%d")
    except ValueError as exc:
        raise _invalid(key, f"{day} is no day of the calendar.", "YYYYMMDD") from exc
    return day


def _moment(moment: str, key: str) -> str:
    try:
        datetime.strptime(moment, "%Y%m%d%H%M%S")
    except ValueError as exc:
        raise _invalid(key, f"{moment} is no time.", "YYYYMMDDhhmmss") from exc
    return moment


def _course(course: str, key: str, rules: KeyRules) -> str:
    if course == "00" or (course not in rules.courses and not (rules.passes_unknown or rules.any_course)):
        raise _invalid(key, f"{course} is no racecourse.", "01-10 (JRA), 30-61 (local), A0-N6 (countries): table 2001")
    return course


def _invalid(text: str, why: str, allowed: str) -> QueryError:
    return QueryError("invalid-key", why, parameter="key", value=text, allowed=allowed)
