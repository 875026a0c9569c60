"""The bytes of a record -> its JSON text; what cannot be read is null and told in `_errors`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import error as struct_error

import orjson

from jvgate.errors import RecordError
from jvgate.records.kinds import Errors
from jvgate.records.plan import plan_chooser
from jvgate.spec.layouts import Layout

__all__ = ["WriteText", "text_writer", "wrong_length"]

WriteText = Callable[[bytes, Errors], bytes]

# DataKubun: the body of a deletion may be anything; that of a cancelled race may leave fields blank.
DELETED, CANCELLED = b"0", b"9"


@cache
def text_writer(layout: Layout) -> WriteText:
    """Return what writes one raw record of exactly `layout.length` bytes as a JSON object.

    The writer appends what was wrong to the list it is given: field, offset in the record, raw characters, why;
    the same stands in the text as `_errors`.  Raises RecordError for any other length.
    """
    choose = plan_chooser(layout)

    def write(raw: bytes, errors: Errors) -> bytes:
        plan = choose(raw)
        try:
            return b"{%b}" % plan.text(raw)
        except struct_error as exc:  # a plan cuts its own length only: a slice of short bytes does not pass
            raise wrong_length(layout, raw) from exc
        except ValueError:
            found: Errors = []
            members = plan.salvage(raw, 0, found)
            found = [] if raw[2:3] == DELETED else _without_blanks(found) if raw[2:3] == CANCELLED else found
            if not found:
                return b"{%b}" % members
            errors += found
            return b'{%b,"_errors":%b}' % (members, orjson.dumps(found))

    return write


def _without_blanks(errors: Errors) -> Errors:
    return [error for error in errors if error["raw"].strip(" ")]


def wrong_length(layout: Layout, raw: bytes) -> RecordError:
    """Return the error of a record that is not as long as its layout."""
    return RecordError(layout.record, "length", offset=0, why=f"{len(raw)} bytes, not {layout.length}")
