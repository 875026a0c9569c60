"""The body of a batch: a JSON document -> the entries, and an entry -> what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from jvgate.errors import QueryError

__all__ = ["ENTRIES", "MAX_BODY_BYTES", "MAX_ENTRIES", "MAX_ENTRY_BYTES", "entry_parameters", "requests_of"]

ENTRIES = "requests"
MAX_BODY_BYTES = 1 << 20
MAX_ENTRIES = 100
MAX_ENTRY_BYTES = 8192  # as long as a URL may be
_SHAPE = f'{{"{ENTRIES}": [{{"dataspec": "RACE", "from_time": "20261101"}}, …]}} with 1 to {MAX_ENTRIES} entries'
_VALUES = "a text, a whole number, true or false, or a list of texts"


def requests_of(body: bytes) -> list[Any]:
    """Return the entries of a batch, not looked into yet.

    Raises QueryError: `not-json`, or `invalid-batch` for JSON that is none.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise QueryError(
            "not-json", f"The body is no JSON: {exc}.", parameter="body", value=None, allowed=_SHAPE
        ) from exc
    if not isinstance(document, dict):
        raise _invalid("The body is no object.", parameter="body", allowed=_SHAPE)
    for name in document:
        if name != ENTRIES:
            raise _invalid(f"A batch has no member {name[:40]!r}.", parameter=name[:40], allowed=_SHAPE)
    entries = document.get(ENTRIES)
    if not isinstance(entries, list):
        raise _invalid(f"There is no list {ENTRIES!r}.", parameter=ENTRIES, allowed=_SHAPE)
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise _invalid(f"There are {len(entries)} entries.", parameter=ENTRIES, allowed=f"1 to {MAX_ENTRIES} entries")
    return entries


def entry_parameters(entry: object) -> tuple[str, dict[str, Sequence[str]]]:
    """Return the data spec of one entry and its parameters, as a URL would have them.

    A member that is null is left out.  Raises QueryError (`invalid-batch`).
    """
    if not isinstance(entry, dict):
        raise _invalid("The entry is no object.", parameter=ENTRIES, allowed='{"dataspec": …, …}')
    try:
        size = len(orjson.dumps(entry))
    except orjson.JSONEncodeError as exc:  # what can be read is written too, but for its depth
        raise _invalid("The entry is nested too deep.", parameter=ENTRIES, allowed=_VALUES) from exc
    if size > MAX_ENTRY_BYTES:
        raise _invalid("The entry is too long.", parameter=ENTRIES, allowed=f"{MAX_ENTRY_BYTES} bytes of JSON")
    parameters = {name: _texts(name, value) for name, value in entry.items() if value is not None}
    dataspec = parameters.pop("dataspec", [])
    if len(dataspec) != 1:
        raise _invalid("The entry names no data spec.", parameter="dataspec", allowed="one data spec, such as RACE")
    return dataspec[0], parameters


def _texts(name: str, value: object) -> Sequence[str]:
    """Return the values of a member, as texts; at least one."""
    values = value if isinstance(value, list) else [value]
    texts = [_text(one) for one in values]
    if not texts or None in texts:
        raise _invalid(f"{name[:40]} has a value that is none.", parameter=name[:40], allowed=_VALUES)
    return [text for text in texts if text is not None]


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, str | int) else None


def _invalid(why: str, *, parameter: str, allowed: str) -> QueryError:
    return QueryError("invalid-batch", why, parameter=parameter, value=None, allowed=allowed)
