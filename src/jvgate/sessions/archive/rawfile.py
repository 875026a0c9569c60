"""A file of raw records: what it holds, read whole, told apart by record type and key.

A file is records one after another, each ending in CR LF, optionally zstd-compressed.  Damage between the records
stays where it is: whoever reads them later has to see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

import zstandard

from jvgate.errors import JVLinkError
from jvgate.records.framing import HEADER, LOOKAHEAD, frames
from jvgate.records.runs import Damage, RawRecord
from jvgate.spec.layouts import Layouts
from jvgate.spec.places import Spans, place_of

__all__ = [
    "carried_key",
    "expanded",
    "known_types",
    "load",
    "looks_like_jvdata",
    "provided_in_name",
    "record_type",
    "shown",
    "split",
]

_RECORD_START = re.compile(rb"(?:\A|\r\n)\0*" + HEADER.pattern)
_FEED_BYTES = 1 << 10  # a kilobyte of zstd gives at most some 32 MiB
_WINDOW_BYTES = 1 << 27
_LIMIT_BYTES = 1 << 30
_EARLIEST_YEAR, _LATEST_YEAR = 1980, 2100
_SURROGATE = re.compile("[\ud800-\udfff]")


def shown(name: str) -> str:
    """Return the name of a file or folder as text; U+FFFD stands for each byte that is not UTF-8."""
    return name if name.isascii() else _SURROGATE.sub("\ufffd", name)


def looks_like_jvdata(path: Path) -> bool:
    """Whether a record begins near the start of the file: type, DataKubun and a date.

    Raises OSError; a compressed file that cannot be expanded counts as JV-Data, so that its read tells why.
    """
    with path.open("rb") as file:
        head = file.read(LOOKAHEAD)
    if path.suffix == ".zst":
        head = _expand_head(head)
        return not head or _RECORD_START.search(head) is not None
    return _RECORD_START.search(head) is not None


def load(path: Path) -> bytes:
    """Return the bytes of the file, expanded.

    Raises JVLinkError: -402 for an empty file, -403 for one that cannot be expanded or passes 1 GiB, -503
    for one that is gone or cannot be opened.
    """
    name = shown(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT_BYTES + 1)
    except OSError as exc:
        raise JVLinkError(-503, "JVGets", detail=f"{name}: {exc.strerror}") from exc
    if path.suffix == ".zst" and data:
        data = _expand(data, name)
    if not data:
        raise JVLinkError(-402, "JVGets", detail=f"{name} is empty")
    if len(data) > _LIMIT_BYTES:
        raise JVLinkError(-403, "JVGets", detail=f"{name} is longer than {_LIMIT_BYTES} bytes")
    return data


def split(data: bytes, layouts: Layouts) -> tuple[list[bytes], bytes]:
    """Return the records as they stand, and what follows the last CR LF without its NULs.

    A record that damage broke into two lines stays one; what is no record is a piece of its own.
    """
    pieces = [data[item.offset : item.offset + _size(item)] for item in frames((data,), layouts)]
    is_whole = not pieces or pieces[-1].endswith(b"\r\n")
    return (pieces, b"") if is_whole else (pieces[:-1], pieces[-1].rpartition(b"\r\n")[2].strip(b"\0"))


def _size(item: RawRecord | Damage) -> int:
    return item.size if isinstance(item, RawRecord) else item.length


def record_type(record: bytes) -> bytes:
    """Return the two bytes that name the type of *record*, which may have NULs in front."""
    return record[:2] if record[:1] != b"\0" else record.lstrip(b"\0")[:2]


@cache
def known_types(layouts: Layouts) -> frozenset[bytes]:
    """Return the record types of the specification."""
    return frozenset(name.encode("ascii") for name in layouts.types)


def carried_key(record: bytes, layouts: Layouts) -> str | None:
    """Return the key that *record* carries, or None when its type carries none.

    `YYYYMMDDJJRR` for a race, `YYYYMMDDJJ` for a day at a course (WE, YS), `YYYYMMDD` for a day (WF).
    """
    spans = _key_spans(layouts).get(record_type(record))
    if spans is None:
        return None
    record = record.lstrip(b"\0")
    return b"".join(record[offset : offset + length] for offset, length in spans).decode("ascii", "replace")


@lru_cache(maxsize=1 << 16)
def provided_in_name(name: str) -> str | None:
    """Return the last 14 digits of a run of digits in *name*, where they form a time, YYYYMMDDhhmmss; else None."""
    times = [run[-14:] for run in re.findall(r"[0-9]{14,}", name) if _is_time(run[-14:])]
    return times[-1] if times else None


@cache
def _key_spans(layouts: Layouts) -> dict[bytes, Spans]:
    """Return where the records of each type say what they are about; without those that say nothing."""
    places = {name.encode("ascii"): place_of(layouts.current(name)) for name in layouts.types}
    return {name: place.day + place.course + place.number for name, place in places.items() if place.day}


def _expand(data: bytes, name: str) -> bytes:
    parts: list[bytes] = []
    total = 0
    try:
        for part in expanded((data,)):
            parts.append(part)
            total += len(part)
            if total > _LIMIT_BYTES:
                break
    except zstandard.ZstdError as exc:
        raise JVLinkError(-403, "JVGets", detail=f"{name}: {exc}") from exc
    return b"".join(parts)


def _expand_head(data: bytes) -> bytes:
    """Return what the beginning of a compressed file gives, as far as it can be expanded."""
    head = b""
    with suppress(zstandard.ZstdError):
        for part in expanded((data,)):
            head += part
            if len(head) >= LOOKAHEAD:
                break
    return head


def expanded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what a zstd file of one frame or more holds, in small steps: a small file may hold very much.

    Raises ZstdError, also when the last frame is cut short.
    """
    frame: zstandard.ZstdDecompressionObj | None = None
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            frame = frame or _expander()
            fed = chunk[at : at + _FEED_BYTES]
            yield frame.decompress(fed)
            at += len(fed) - len(frame.unused_data)
            frame = None if frame.eof else frame
    if frame is not None:
        raise zstandard.ZstdError("the compressed data ends early")


def _expander() -> zstandard.ZstdDecompressionObj:
    return zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()


def _is_time(text: str) -> bool:
    try:
        return _EARLIEST_YEAR <= datetime.strptime(text, "%Y%m%d%H%M%S").year <= _LATEST_YEAR
    except ValueError:
        return False
