"""Raw records put out of order: what a line, a disk or an operator may make of them, place by place."""

import random
from collections.abc import Iterator
from functools import cache

from jvgate.spec.layouts import Field, Group, Layout


def damaged(raw: bytes, layout: Layout, rng: random.Random, *, keys: frozenset[str] = frozenset()) -> bytes:
    """Return *raw* with other characters in some fields (those under *keys*, or any) and some bytes anywhere."""
    out = bytearray(raw)
    places = [place for place in _places(layout) if not keys or place[0] in keys]
    for _ in range(rng.choice((0, 1, 2, 8, 40))):
        _, offset, field = rng.choice(places)
        out[offset : offset + field.length] = rng.choice(_candidates(field))
    for _ in range(0 if keys else rng.choice((0, 0, 1, 5))):
        out[rng.randrange(layout.length)] = rng.randrange(256)
    for _, offset, length in rng.sample(slots := _slots(layout, keys), min(len(slots), rng.choice((0, 1, 4)))):
        out[offset : offset + length] = b" " * length
    return bytes(out)


@cache
def _places(layout: Layout) -> list[tuple[str, int, Field]]:
    """Return every leaf with its top-level key and where it stands."""
    return list(_leaves(layout.fields, 0, ""))


def _leaves(fields: tuple[Field | Group, ...], at: int, key: str) -> Iterator[tuple[str, int, Field]]:
    for field in fields:
        for number in range(field.repeat):
            start = at + field.offset + number * field.length
            if isinstance(field, Group):
                yield from _leaves(field.fields, start, key or field.key)
            else:
                yield key or field.key, start, field


def _slots(layout: Layout, keys: frozenset[str]) -> list[tuple[str, int, int]]:
    groups = [g for g in layout.fields if isinstance(g, Group) and (not keys or g.key in keys)]
    return [(g.key, g.offset + number * g.length, g.length) for g in groups for number in range(g.repeat)]


@cache
def _candidates(field: Field) -> list[bytes]:
    """Return what might stand in *field*: all that has a meaning of its own, and what has none."""
    known = {*field.unset, *field.special, *(raw for dated in field.special_dated for raw in dated.special)}
    fills = [bytes([byte]) * field.length for byte in b" 09-*A5\0\n\xff\x81"]
    wide = (b"\x81\x40" * field.length)[: field.length]
    signed = [sign + b"0" * (field.length - 1) for sign in (b"+", b"-", b" ")]
    dates = [day[-field.length :] for day in (b"20240229", b"20230229", b"00010101", b"00000101", b"20231301")]
    times = [time[-field.length :].rjust(field.length, b"0") for time in (b"2359", b"2400", b"9599", b"9600")]
    return [*sorted(known), *fills, wide, *signed, *(day for day in dates if len(day) == field.length), *times]
