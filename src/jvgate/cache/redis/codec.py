"""A dataset as bytes that may lie anywhere: what another process wrote, another release, or somebody else.

Theory of operation.  A value is a header of 40 bytes, the facts (JSON), and the raw records, compressed with zstd
where that makes them smaller.  Nothing in it is ever run or unpickled.  Whoever reads one believes nothing: magic and
form version first, then the lengths (their sum is the whole value's length), then a checksum over all of it, then the
facts one by one.  The header says how long the records are; what is longer than the reader's limit is refused before
memory is taken for it, and so is a zstd frame that gives another length than the header.  Every refusal is a `Miss`
with one word that is counted.

The checksum finds accidents, not enemies: who may write to Redis may write wrong records, and no more than that.
"""

from __future__ import annotations

import struct
import threading
import zlib
from math import isfinite, nan
from typing import Any, Final

import orjson
import zstandard

from jvgate.cache.redis.keys import VERSION, query_text
from jvgate.cache.shared import Miss, Packed
from jvgate.spec.layouts import Layouts
from jvgate.values import Dataset, Query, SourceFile

__all__ = ["FACTS_BYTES", "HEADER_BYTES", "pack", "packed_length", "read_at_of", "unpack"]

_MAGIC = b"JVg\x9e"  # no text begins like this
_HEADER = struct.Struct("<4sIBBxxIQQd")  # magic, checksum, version, flags, facts, raw and kept length, read at
_CHECKED_FROM = 8  # the checksum is of all that stands behind it
HEADER_BYTES: Final = _HEADER.size

_ZSTD = 1  # flag: the records are a zstd frame
_LEVEL = 3
_SHORT_BYTES = 4096  # as it is, this travels as fast as its compressed form, and is opened sooner
FACTS_BYTES: Final = 1 << 20  # the most that is said beside the records
_LONGEST_S = 400 * 86400.0  # no entry lives longer, whatever it says of itself


class _OfThread(threading.local):
    decompressor: zstandard.ZstdDecompressor


_of_thread: Final = _OfThread()


def pack(packed: Packed) -> bytes:
    """Return *packed* as bytes.  Takes about 5 ms for a megabyte of records: off the event loop where they are many."""
    dataset = packed.dataset
    facts = orjson.dumps(_facts(packed))
    kept, flags = dataset.body, 0
    if len(kept) > _SHORT_BYTES:
        kept, flags = zstandard.ZstdCompressor(level=_LEVEL).compress(kept), _ZSTD
    fields = (VERSION, flags, len(facts), len(dataset.body), len(kept), dataset.read_at)
    unchecked = _HEADER.pack(_MAGIC, 0, *fields)
    checksum = zlib.crc32(kept, zlib.crc32(facts, zlib.crc32(unchecked[_CHECKED_FROM:])))
    return b"".join((_HEADER.pack(_MAGIC, checksum, *fields), facts, kept))


def packed_length(start: bytes) -> int:
    """Return how long the value is that begins with *start*, as its header has it; 0 when it has no such header."""
    if len(start) < HEADER_BYTES:
        return 0
    magic, _, version, _, facts, _, kept, _ = _HEADER.unpack_from(start)
    return HEADER_BYTES + facts + kept if (magic, version) == (_MAGIC, VERSION) else 0


def read_at_of(header: bytes) -> float | None:
    """Return when the dataset was read whose value has this *header*; None when it has no such header.

    Seconds since the epoch; nothing is checked, so only to be shown.
    """
    *_, read_at = _HEADER.unpack(header) if packed_length(header) else (nan,)
    return read_at if isfinite(read_at) else None


def unpack(data: bytes, *, query: Query, layouts: Layouts, limit_bytes: int) -> Packed | Miss:
    """Return what *data* holds for *query*, scanned, or why it is nothing of use.  Off the event loop.

    layouts: of the records.  limit_bytes: of raw records.
    Reasons: foreign, version, large, length, checksum, facts, query, body.
    """
    if len(data) < HEADER_BYTES:
        return Miss("foreign")
    header = _HEADER.unpack_from(data)
    _, checksum, _, flags, facts_length, raw_length, _, read_at = header
    if (flaw := _flaw(header, len(data), limit_bytes)) is not None:
        return Miss(flaw)
    whole, body_at = memoryview(data), HEADER_BYTES + facts_length
    if zlib.crc32(whole[_CHECKED_FROM:]) != checksum:
        return Miss("checksum")
    facts, kept = whole[HEADER_BYTES:body_at], whole[body_at:]
    return _opened(facts, kept, query, layouts, raw_length, read_at, is_zstd=bool(flags & _ZSTD))


def _flaw(header: tuple[Any, ...], length: int, limit_bytes: int) -> str | None:
    """Return what speaks against a value of *length* bytes that begins with *header*, or None."""
    magic, _, version, _, facts_length, raw_length, kept_length, _ = header
    if magic != _MAGIC:
        return "foreign"
    if version != VERSION:
        return "version"
    if raw_length > limit_bytes or facts_length > FACTS_BYTES:
        return "large"
    return None if HEADER_BYTES + facts_length + kept_length == length else "length"


def _opened(
    facts: memoryview,
    kept: memoryview,
    query: Query,
    layouts: Layouts,
    raw_length: int,
    read_at: float,
    *,
    is_zstd: bool,
) -> Packed | Miss:
    try:
        told = orjson.loads(facts)
        if told["query"] != query_text(query):
            return Miss("query")
        body = _body(kept, raw_length) if is_zstd else bytes(kept)
        if body is None or len(body) != raw_length:
            return Miss("body")
        return _packed(told, query, body, read_at, layouts)
    except (KeyError, TypeError, ValueError):
        return Miss("facts")


def _body(kept: memoryview, raw_length: int) -> bytes | None:
    """Return the records of a zstd frame of exactly *raw_length* bytes, or None for any other.

    The decoder takes memory for what the frame says of its length, so that is compared first.
    """
    try:
        if zstandard.get_frame_parameters(kept).content_size != raw_length:
            return None
        return _decompressor().decompress(kept, max_output_size=raw_length, allow_extra_data=False)
    except zstandard.ZstdError:
        return None


def _decompressor() -> zstandard.ZstdDecompressor:
    """Return this thread's own: making one takes longer than a short value, and two threads may not share it."""
    try:
        return _of_thread.decompressor
    except AttributeError:
        _of_thread.decompressor = zstandard.ZstdDecompressor()
        return _of_thread.decompressor


def _facts(packed: Packed) -> dict[str, Any]:
    dataset = packed.dataset
    return {
        "query": query_text(dataset.query),
        "files": [[file.name, file.provided, file.offset] for file in dataset.files],
        "last_file_timestamp": dataset.last_file_timestamp,
        "fresh_until": packed.fresh_until,
        "stale_until": packed.stale_until,
        "tags": packed.tags,
        "stamp": packed.stamp,
    }


def _packed(facts: dict[str, Any], query: Query, body: bytes, read_at: float, layouts: Layouts) -> Packed:
    """Return the entry of *facts*.  Raises KeyError, TypeError or ValueError for facts that cannot be."""
    files = tuple(_file(item, len(body)) for item in facts["files"])
    fresh_until, stale_until = facts["fresh_until"], facts["stale_until"]
    tags, last, stamp = tuple(facts["tags"]), facts["last_file_timestamp"], facts["stamp"]
    _require(_NUMBER, fresh_until, stale_until)
    _require(_TEXT, last, *tags)
    _require(_WHOLE, stamp)
    if stamp < 0 or not read_at <= stale_until <= read_at + _LONGEST_S or not fresh_until <= stale_until:
        raise ValueError("no such windows")
    dataset = Dataset.landed(query, body, files, last, read_at, layouts=layouts)
    return Packed(dataset, fresh_until, stale_until, tags, stamp)


def _file(item: Any, body_length: int) -> SourceFile:
    name, provided, offset = item
    _require(_TEXT, name, provided)
    _require(_WHOLE, offset)
    if not 0 <= offset <= body_length:
        raise ValueError("a file that begins outside the records")
    return SourceFile(name, provided, offset)


_TEXT: Final = frozenset({str})
_WHOLE: Final = frozenset({int})
_NUMBER: Final = frozenset({int, float})


def _require(kinds: frozenset[type], *values: object) -> None:
    if not kinds.issuperset(map(type, values)):  # the type itself: True is no number here
        raise TypeError("not what it should be")
