"""A layout, compiled: the bytes of an object (a record, a slot of a group) -> its JSON members or its values.

Theory of operation.  One `struct` format cuts the object into pieces in one call, and each piece has a memo: raw
bytes -> what they say.  Racing data says the same few things again and again (codes, small numbers, names of the
same horses), so a piece is nearly always one look-up, done in C by `map`; a record's text is one `join` of its
pieces' texts, its values are the pieces' dicts merged.  Neighbours that are narrow, and the header that all runners
of a race share, are one piece: fewer look-ups.  A miss reads the piece by the loaders of its fields' kinds.
Whatever refuses its bytes raises ValueError; the caller then takes the slow path (`salvage`), which goes field by
field, slot by slot, and notes what was wrong.  Large groups of numbers are written as arrays (`slots.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import getitem, ior
from struct import Struct
from typing import Any, Protocol, TypeVar

import orjson

from jvgate.records.kinds import Errors, loader, problem
from jvgate.records.meanings import blank_slots, is_shown, last_days, race_day, special_of
from jvgate.records.slots import LargeGroup, is_large
from jvgate.spec.layouts import Field, Group, Layout

__all__ = ["Plan", "plan_chooser"]

Kept = TypeVar("Kept")
Kept_co = TypeVar("Kept_co", covariant=True)

MEMO_ENTRIES = 8192
MEMO_BYTES = 160
PIECE_BYTES = 8
# Up to how many bytes a field of a kind takes few values.
_NARROW = {"code": 3, "int": 2}


@cache
def plan_chooser(layout: Layout) -> Callable[[bytes], Plan]:
    """Return what tells the plan of one raw record: some have more special values for older races."""
    plan = Plan(layout.fields, until="")
    older = [(until.encode(), Plan(layout.fields, until=until)) for until in last_days(layout)]
    if not older:
        return lambda raw: plan
    day = race_day(layout)

    def choose(raw: bytes) -> Plan:
        for until, dated in older:
            if raw[day] <= until:
                return dated
        return plan

    return choose


class Plan:
    """How to read one object.

    until: the last race day (YYYYMMDD) of the special values to use, "" for today's.  prefix: the names of the
    groups it stands in, for messages.

    Both forms raise struct.error for bytes of another length, and ValueError when anything in them is wrong.
    """

    def __init__(self, fields: Sequence[Field | Group], *, until: str, prefix: str = "") -> None:
        self._members = [_member(field, until, prefix) for field in fields if is_shown(field)]
        pieces = _pieces(self._members)
        self._cut = Struct(_cut_format(fields, pieces)).unpack
        self._texts = tuple(_text_reader(piece) for piece in pieces)
        self._values = tuple(_value_reader(piece) for piece in pieces)
        self.is_flat = all(isinstance(member, _Scalar) for member in self._members)

    def text(self, raw: bytes) -> bytes:
        """Return the object as JSON members, without the braces."""
        return b",".join(map(getitem, self._texts, self._cut(raw)))

    def values(self, raw: bytes) -> dict[str, Any]:
        """Return the object's values; lists and inner objects are its own."""
        return reduce(ior, map(getitem, self._values, self._cut(raw)), {})

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        """Return the members of an object that starts at byte *at* of its record; note what was wrong."""
        return b",".join(
            member.salvage(raw[member.offset : member.end], at + member.offset, errors) for member in self._members
        )


class _Memo(dict[bytes, Kept]):
    """Raw bytes -> what *load* makes of them; emptied when full, so that memory stays bounded."""

    __slots__ = ("_load",)

    def __init__(self, load: Callable[[bytes], Kept]) -> None:
        super().__init__()
        self._load = load

    def __missing__(self, raw: bytes) -> Kept:
        made = self._load(raw)
        if len(self) >= MEMO_ENTRIES:
            self.clear()
        if len(raw) <= MEMO_BYTES:
            self[raw] = made
        return made


class _Reader(Protocol[Kept_co]):
    """What reads a piece: a memo, or anything that is asked like one."""

    def __getitem__(self, raw: bytes, /) -> Kept_co: ...


class _Member(Protocol):
    """A field or a group of an object."""

    offset: int
    end: int

    def text(self, raw: bytes, /) -> bytes:
        """Return its JSON members.  Raises ValueError."""

    def values(self, raw: bytes, /) -> dict[str, Any]:
        """Return its values, with nothing in them that others hold too.  Raises ValueError."""

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        """Return what can be read of *raw*, which starts at byte *at* of the record; note the rest."""


class _Scalar:
    """A single field, and the mark beside it."""

    def __init__(self, field: Field, until: str, prefix: str) -> None:
        self.field = field
        self._name = prefix + field.key
        self.offset, self.end = field.offset, field.end
        self._special = special_of(field, until)
        self._load = loader(field, self._special)
        self._key = b'"%b":' % field.key.encode()

    def text(self, raw: bytes) -> bytes:
        text = self._key + orjson.dumps(self._load(raw))
        if raw not in self._special:
            return text
        return b'%b,"%bMark":"%b"' % (text, self.field.key.encode(), self._special[raw].encode())

    def values(self, raw: bytes) -> dict[str, Any]:
        value = self._load(raw)
        if raw not in self._special:
            return {self.field.key: value}
        return {self.field.key: value, f"{self.field.key}Mark": self._special[raw]}

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        try:
            return self.text(raw)
        except ValueError as exc:
            errors.append(problem(self._name, at, raw, exc))
            return self._key + b"null"


class _Array:
    """A repeated field."""

    def __init__(self, field: Field, until: str, prefix: str) -> None:
        self.field = field
        self._name = prefix + field.key
        self.offset, self.end = field.offset, field.end
        self._key = b'"%b":' % field.key.encode()
        self._split = Struct(f"{field.length}s" * field.repeat).unpack
        load = loader(field, special_of(field, until))
        self._items = _Memo(load)
        self._texts = _Memo(lambda raw: orjson.dumps(load(raw)))

    def text(self, raw: bytes) -> bytes:
        return b"%b[%b]" % (self._key, b",".join(map(self._texts.__getitem__, self._split(raw))))

    def values(self, raw: bytes) -> dict[str, Any]:
        return {self.field.key: list(map(self._items.__getitem__, self._split(raw)))}

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        texts = []
        for number, item in enumerate(self._split(raw)):
            try:
                texts.append(self._texts[item])
            except ValueError as exc:
                texts.append(b"null")
                if item.strip(b" "):  # a blank item of an array is one that was never filled, not an error
                    errors.append(problem(self._name, at + number * self.field.length, item, exc))
        return b"%b[%b]" % (self._key, b",".join(texts))


class _SmallGroup:
    """A group that is read slot by slot."""

    def __init__(self, group: Group, until: str, prefix: str) -> None:
        self._group = group
        self.offset, self.end = group.offset, group.end
        self._key = b'"%b":' % group.key.encode()
        self._split = Struct(f"{group.length}s" * group.repeat).unpack
        self._length = group.length
        self._blank = blank_slots(group)
        self._drops_unset = group.names_slots
        self._plan = Plan(group.fields, until=until, prefix=f"{prefix}{group.key}.")
        self.is_flat = self._plan.is_flat
        self._nothing: dict[str, Any] = dict.fromkeys(field.key for field in group.fields)
        self._nothing_text = orjson.dumps(self._nothing)
        self._texts = _Memo(self._slot_text)
        self._values = _Memo(self._slot_values)

    def text(self, raw: bytes) -> bytes:
        return self._join([self._texts[slot] for slot in self._split(raw)])

    def values(self, raw: bytes) -> dict[str, Any]:
        read = self._values.__getitem__ if self.is_flat else self._slot_values
        slots = [read(slot) for slot in self._split(raw)]
        if self._drops_unset:
            return {self._group.key: [slot.copy() for slot in slots if slot is not None]}
        return {self._group.key: [slot and slot.copy() for slot in slots]}

    def salvage(self, raw: bytes, at: int, errors: Errors) -> bytes:
        texts = []
        for number, slot in enumerate(self._split(raw)):
            is_blank = slot in self._blank
            texts.append(b"" if is_blank else self._salvaged(slot, at + number * self._length, errors))
        return self._join(texts)

    def _salvaged(self, slot: bytes, at: int, errors: Errors) -> bytes:
        return b"{%b}" % self._plan.salvage(slot, at, errors)

    def _join(self, texts: Sequence[bytes]) -> bytes:
        """Return the member of slots of which the empty texts are unset ones."""
        shown = filter(None, texts) if self._drops_unset else (text or b"null" for text in texts)
        return b"%b[%b]" % (self._key, b",".join(shown))

    def _slot_text(self, slot: bytes) -> bytes:
        """Return the slot's object, or nothing where nothing in it is set."""
        if slot in self._blank:
            return b""
        text = b"{%b}" % self._plan.text(slot)
        return b"" if text == self._nothing_text else text

    def _slot_values(self, slot: bytes) -> dict[str, Any] | None:
        if slot in self._blank:
            return None
        values = self._plan.values(slot)
        return None if values == self._nothing else values


def _member(field: Field | Group, until: str, prefix: str) -> _Member:
    if isinstance(field, Field):
        return _Scalar(field, until, prefix) if field.repeat == 1 else _Array(field, until, prefix)
    if not is_large(field):
        return _SmallGroup(field, until, prefix)
    return LargeGroup(field, {leaf.key: special_of(leaf, until) for leaf in field.fields if isinstance(leaf, Field)})


def _pieces(members: Sequence[_Member]) -> list[tuple[_Member, ...]]:
    """Return *members* in pieces: the header, runs of narrow neighbours, everything else by itself."""
    pieces: list[list[_Member]] = []
    for member in members:
        if pieces and pieces[-1][-1].end == member.offset and _may_join(pieces[-1], member):
            pieces[-1].append(member)
        else:
            pieces.append([member])
    return [tuple(piece) for piece in pieces]


def _may_join(piece: Sequence[_Member], member: _Member) -> bool:
    if _is_header(member) or _is_header(piece[0]):
        return _is_header(member) and _is_header(piece[0])
    width = member.end - piece[0].offset
    if _is_identifier(piece[0]):  # and the names that go with it
        return width <= MEMO_BYTES and _is_name(member)
    return width <= PIECE_BYTES and _is_code(piece[0]) and all(map(_is_narrow, (*piece, member)))


def _is_code(member: _Member) -> bool:
    return isinstance(member, _Scalar) and member.field.kind == "code"


def _is_identifier(member: _Member) -> bool:
    return isinstance(member, _Scalar) and member.field.kind == "digits" and member.field.length > 4


def _is_name(member: _Member) -> bool:
    return isinstance(member, _Scalar) and member.field.kind.startswith("text")


def _is_header(member: _Member) -> bool:
    return isinstance(member, _Scalar) and member.field.path.startswith(("head.", "id.Year", "id.MonthDay"))


def _is_narrow(member: _Member) -> bool:
    """Whether the member takes few values, so that a run of such members still takes few."""
    return isinstance(member, _Scalar) and member.field.length <= _NARROW.get(member.field.kind, 0)


def _text_reader(piece: tuple[_Member, ...]) -> _Reader[bytes]:
    """Return what gives the text of a piece."""
    if len(piece) == 1:
        return _Memo(piece[0].text)
    parts = [(_Memo(member.text), span) for member, span in _spans(piece)]
    return _Memo(lambda raw: b",".join([memo[raw[span]] for memo, span in parts]))


def _value_reader(piece: tuple[_Member, ...]) -> _Reader[dict[str, Any]]:
    """Return what gives the values of a piece; only plain values may be remembered as they are."""
    if len(piece) > 1:
        spans = _spans(piece)
        return _Memo(
            lambda raw: {key: value for member, span in spans for key, value in member.values(raw[span]).items()}
        )
    (member,) = piece
    if isinstance(member, _Scalar):
        return _Memo(member.values)
    if isinstance(member, _Array):
        return _CopiedArray(member)
    if isinstance(member, _SmallGroup) and member.is_flat and member.end - member.offset <= MEMO_BYTES:
        return _CopiedSlots(member)
    return _Anew(member)


class _CopiedArray:
    """Remembers an array, and gives each record a copy."""

    def __init__(self, member: _Member) -> None:
        self._known = _Memo(member.values)

    def __getitem__(self, raw: bytes) -> dict[str, Any]:
        ((key, values),) = self._known[raw].items()
        return {key: values.copy()}


class _CopiedSlots:
    """Remembers the slots of a small group of plain values, and gives each record copies."""

    def __init__(self, member: _Member) -> None:
        self._known = _Memo(member.values)

    def __getitem__(self, raw: bytes) -> dict[str, Any]:
        ((key, slots),) = self._known[raw].items()
        return {key: [slot and slot.copy() for slot in slots]}


class _Anew:
    """Reads a piece with lists in it, for each record its own."""

    def __init__(self, member: _Member) -> None:
        self._member = member

    def __getitem__(self, raw: bytes) -> dict[str, Any]:
        return self._member.values(raw)


def _spans(piece: Sequence[_Member]) -> list[tuple[_Member, slice]]:
    start = piece[0].offset
    return [(member, slice(member.offset - start, member.end - start)) for member in piece]


def _cut_format(fields: Sequence[Field | Group], pieces: Sequence[Sequence[_Member]]) -> str:
    """Return the struct format that cuts *pieces* and passes over everything else."""
    at, parts = 0, []
    for piece in pieces:
        parts.append(f"{piece[0].offset - at}x{piece[-1].end - piece[0].offset}s")
        at = piece[-1].end
    return "".join([*parts, f"{fields[-1].end - at}x"])
