"""How the bytes of a field become its text in a column: whole, or in parts that are looked up by themselves.

Narrow fields are read whole.  A long number is read in parts of four digits: what each says depends on its own
digits alone, but for leading zeros, and for the few values that are known as a whole ("not set").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import orjson

from jvgate.records.kinds import loader
from jvgate.records.lines.wordlist import MAX_DIGITS, Table
from jvgate.records.plan import Plan
from jvgate.spec.layouts import Field, Group

__all__ = ["Part", "Read", "Reading", "has_parts", "has_point", "known_values", "object_text", "parts_of"]

Read = Callable[[bytes], bytes]
_LONG = ("int", "digits", "date", "datetime")
_TENTHS = 10
_DECIMALS = {10: 1, 100: 2}  # by the scale
_POINT = {"MSST": 1, "MSSHH": 2}  # decimals by the format of a time
_PART = 4  # digits of a long number that are looked up together
_LEAP_DAY = b"0229"  # whether there is one is told by the year, which is in another part
_NO_YEAR = b"0000"


class Reading:
    """Reads one field, with its name and its mark, or as the element of an array without both."""

    def __init__(self, one: Field, until: str, *, is_element: bool) -> None:
        self.field = one
        self.name = b"" if is_element else b'"%b":' % one.key.encode()
        self.null = self.name + b"null"
        self._load = loader(one, {})
        self._marked = known_values(one) - one.unset
        self._plan = object_text(replace(one, offset=0, repeat=1), until)

    def __call__(self, raw: bytes) -> bytes:
        """Return the text of *raw*.  Raises ValueError."""
        return self._plan(raw) if raw in self._marked else self.name + orjson.dumps(self._load(raw))


def known_values(one: Field) -> frozenset[bytes]:
    """Return the raw values of a field that do not say what their characters say."""
    return one.unset.union(one.special, *(dated.special for dated in one.special_dated))


def object_text(member: Field | Group, until: str) -> Read:
    """Return what writes *member*, whose offset is 0, as a member of an object."""
    return Plan((member,), until=until).text


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a long number.  zeros: what it says behind leading zeros, where that is something else."""

    table: Table
    zeros: Table | None = None


def has_parts(one: Field) -> bool:
    """Whether a field can be read in parts."""
    if one.kind == "decimal":
        return one.length <= MAX_DIGITS if one.signed else has_point(one) or one.scale == _TENTHS
    return one.kind in _LONG or has_point(one)


def has_point(one: Field) -> bool:
    """Whether a field says so many things that what stands before its point and behind it are better two parts."""
    if one.kind == "time":
        return one.format in _POINT
    return one.kind == "decimal" and one.scale in _DECIMALS and not one.signed and one.length in (4, 5)


def parts_of(reading: Reading, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the parts of a field that has some; *before* and *behind* it stand those texts."""
    one, before = reading.field, before + reading.name
    if one.kind == "date":
        return _part(one, "digits", before + b'"', b"-", but=_NO_YEAR), _part(one, "monthday", b"", b'"' + behind)
    if has_point(one):
        return _around_point(one, before, behind)
    if one.kind == "decimal":
        return _signed(one, before, behind) if one.signed else _tenths(one, before, behind)
    if one.kind == "datetime":
        return _part(one, "monthday", before + b'"', b"T", but=b""), _part(one, "time", b"", b'"' + behind)
    return _digits(one, before + b'"', b'"' + behind) if one.kind == "digits" else _count(one, before, behind)


def _part(one: Field, kind: str, before: bytes, behind: bytes, *, but: bytes = _LEAP_DAY) -> Part:
    """Return a part of four digits that reads like a field of *kind*; *but* is for the record's own writer."""
    load = loader(replace(one, kind=kind, format="HHMM", unset=frozenset()), {})

    def read(raw: bytes) -> bytes:
        if raw == but:
            raise ValueError("another part has to be seen")
        return before + str(load(raw)).encode() + behind

    return Part(Table(_PART, is_code=False, read=read))


def _digits(one: Field, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the parts of an identifier; the last one is the shorter one, as its texts are its own."""
    first, middle = _part(one, "digits", before, b"", but=b""), _padded(_PART, b"")
    *whole, last = _widths(one.length)
    return (first, *[Part(middle)] * (len(whole) - 1), Part(_padded(last, behind)))


def _count(one: Field, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the parts of a number whose leading zeros are not shown; the first one is the shorter one."""
    first, *middle, _ = _widths(one.length)[::-1]

    def read(raw: bytes) -> bytes:
        return before + _refuse_all_but_digits(raw).lstrip(b"0")

    inner = Part(_padded(_PART, b""), _stripped(b"", least=b""))
    last = Part(_padded(_PART, behind), _stripped(behind, least=b"0"))
    return (Part(Table(first, is_code=False, read=read)), *[inner] * len(middle), last)


def _around_point(one: Field, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the whole units and the decimals of a number, or of a time in seconds."""
    decimals = _POINT[one.format or ""] if one.kind == "time" else _DECIMALS[one.scale or 0]
    load = loader(replace(one, scale=_TENTHS, format="MSST", unset=frozenset()), {})

    def read(raw: bytes) -> bytes:
        return before + orjson.dumps(load(raw + b"0")).removesuffix(b"0")

    def read_decimals(raw: bytes) -> bytes:
        return b"%b%b" % (_refuse_all_but_digits(raw).rstrip(b"0") or b"0", behind)

    return (
        Part(Table(one.length - decimals, is_code=False, read=read)),
        Part(Table(decimals, is_code=False, read=read_decimals)),
    )


def _tenths(one: Field, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the parts of a long number of tenths."""
    *parts, _ = _count(one, before, b"")
    return (*parts, Part(_with_point(behind, digits=_PART - 1), _with_point(behind, digits=1)))


def _signed(one: Field, before: bytes, behind: bytes) -> tuple[Part, ...]:
    """Return the parts of a number with a sign: that, and the number."""
    signs = {b"+": before, b"-": before + b"-"}
    load = loader(replace(one, length=one.length - 1, signed=False, unset=frozenset()), {})

    def read_sign(raw: bytes) -> bytes:
        if raw not in signs:
            raise ValueError("not a sign")
        return signs[raw]

    def read(raw: bytes) -> bytes:
        return orjson.dumps(load(raw)) + behind

    sign, number = Table(1, is_code=True, read=read_sign), Table(one.length - 1, is_code=False, read=read)
    return Part(sign), Part(number)


def _widths(length: int) -> list[int]:
    """Return the widths of the parts of *length* digits, the shorter one last."""
    return [_PART] * ((length - 1) // _PART) + [(length - 1) % _PART + 1]


@cache
def _padded(width: int, behind: bytes) -> Table:
    return _known_table(width, [b"%0*d%b" % (width, number, behind) for number in range(10**width)])


@cache
def _stripped(behind: bytes, *, least: bytes) -> Table:
    return _known_table(_PART, [least + behind, *(b"%d%b" % (number, behind) for number in range(1, 10**_PART))])


@cache
def _with_point(behind: bytes, *, digits: int) -> Table:
    texts = [b"%0*d.%d%b" % (digits, *divmod(number, _TENTHS), behind) for number in range(10**_PART)]
    return _known_table(_PART, texts)


def _known_table(width: int, texts: list[bytes]) -> Table:
    return Table(width, is_code=False, read=_refuse_all_but_digits, known=texts)


def _refuse_all_but_digits(raw: bytes) -> bytes:
    if not raw.isdigit():
        raise ValueError("not digits")
    return raw
