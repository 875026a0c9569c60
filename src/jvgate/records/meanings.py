"""What a layout says of values beyond their kinds: what is shown at all, what is special since when, what is empty."""

from __future__ import annotations

from collections.abc import Mapping

from jvgate.records.encode import initial_slot
from jvgate.records.slots import is_large
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.places import place_of

__all__ = ["blank_slots", "is_shown", "last_days", "race_day", "special_of"]


def is_shown(member: Field | Group) -> bool:
    """Whether *member* says something: reserved areas and groups of them do not."""
    if isinstance(member, Group):
        return any(is_shown(inner) for inner in member.fields)
    return member.kind != "reserved"


def last_days(layout: Layout) -> tuple[str, ...]:
    """Return the last race days (YYYYMMDD) of older special values, in their order."""
    return tuple(sorted({dated.until for field in layout.leaves() for dated in field.special_dated}))


def race_day(layout: Layout) -> slice:
    """Return where the race day (YYYYMMDD) stands in records whose special values depend on it."""
    (start, first), (then, last) = place_of(layout).day
    assert start + first == then, layout.id
    return slice(start, then + last)


def special_of(field: Field, until: str) -> Mapping[bytes, str]:
    """Return the special values of *field* for races up to *until* ("" for all later ones): bytes -> slug."""
    special = dict(field.special)
    for dated in field.special_dated:
        if until and until <= dated.until:
            special |= dated.special
    return special


def blank_slots(group: Group) -> tuple[bytes, ...]:
    """Return the slots that say nothing: spaces, and the initial values where those all mean "not set".

    Slots of large groups are told by their values, as `slots.py` reads them.
    """
    spaces, initial = b" " * group.length, initial_slot(group.fields)
    if is_large(group) or not all(isinstance(one, Field) and (one.unset or one.unset_fill) for one in group.fields):
        return (spaces,)
    return spaces, initial
