"""Content codings: which one a client wants (RFC 9110, section 12.5.3), and how a body or a stream is packed.

The order of `CODINGS` is ours where a client likes several alike; it is measured (`benchmarks/compression.py`).  zstd
costs least by far until a race day has arrived.  The others are in the order of what is left of it, as an answer is
packed once and sent many times; lz4, the quickest and the largest, is for those who ask for it.  It is the frame
format; its name is not registered.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import brotli
import lz4.frame
import zstandard

from jvgate.errors import SettingsError
from jvgate.render.formats.registry import FORMATS

__all__ = [
    "CODINGS",
    "IDENTITY",
    "MIN_BYTES",
    "Coding",
    "Compressor",
    "compress",
    "compressor",
    "expand",
    "is_packed",
    "levels_with",
    "negotiate",
    "pays",
    "takes_identity",
    "weighted",
]

IDENTITY = "identity"
# A smaller body fits into the packet that carries its headers anyway.
MIN_BYTES = 1024
_LEVELS_SETTING = "JVGATE_COMPRESSION_LEVELS (compression_levels)"
_ALIASES = {"x-gzip": "gzip"}
_GZIP_BITS, _ZLIB_BITS = 31, 15
_ZSTD_FLUSH = zstandard.COMPRESSOBJ_FLUSH_BLOCK


class Weighted(NamedTuple):
    """One element of a request header that lists preferences (RFC 9110, section 12.4.2).

    name, parameters: in lower case but for the values.  weight: from 0 (not at all) to 1."""

    name: str
    weight: float
    parameters: Mapping[str, str]


def weighted(text: str) -> Weighted | None:
    """Return what *text* says; None where its weight cannot be read."""
    name, *parts = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in parts)
    parameters = {key.strip().lower(): value.strip() for key, _, value in pairs}
    try:
        weight = min(1.0, max(0.0, float(parameters.pop("q", "1"))))
    except ValueError:
        return None
    return Weighted(name.lower(), weight, parameters)


class Compressor(Protocol):
    """Packs a stream.  What `write` returns can be unpacked, as far as it goes, as soon as it has come."""

    def write(self, piece: bytes) -> bytes:
        """Return *piece*, packed whole."""

    def end(self) -> bytes:
        """Return what closes the stream; nothing may follow."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One way to pack.  name: as in Content-Encoding.  level: the usual one of *levels*, the more the smaller.

    expand: undoes `compress`.  squeeze: packs as small as goes at some megabytes a second; None where that is hardly
    smaller than usual.
    """

    name: str
    level: int
    levels: range
    compress: Callable[[bytes, int], bytes]
    compressor: Callable[[int], Compressor]
    expand: Callable[[bytes], bytes]
    squeeze: Callable[[bytes], bytes] | None = None


def negotiate(accept_encoding: str, offered: Sequence[str]) -> str | None:
    """Return the coding of *offered* that *accept_encoding* likes best, IDENTITY for none, or None for no way at all.

    Ties follow the order of *offered*.  An empty header wants no coding; a missing one is taken for empty, as a
    client that says nothing may not unpack anything.  No coding comes last where the header does not name it: it is
    the way out when no other will do, unless that is refused too (`takes_identity`); then the answer is None.  A part
    that cannot be read is passed over.
    """
    weights = _weights(accept_encoding)
    best = max(offered, key=lambda name: weights.get(name, weights.get("*", 0.0)), default=IDENTITY)
    weight = weights.get(best, weights.get("*", 0.0)) if best in offered else 0.0
    if weight > 0 and weight >= weights.get(IDENTITY, 0.0):
        return best
    return IDENTITY if takes_identity(accept_encoding) else None


def takes_identity(accept_encoding: str) -> bool:
    """Whether a body may go as it is: unless `identity;q=0` refuses that, or `*;q=0` alone."""
    weights = _weights(accept_encoding)
    return weights.get(IDENTITY, weights.get("*", 1.0)) > 0


def _weights(accept_encoding: str) -> dict[str, float]:
    """Return the weight of each coding that is named, the larger one where it is named twice."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(","):
        if (found := weighted(part)) is not None and found.name:
            name = _ALIASES.get(found.name, found.name)
            weights[name] = max(found.weight, weights.get(name, 0.0))
    return weights


def pays(size: int, content_type: str) -> bool:
    """Whether a body of *size* bytes is worth packing."""
    return size >= MIN_BYTES and not is_packed(content_type)


def is_packed(content_type: str) -> bool:
    """Whether a body of that media type holds compressed data already."""
    media_type = content_type.partition(";")[0].strip().lower()
    return any(one.is_compressed and media_type in one.media_types for one in FORMATS.values())


def levels_with(overrides: Mapping[str, int]) -> Mapping[str, int]:
    """Return the level of every coding, as *overrides* have it.  Raises SettingsError for what is no level."""
    for name, level in overrides.items():
        if name not in CODINGS:
            raise SettingsError(_LEVELS_SETTING, f"There is no coding {name!r}.", allowed=", ".join(CODINGS))
        levels = CODINGS[name].levels
        if level not in levels:
            why = f"{name} has no level {level}."
            raise SettingsError(_LEVELS_SETTING, why, allowed=f"{levels[0]} to {levels[-1]}")
    return {name: overrides.get(name, coding.level) for name, coding in CODINGS.items()}


def compress(name: str, body: bytes, *, level: int | None = None, is_small: bool = False) -> bytes:
    """Return *body* packed whole; the same bytes every time, so that it may have a strong ETag.

    is_small: at some megabytes a second, where the coding has a way for that; nearly always smaller.
    """
    coding = CODINGS[name]
    if is_small and coding.squeeze is not None:
        return coding.squeeze(body)
    return coding.compress(body, coding.level if level is None else level)


def expand(name: str, body: bytes) -> bytes:
    """Return what `compress` made *body* of."""
    return CODINGS[name].expand(body)


def compressor(name: str, *, level: int | None = None) -> Compressor:
    """Return what packs a stream piece by piece."""
    coding = CODINGS[name]
    return coding.compressor(coding.level if level is None else level)


class _Zlib:
    """The streams of zlib: gzip and deflate."""

    def __init__(self, level: int, bits: int) -> None:
        self._stream = zlib.compressobj(level, wbits=bits)

    def write(self, piece: bytes) -> bytes:
        return self._stream.compress(piece) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._stream.flush()


class _Zstd:
    def __init__(self, level: int) -> None:
        self._stream = zstandard.ZstdCompressor(level).compressobj()

    def write(self, piece: bytes) -> bytes:
        return self._stream.compress(piece) + self._stream.flush(_ZSTD_FLUSH)

    def end(self) -> bytes:
        return self._stream.flush()


class _Brotli:
    def __init__(self, level: int) -> None:
        self._stream = brotli.Compressor(quality=level)

    def write(self, piece: bytes) -> bytes:
        packed: bytes = self._stream.process(piece) + self._stream.flush()
        return packed

    def end(self) -> bytes:
        rest: bytes = self._stream.finish()
        return rest


class _Lz4:
    def __init__(self, level: int) -> None:
        self._stream = lz4.frame.LZ4FrameCompressor(compression_level=level, auto_flush=True)
        self._head: bytes = self._stream.begin()

    def write(self, piece: bytes) -> bytes:
        head, self._head = self._head, b""
        packed: bytes = head + self._stream.compress(piece)
        return packed

    def end(self) -> bytes:
        head, self._head = self._head, b""
        rest: bytes = head + self._stream.flush()
        return rest


def _brotli(body: bytes, level: int) -> bytes:
    packed: bytes = brotli.compress(body, quality=level)
    return packed


def _squeezed_brotli(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=9, lgwin=20)
    return packed


def _squeezed_zstd(body: bytes) -> bytes:
    """Odds and votes are short runs of digits that repeat near by: found by small tables with matches of 3 bytes."""
    parameters = zstandard.ZstdCompressionParameters(
        strategy=zstandard.STRATEGY_BTOPT,
        min_match=3,
        window_log=21,
        chain_log=17,
        hash_log=17,
        search_log=3,
        target_length=48,
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(body)


def _lz4(body: bytes, level: int) -> bytes:
    packed: bytes = lz4.frame.compress(body, compression_level=level)
    return packed


_ALL = (
    # Above 19 the window is larger than the 8 MB that a client must have (RFC 9659).
    Coding(
        "zstd", 3, range(1, 20),
        lambda body, level: zstandard.ZstdCompressor(level).compress(body), _Zstd,
        lambda body: zstandard.ZstdDecompressor().decompress(body), _squeezed_zstd,
    ),
    Coding("br", 5, range(12), _brotli, _Brotli, lambda body: bytes(brotli.decompress(body)), _squeezed_brotli),
    Coding(
        "gzip", 4, range(1, 10),
        lambda body, level: zlib.compress(body, level, _GZIP_BITS), lambda level: _Zlib(level, _GZIP_BITS),
        lambda body: zlib.decompress(body, _GZIP_BITS),
    ),
    Coding(
        "deflate", 4, range(1, 10),
        lambda body, level: zlib.compress(body, level, _ZLIB_BITS), lambda level: _Zlib(level, _ZLIB_BITS),
        lambda body: zlib.decompress(body, _ZLIB_BITS),
    ),
    Coding("lz4", 0, range(13), _lz4, _Lz4, lambda body: bytes(lz4.frame.decompress(body))),
)  # fmt: skip

CODINGS: Mapping[str, Coding] = MappingProxyType({coding.name: coding for coding in _ALL})
