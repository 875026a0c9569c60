"""What records may be selected by: conditions on single fields, read from text (`JyoCD=05`, `date=20261101..20261130`).

A condition names a field that stands once, outside all groups, and is a code, an identifier, a number, a date or a
time; `date` is the race day of the records whose key begins with Year and MonthDay.  What it asks for are values as an
answer shows them: `RaceNum=1..3` means the numbers 1 to 3, whatever digits stand in the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from jvgate.errors import QueryError
from jvgate.spec.layouts import Field, Layout
from jvgate.spec.places import place_of

__all__ = ["MAX_CONDITION", "RACE_DAY", "Condition", "Span", "parse_condition", "selectable"]

Scalar = str | int | float

RACE_DAY = "date"
MAX_CONDITION = 1000
GRAMMAR = "Field=value, Field=a,b or Field=a..b (also a.. and ..b; both ends count), such as JyoCD=05 or RaceNum=9..12"
_SELECTABLE = {"code", "digits", "int", "decimal", "date", "monthday", "datetime", "time"}


@dataclass(frozen=True, slots=True)
class Span:
    """All values from *low* to *high*, both included; None leaves an end open."""

    low: Scalar | None
    high: Scalar | None

    def __contains__(self, value: Scalar) -> bool:
        """Whether *value*, which is of the field's own type, lies in it; texts of other lengths are other things."""
        return not (_lies_below(value, self.low) or _lies_below(self.high, value)) and all(
            not isinstance(end, str) or not isinstance(value, str) or len(end) == len(value)
            for end in (self.low, self.high)
        )

    def __str__(self) -> str:
        """Return the canonical form: `5`, `1..3`, `1..`."""
        if self.low == self.high:
            return str(self.low)
        return "..".join("" if end is None else str(end) for end in (self.low, self.high))


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: the value of *field* lies in one of *spans*."""

    field: str
    spans: tuple[Span, ...]

    def accepts(self, value: Scalar | None) -> bool:
        """Whether a record with this value is wanted; what is not set lies nowhere."""
        return value is not None and any(value in span for span in self.spans)

    def __str__(self) -> str:
        """Return the canonical form, which holds no character that separates the parts of a question."""
        return f"{self.field}={','.join(map(str, self.spans))}"


@cache
def selectable(layout: Layout) -> Mapping[str, Field]:
    """Return the fields of *layout* that conditions may name."""
    fields = {f.key: f for f in layout.fields if isinstance(f, Field) and f.repeat == 1 and f.kind in _SELECTABLE}
    day = place_of(layout).day
    if len(day) > 1:
        start, length = day[0][0], sum(length for _, length in day)
        fields[RACE_DAY] = replace(
            fields["Year"],
            name=RACE_DAY,
            key=RACE_DAY,
            kind="date",
            offset=start,
            length=length,
            unset=frozenset({b"0" * length}),
        )
    return fields


def parse_condition(text: str, layouts: Iterable[Layout]) -> Condition:
    """Return the condition that *text* states for records of *layouts*.

    Raises QueryError (`invalid-where`) for what is no condition or no value of its field, and KeyError for a field
    that none of them has.
    """
    name, equals, wanted = text.partition("=")
    if not equals or not wanted or len(text) > MAX_CONDITION:
        raise _wrong(text, f"{text[:40]!r} is no condition.", GRAMMAR)
    fields = [field for layout in layouts if (field := selectable(layout).get(name)) is not None]
    if not fields:
        raise KeyError(name)
    spans = {_span(text, part, fields) for part in wanted.split(",")}
    return Condition(name, tuple(sorted(spans, key=str)))


def _span(text: str, part: str, fields: list[Field]) -> Span:
    low, dots, high = part.partition("..")
    kind = fields[0].kind  # fields of one name are of one kind in all layouts; only their lengths differ
    if not dots:
        value = _value(text, low, fields)
        return Span(value, value)
    if kind == "code":
        raise _wrong(text, f"{fields[0].key} is a code and has no ranges.", f"{fields[0].key}=a,b")
    if not low and not high:
        raise _wrong(text, "A range has at least one end.", GRAMMAR)
    span = Span(_value(text, low, fields) if low else None, _value(text, high, fields) if high else None)
    if _lies_below(span.high, span.low):
        raise _wrong(text, f"The range {part[:40]} ends before it begins.", GRAMMAR)
    return span


def _value(text: str, given: str, fields: list[Field]) -> Scalar:
    """Return *given* as the answer would show it.  Raises QueryError that says what the field takes."""
    field = fields[0]
    read, allowed = _READ[_form(field)]
    try:
        value = read(given)
        if field.kind in ("code", "digits") and not any(_fits(given, one) for one in fields):
            raise ValueError(given)
    except ValueError as exc:
        lengths = " or ".join(map(str, sorted({one.length for one in fields})))
        raise _wrong(text, f"{given[:40]!r} is no value of {field.key}.", allowed.format(lengths)) from exc
    return value


def _form(field: Field) -> str:
    """Return which row of the table reads the values of *field*: its kind, except that running times are numbers."""
    if field.kind == "time" and field.format != "HHMM":
        return "decimal"
    return field.kind


def _fits(given: str, field: Field) -> bool:
    """Whether *given* may stand in the field: whole, or shorter where blanks fill it up."""
    return len(given) == field.length or (field.kind == "code" and field.init == " " and len(given) < field.length)


def _code(given: str) -> str:
    return _matched(r"[0-9A-Za-z +-]+", given).rstrip(" ") or _refuse(given)


def _digits(given: str) -> str:
    return _matched(r"[0-9]{1,20}", given)


def _int(given: str) -> int:
    return int(_matched(r"[0-9]{1,15}", given))


def _decimal(given: str) -> float:
    return float(_matched(r"[+-]?[0-9]{1,12}(\.[0-9]{1,3})?", given)) + 0.0  # -0 is 0


def _date(given: str) -> str:
    digits = _matched(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}", given).replace("-", "")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()


def _monthday(given: str) -> str:
    digits = _matched(r"[0-9]{2}-?[0-9]{2}", given).replace("-", "")
    return date(2000, int(digits[:2]), int(digits[2:])).isoformat()[5:]  # 2000: a leap year takes every day


def _clock(given: str) -> str:
    digits = _matched(r"([01][0-9]|2[0-3]):?[0-5][0-9]", given).replace(":", "")
    return f"{digits[:2]}:{digits[2:]}"


def _datetime(given: str) -> str:
    digits = re.sub("[-T:]", "", _matched(r"[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}|[0-9]{8}", given))
    return f"{_monthday(digits[:4])}T{_clock(digits[4:])}"


def _matched(pattern: str, given: str) -> str:
    return given if re.fullmatch(pattern, given) else _refuse(given)


def _refuse(given: str) -> str:
    raise ValueError(given)


# kind -> how a value is read from text, and what is allowed there ({}: the length of the field).
_READ: dict[str, tuple[Callable[[str], Scalar], str]] = {
    "code": (_code, "a code of {} characters"),
    "digits": (_digits, "{} digits"),
    "int": (_int, "a whole number"),
    "decimal": (_decimal, "a number in the unit of the answer, such as 12.3"),
    "date": (_date, "a day: YYYY-MM-DD or YYYYMMDD"),
    "monthday": (_monthday, "a day without its year: MM-DD or MMDD"),
    "datetime": (_datetime, "a day and a time: MM-DDThh:mm or MMDDhhmm"),
    "time": (_clock, "a time of day: hh:mm or hhmm"),
}


def _lies_below(one: Scalar | None, other: Scalar | None) -> bool:
    """Whether both are there, and *one* comes first; both are of one field, so both are text or both are numbers."""
    return one is not None and other is not None and one < other  # type: ignore[operator]


def _wrong(text: str, why: str, allowed: str) -> QueryError:
    return QueryError("invalid-where", why, parameter="where", value=text[:MAX_CONDITION], allowed=allowed)
