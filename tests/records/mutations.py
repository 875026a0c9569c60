"""Streams of records with one fault to a record, and the numbers that must not be served from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from jvgate.records.decode import decode
from jvgate.records.encode import encode
from jvgate.records.framing import frames
from jvgate.records.kinds import loader
from jvgate.records.runs import RawRecord
from jvgate.spec.layouts import Field, Group, Layout, Layouts
from tests.records.build import random_record
from tests.specs import JRA

__all__ = ["FAULTS", "Stream", "faulty_stream", "random_records", "wrong"]

FAULTS = ("remove", "insert", "double", "overwrite", "")
FIXED_KINDS = {"int", "decimal", "digits", "date", "monthday", "datetime", "time"}
FORBIDDEN = dict.fromkeys(FIXED_KINDS, b"x?A\x00\n\r\xff") | {"code": b"\x00\r\n\x7f\xff"}
FORBIDDEN_IN_TEXT = b"\xff\xfd\xfe"


@dataclass(frozen=True)
class Stream:
    """data: the bytes with their faults.  originals: the records without.  starts: where each begins in the data.

    whole: numbers of the records that have no fault.  told: fault, place and length for each record, for messages.
    """

    data: bytes
    originals: tuple[bytes, ...]
    starts: tuple[int, ...]
    whole: tuple[int, ...]
    told: tuple[tuple[str, int, int], ...]


@cache
def random_records(layout: Layout, layouts: Layouts, count: int = 12, seed: int = 7) -> tuple[bytes, ...]:
    """Some records of *layout* with values of all kinds, made in the year of its generation."""
    rng = random.Random(f"{layout.id}{seed}")
    records = []
    for number in range(count):
        values = random_record(layout, rng, fill=(0.3, 0.7, 1.0)[number % 3])
        values |= {"DataKubun": rng.choice([one for one in layout.data_kubun if one != "0"])}
        values |= {
            "MakeDate": f"{2010 if layout.valid_until else 2026}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        }
        records.append(encode(values, layouts, length=layout.length))
    return tuple(records)


def faulty_stream(records: Sequence[bytes], rng: random.Random, layouts: Layouts, *, fault_rate: float = 0.6) -> Stream:
    """*records* one after another, some with one fault, perhaps cut at the end."""
    parts: list[bytes] = []
    whole, told = [], []
    for number, raw in enumerate(records):
        # A fault in a line end is one of the next record too.
        is_hit = bool(parts) and not parts[-1].endswith(records[number - 1][-2:])
        kind = rng.choice(FAULTS[:-1]) if not is_hit and rng.random() < fault_rate else ""
        part, place = _faulty(raw, kind, rng, layouts)
        parts.append(part)
        told.append((kind, *place))
        if part == raw:
            whole.append(number)
    data = b"".join(parts)
    starts = tuple(int(at) for at in np.cumsum([0, *map(len, parts)])[:-1])
    cut = rng.randrange(len(data) + 1)
    last = int(np.searchsorted(starts, cut, "right")) - 1
    is_hit = last > 0 and not parts[last - 1].endswith(records[last - 1][-2:])
    if rng.random() < 0.2 and not told[last][0] and not is_hit:  # or it would have two faults
        data = data[:cut]
        whole = [number for number in whole if starts[number] + len(records[number]) <= len(data)]
    return Stream(data, tuple(records), starts, tuple(whole), tuple(told))


def _faulty(raw: bytes, kind: str, rng: random.Random, layouts: Layouts) -> tuple[bytes, tuple[int, int]]:
    at, size = rng.randrange(len(raw)), _size(len(raw), rng)
    if kind == "remove":
        size = min(size, len(raw) - at)
        return raw[:at] + raw[at + size :], (at, size)
    if kind == "insert":
        filled = rng.choice(
            (rng.randbytes(size), bytes(rng.choices(b"0123456789 ", k=size)), b"\r\n", b"\n", b" " * size, b"0" * size)
        )
        return raw[:at] + filled + raw[at:], (at, len(filled))
    if kind == "double":
        return raw[: at + size] + raw[at:], (at, size)
    if kind == "overwrite":
        layout = layouts.get(raw[:2].decode(), len(raw))
        assert layout is not None
        start, field = rng.choice(_leaves(layout))
        allowed = FORBIDDEN.get(field.kind, FORBIDDEN_IN_TEXT)
        size = rng.randint(1, min(field.length, 4))
        start += rng.randrange(field.length - size + 1)
        return raw[:start] + bytes(rng.choices(allowed, k=size)) + raw[start + size :], (start, size)
    return raw, (0, 0)


def _size(length: int, rng: random.Random) -> int:
    """How many bytes a fault has: mostly few, now and then many, also the differences between generations."""
    return rng.choice((1, 1, 2, 3, rng.randint(1, 16), rng.choice((2, 4, 6, 8, 30, 32)), rng.randint(1, length - 1)))


def wrong(stream: Stream, layouts: Layouts) -> list[str]:
    """What is wrong with the records that are served from *stream*: numbers of elsewhere, whole records not served."""
    served = [
        item for item in frames((stream.data,), layouts) if isinstance(item, RawRecord) and item.layout is not None
    ]
    found = []
    for item in served:
        number = int(np.searchsorted(stream.starts, item.offset, "right")) - 1
        names = _moved(item, stream.originals[number])
        if names:
            found.append(f"{item.layout.id} at {item.offset}: {names[:5]} {stream.told[number]}")
    raws = {item.raw for item in served}
    found += [f"{stream.originals[one][:2]!r} number {one} is not served: {stream.told}" for one in stream.whole
              if stream.originals[one] not in raws]  # fmt: skip
    return found


def _moved(item: RawRecord, original: bytes) -> list[str]:
    """The fields of a served record that show something else than the original has there."""
    layout, raw = item.layout, item.raw
    assert layout is not None
    if raw == original:
        return []
    if len(raw) != len(original) or raw[:2] != original[:2]:
        true = _numbers(decode(original, JRA.layouts)) if raw[:2] == original[:2] else {}
        served = _numbers(decode(raw, JRA.layouts))
        return [f"{len(original)} bytes: {name}" for name, value in served.items() if true.get(name) != value]
    differs = np.frombuffer(raw, np.uint8) != np.frombuffer(original, np.uint8)
    spans, fields = _spans(layout)
    changed = np.add.reduceat(differs, spans.ravel())[::2] > 0
    return [fields[one].key for one in np.flatnonzero(changed) if _is_shown(raw, int(spans[one, 0]), fields[one])]


def _numbers(value, name=""):
    """The numbers of a decoded record by their places."""
    if isinstance(value, dict):
        return {place: one for key, each in value.items() for place, one in _numbers(each, f"{name}.{key}").items()}
    if isinstance(value, list):
        return {place: one for n, each in enumerate(value) for place, one in _numbers(each, f"{name}[{n}]").items()}
    return {name: value} if isinstance(value, int | float) and not name.startswith("._errors") else {}


def _is_shown(raw: bytes, at: int, field: Field) -> bool:
    try:
        return _load(field)(raw[at : at + field.length]) is not None
    except ValueError:
        return False


@cache
def _load(field: Field):
    return loader(field, field.special)


@cache
def _spans(layout: Layout) -> tuple[np.ndarray, tuple[Field, ...]]:
    leaves = sorted(
        ((at, field) for at, field in _leaves(layout) if field.kind in FIXED_KINDS), key=lambda leaf: leaf[0]
    )
    return np.array([(at, at + field.length) for at, field in leaves]), tuple(field for _, field in leaves)


@cache
def _leaves(layout: Layout) -> tuple[tuple[int, Field], ...]:
    """Every item of every field, and where it starts."""
    return tuple(_each(layout.fields[:-1], 0))


def _each(fields, base):
    for field in fields:
        for at in range(base + field.offset, base + field.end, field.length):
            if isinstance(field, Group):
                yield from _each(field.fields, at)
            elif field.kind != "reserved":
                yield at, field
