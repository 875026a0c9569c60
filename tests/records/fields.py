"""Fields and groups of the current layouts by their names, and objects that columns read."""

from dataclasses import replace

import numpy as np

from jvgate.records.columns.rows import WORD_BYTES, Rows
from tests.specs import JRA

__all__ = ["field_of", "member", "patched", "rows"]


def member(record, name):
    """The field or group *name*, dotted inside groups."""
    fields = JRA.layouts.current(record).fields
    for key in name.split("."):
        found = next(one for one in fields if one.key == key)
        fields = getattr(found, "fields", ())
    return found


def field_of(record, name):
    """The field *name* as the only one of its object: at byte 0."""
    return replace(member(record, name), offset=0)


def rows(*objects):
    """Objects of one length, with the room in front of the first one that words of eight bytes need."""
    data = np.frombuffer(bytes(WORD_BYTES) + b"".join(objects), np.uint8)
    return Rows(data, WORD_BYTES, len(objects[0]), len(objects), len(objects[0]))


def patched(raw, offset, piece):
    """*raw* with *piece* at *offset*."""
    return raw[:offset] + piece + raw[offset + len(piece) :]
