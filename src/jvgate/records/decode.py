"""The bytes of a record -> its values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import error as struct_error
from typing import Any

import orjson

from jvgate.errors import RecordError
from jvgate.records.plan import plan_chooser
from jvgate.records.text import text_writer, wrong_length
from jvgate.spec.layouts import Layout, Layouts

__all__ = ["Record", "decode", "decoder"]

Record = dict[str, Any]


def decode(raw: bytes, layouts: Layouts) -> Record:
    """Return the values of one record; its layout is the one of *layouts* with its type and exact length.

    Raises RecordError when no layout fits.  A field whose bytes break its kind is None, and `_errors` says why.
    """
    return _decoder_for(layouts, raw[:2], len(raw))(raw)


@cache
def decoder(layout: Layout) -> Callable[[bytes], Record]:
    """Return the decoder of *layout*: one raw record of exactly `layout.length` bytes -> its values."""
    choose, write = plan_chooser(layout), text_writer(layout)

    def read(raw: bytes) -> Record:
        try:
            return choose(raw).values(raw)
        except struct_error as exc:
            raise wrong_length(layout, raw) from exc
        except ValueError:  # something is wrong: the text says what
            parsed: Record = orjson.loads(write(raw, []))
            return parsed

    return read


@cache
def _decoder_for(layouts: Layouts, name: bytes, length: int) -> Callable[[bytes], Record]:
    record = name.decode("ascii", "replace")
    layout = layouts.get(record, length)
    if layout is None:
        raise RecordError(record, "RecordSpec", offset=0, why=f"no layout of {length} bytes")
    return decoder(layout)
