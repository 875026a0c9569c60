"""The kinds of fields: raw bytes -> value and back, one pair of functions a kind.

Values are those of an answer: codes and identifiers stay text with their zeros; numbers are in natural units
(odds 12.3, weight 54.0 kg, running time 94.5 s); dates are ISO 8601, without the year where the record has
none ("11-21", "11-21T15:40"); what the specification calls not set is None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

from jvgate.spec.layouts import Field

__all__ = ["Dump", "Errors", "Load", "Value", "dumper", "initial", "loader", "problem"]

Value = str | int | float | None
Load = Callable[[bytes], Value]
Errors = list[dict[str, Any]]  # what `_errors` holds: field, offset in the record, raw characters, why
Dump = Callable[[Value], bytes]

PADDING = " \u3000"
_CODE = re.compile(rb"[ -~]+")
_ELAPSED_DECIMALS = {"MSST": 1, "MSSHH": 2}


def loader(field: Field, special: Mapping[bytes, str]) -> Load:
    """Return the function that turns the raw bytes of *field* into its value.

    special: raw value -> slug; the number of such a value is what its slug says (None, 0 or the digits).
    The function raises ValueError, with a readable reason, on bytes that break the kind.
    """
    convert = _LOAD[field.kind](field)
    known: dict[bytes, Value] = dict.fromkeys(field.unset)
    for raw, slug in special.items():
        meaning = field.slugs[slug]
        known[raw] = convert(raw) if meaning == "number" else 0 if meaning == "zero" else None
    if not known:
        return convert
    return partial(_load_known, MappingProxyType(known), convert)


def dumper(field: Field) -> Dump:
    """Return the function that turns a value of *field* into exactly `field.length` bytes.

    None becomes the initial value.  The function raises ValueError, with a readable reason, on a value that does
    not fit.
    """
    return partial(_dump_or_initial, initial(field), _DUMP[field.kind](field), field.length)


def initial(field: Field) -> bytes:
    """Return what stands in one unset slot of *field*: its initial character, filled up."""
    if field.fixed is not None:
        return field.fixed
    char = field.init.encode("cp932")
    return (char * field.length)[: field.length]


def problem(name: str, at: int, raw: bytes, why: ValueError) -> dict[str, Any]:
    """Return one item of `_errors`: the field called *name* could not be read at byte *at* of its record."""
    return {"field": name, "offset": at, "raw": raw.decode("cp932", "backslashreplace"), "why": str(why)}


def _load_known(known: Mapping[bytes, Value], convert: Load, raw: bytes) -> Value:
    return known[raw] if raw in known else convert(raw)


def _dump_or_initial(unset: bytes, convert: Dump, length: int, value: Value) -> bytes:
    if value is None:
        return unset
    raw = convert(value)
    if len(raw) != length:
        raise ValueError(f"{value!r} takes {len(raw)} bytes, the field has {length}")
    return raw


def _load_code(raw: bytes) -> str:
    if _CODE.fullmatch(raw) is None:
        raise ValueError("a code holds printable ASCII characters only")
    return raw.decode("ascii")


def _load_digits(raw: bytes) -> str:
    if not raw.isdigit():
        raise ValueError("not digits")
    return raw.decode("ascii")


def _load_int(raw: bytes) -> int:
    if not raw.isdigit():
        raise ValueError("not digits")
    return int(raw)


def _load_decimal(scale: int, raw: bytes) -> float:
    if not raw.isdigit():
        raise ValueError("not digits")
    return int(raw) / scale


def _load_signed(scale: int, raw: bytes) -> float:
    if raw[:1] not in (b"+", b"-") or not raw[1:].isdigit():
        raise ValueError("not a sign and digits")
    return math.copysign(int(raw[1:]) / scale, -1 if raw[:1] == b"-" else 1)


def _load_date(raw: bytes) -> str:
    text = _load_digits(raw)
    return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()


def _load_monthday(raw: bytes) -> str:
    text = _load_digits(raw)
    return date(2000, int(text[:2]), int(text[2:])).isoformat()[5:]  # 2000: a leap year takes every day


def _load_clock(raw: bytes) -> str:
    text = _load_digits(raw)
    if int(text[:2]) > 23 or int(text[2:]) > 59:
        raise ValueError("not a time of day")
    return f"{text[:2]}:{text[2:]}"


def _load_datetime(raw: bytes) -> str:
    return f"{_load_monthday(raw[:4])}T{_load_clock(raw[4:])}"


def _load_elapsed(decimals: int, raw: bytes) -> float:
    """Return seconds from minutes (1 digit), seconds (2) and *decimals* digits."""
    text = _load_digits(raw)
    if int(text[1:3]) > 59:
        raise ValueError("seconds above 59")
    unit: int = 10**decimals
    return ((int(text[0]) * 60 + int(text[1:3])) * unit + int(text[3:])) / unit


def _load_text(raw: bytes) -> str | None:
    try:
        text = raw.rstrip(b" ").decode("cp932")  # 0x20 is never the second byte of a character
    except UnicodeDecodeError as exc:
        raise ValueError(f"byte {exc.start} is no Shift_JIS character") from exc
    return text.rstrip(PADDING) or None


def _dump_ascii(value: Value) -> bytes:
    return _text(value).encode("ascii")


def _dump_int(length: int, value: Value) -> bytes:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return b"%0*d" % (length, value)


def _dump_decimal(length: int, scale: int, value: Value) -> bytes:
    return b"%0*d" % (length, _stored(value, scale))


def _dump_signed(length: int, scale: int, value: Value) -> bytes:
    stored = _stored(abs(value) if isinstance(value, int | float) else value, scale)
    negative = isinstance(value, int | float) and math.copysign(1, value) < 0
    return b"%c%0*d" % (b"-" if negative else b"+", length - 1, stored)


def _dump_date(value: Value) -> bytes:
    return date.fromisoformat(_text(value)).isoformat().replace("-", "").encode()


def _dump_monthday(value: Value) -> bytes:
    return date.fromisoformat(f"2000-{_text(value)}").strftime("%m%d").encode()


def _dump_clock(value: Value) -> bytes:
    return _text(value).replace(":", "").encode("ascii")


def _dump_datetime(value: Value) -> bytes:
    monthday, _, clock = _text(value).partition("T")
    return _dump_monthday(monthday) + _dump_clock(clock)


def _dump_elapsed(decimals: int, value: Value) -> bytes:
    unit: int = 10**decimals
    seconds, rest = divmod(_stored(value, unit), unit)
    minutes, seconds = divmod(seconds, 60)
    return b"%d%02d%0*d" % (minutes, seconds, decimals, rest)


def _dump_text(field: Field, value: Value) -> bytes:
    """Return the text and its padding: U+3000 behind full-width text, spaces behind the rest (padding table)."""
    raw = _text(value).encode("cp932")
    wide = field.kind == "text_fullwidth" or (
        field.kind == "text_mixed" and field.init == "\u3000" and _ends_wide(value)
    )
    room = field.length - len(raw)
    return raw + (b"\x81\x40" * (room // 2) + b" " * (room % 2) if wide else b" " * room)


def _ends_wide(value: Value) -> bool:
    text = _text(value)
    return bool(text) and len(text[-1].encode("cp932")) == 2


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _stored(value: Value, scale: int) -> int:
    """Return *value* in stored units, or refuse what would be rounded away."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{value!r} is no number from 0 up")
    stored = round(value * scale)
    if abs(stored - value * scale) > 1e-6 * max(1.0, stored):
        raise ValueError(f"{value!r} has more decimals than the field")
    return stored


_LOAD: dict[str, Callable[[Field], Load]] = {
    "code": lambda field: _load_code,
    "digits": lambda field: _load_digits,
    "int": lambda field: _load_int,
    "decimal": lambda field: partial(_load_signed if field.signed else _load_decimal, field.scale or 1),
    "date": lambda field: _load_date,
    "monthday": lambda field: _load_monthday,
    "datetime": lambda field: _load_datetime,
    "time": lambda field: (
        partial(_load_elapsed, _ELAPSED_DECIMALS[field.format]) if field.format in _ELAPSED_DECIMALS else _load_clock
    ),
    "text_fullwidth": lambda field: _load_text,
    "text_halfwidth": lambda field: _load_text,
    "text_mixed": lambda field: _load_text,
    "reserved": lambda field: _load_text,
}

_DUMP: dict[str, Callable[[Field], Dump]] = {
    "code": lambda field: _dump_ascii,
    "digits": lambda field: _dump_ascii,
    "int": lambda field: partial(_dump_int, field.length),
    "decimal": lambda field: partial(_dump_signed if field.signed else _dump_decimal, field.length, field.scale or 1),
    "date": lambda field: _dump_date,
    "monthday": lambda field: _dump_monthday,
    "datetime": lambda field: _dump_datetime,
    "time": lambda field: (
        partial(_dump_elapsed, _ELAPSED_DECIMALS[field.format]) if field.format in _ELAPSED_DECIMALS else _dump_clock
    ),
    "text_fullwidth": lambda field: partial(_dump_text, field),
    "text_halfwidth": lambda field: partial(_dump_text, field),
    "text_mixed": lambda field: partial(_dump_text, field),
    "reserved": lambda field: partial(_dump_text, field),
}
