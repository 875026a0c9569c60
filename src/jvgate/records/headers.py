"""Headers of records: record type, DataKubun and date of creation, and where they are enough to resynchronise.

Theory of operation.  A header that stands at the start of a line may be of a type that nobody knows yet.  Anywhere else
it has to be an anchor: a known type with a DataKubun that it has, a date of the calendar, and the end of a record at
one of the lengths of that type.  A type that is read one byte off is followed by no such date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from jvgate.spec.layouts import Layout, Layouts

__all__ = ["HEADER", "LINE_END", "Headers", "ends_at", "headers_of"]

_DAY = rb"(?:0[13-9]|1[0-2])(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|[12][0-9])|(?:0[13578]|1[02])31"
_MADE = rb"(?:19[5-9][0-9]|20[0-9]{2})(?:" + _DAY + rb")"
HEADER = re.compile(rb"[A-Z][A-Z0-9][0-9A-Z]" + _MADE)
LINE_END = re.compile(rb"\r{0,2}\n")
_HEADER_BYTES = len(b"RA720261101")
_RETURN = ord("\r")
_LINE_START = re.compile(rb"\n[\0 ]*(?=" + HEADER.pattern + rb")")


class Headers:
    """The headers of the records of *layouts*."""

    def __init__(self, layouts: Layouts) -> None:
        self._known = {
            name.encode("ascii"): {layout.length: layout for layout in layouts.generations(name)}
            for name in layouts.types
        }
        kinds = [name + b"[" + _kubuns(known) + b"]" for name, known in self._known.items()]
        self._anchor = re.compile(rb"(?:" + rb"|".join(kinds) + rb")" + _MADE)
        self._tails: dict[Layout, tuple[tuple[int, bytes], ...]] = {}

    def known(self, name: bytes) -> dict[int, Layout]:
        """Return the layouts of a record type by their lengths; empty for an unknown type."""
        return self._known.get(name, {})

    def next_start(self, buffer: bytes, at: int, end: int, *, at_end: bool) -> int | None:
        """Return the first place from *at* to before *end* where a record starts; None where there is none.

        at_end: nothing comes behind *buffer*.
        """
        line = _LINE_START.search(buffer, at, min(len(buffer), end + _HEADER_BYTES))
        end = min(end, line.end()) if line is not None else end
        anchors = (place for place in self._anchors(buffer, at, end) if self.is_anchor(buffer, place, at_end=at_end))
        found = next(anchors, None)
        if found is not None or line is None or line.end() > end:
            return found
        return line.end()

    def is_anchor(self, buffer: bytes, at: int, *, at_end: bool) -> bool:
        """Whether a record of a known type and length stands at *at*, where its header does."""
        return any(
            ends_at(buffer, at, at + length - 2, at_end=at_end) is not None
            for length in self.known(buffer[at : at + 2])
        )

    def tails(self, layout: Layout) -> tuple[tuple[int, bytes], ...]:
        """Return where the name of a whole record would stand in the place of the last bytes of one of *layout*."""
        if layout not in self._tails:
            shorter = [(layout.length - length, name) for name, known in self._known.items() for length in known]
            self._tails[layout] = tuple(sorted((offset, name) for offset, name in shorter if offset > 0))
        return self._tails[layout]

    def _anchors(self, buffer: bytes, at: int, end: int) -> Iterator[int]:
        """Yield every place from *at* to before *end* where the header of a known type stands."""
        limit = min(len(buffer), end + _HEADER_BYTES)
        found = self._anchor.search(buffer, at, limit)
        while found is not None and found.start() < end:
            yield found.start()
            found = self._anchor.search(buffer, found.start() + 1, limit)


@cache
def headers_of(layouts: Layouts) -> Headers:
    """Return the headers of the records of *layouts*, compiled once."""
    return Headers(layouts)


def ends_at(buffer: bytes, start: int, text_end: int, *, at_end: bool) -> int | None:
    """Return how many bytes end the record from *start* whose text goes to *text_end*; None where it does not end.

    A line end that was cut off is 0 bytes long: the next header, or the end of the data, follows at once.
    """
    if text_end > len(buffer) or buffer[text_end - 1] == _RETURN or buffer.find(b"\n", start, text_end) >= 0:
        return None
    found = LINE_END.match(buffer, text_end)
    if found is not None:
        return found.end() - text_end
    cut = text_end
    while cut < len(buffer) and buffer[cut] == _RETURN and cut < text_end + 2:
        cut += 1
    if HEADER.match(buffer, cut) is not None or (at_end and cut == len(buffer)):
        return cut - text_end
    return None


def _kubuns(known: dict[int, Layout]) -> bytes:
    return "".join(sorted({kubun for layout in known.values() for kubun in layout.data_kubun})).encode("ascii")
