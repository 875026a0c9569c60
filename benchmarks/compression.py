"""How small does a race day's JSON become, and how long does it take, against gzip at its usual level?

Two bodies: the cards, results and payouts of a day, and the whole day with the odds and votes of all combinations,
whose digits are mostly chance.  Packed small: as an answer is sent soon after it was asked for a second time.  The cost
is the packing and 50 Mbit/s together: what orders the codings that a client likes alike.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import cache, partial

import brotli
import lz4.frame
import zstandard

from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, compare, main
from benchmarks.reference import layout_of
from benchmarks.weekend import weekend
from jvgate.records.lines.writer import line_writer
from jvgate.render.compression import CODINGS, compress

__all__ = ["measure"]

CARDS = ("RA", "SE", "HR")
WHOLE = (*CARDS, "O1", "O2", "O3", "O4", "O5", "O6", "H1", "H6")
OTHER_LEVELS = {"zstd": (1, 6, 9, 12), "br": (2, 4, 9), "gzip": (6,), "lz4": (9,)}
BYTES_A_MS = 50e6 / 8 / 1000
PROMISED = Wanted(least=85)
GZIP_LEVEL = 6

_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
    "br": brotli.decompress,
    "gzip": lambda packed: zlib.decompress(packed, 31),
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
}


def measure(effort: Effort) -> list[Figure]:
    """Return for each coding at its usual level, and at others, what it saves, what it takes and what it costs."""
    figures = []
    for name, records in (("cards", CARDS), ("whole day", WHOLE)) if effort is FULL else (("cards", CARDS),):
        for coding in CODINGS.values():
            levels = OTHER_LEVELS.get(coding.name, ()) if effort is FULL else ()
            for level in (coding.level, *levels):
                pack = partial(compress, coding.name, level=level)
                figures += _figures(f"{coding.name} {level}, {name}", _body(records), coding.name, pack, effort, None)
            if coding.squeeze is not None:
                pack = partial(compress, coding.name, is_small=True)
                figures += _figures(f"{coding.name} small, {name}", _body(records), coding.name, pack, effort, PROMISED)
    return figures


@cache
def _body(records: tuple[str, ...]) -> bytes:
    """Return the JSON of a race day, of some record types."""
    every = [raw for record in records for raw in weekend(record)]
    last = max(raw[11:19] for raw in every)
    texts = [line_writer(layout_of(raw), b",")(raw, []) for raw in every if raw[11:19] == last]
    return b'{"data":[%b]}' % b",".join(texts)


def _figures(
    what: str, body: bytes, coding: str, pack: Callable[[bytes], bytes], effort: Effort, wanted: Wanted | None
) -> list[Figure]:
    packed, usual = pack(body), _gzip(body)
    assert _UNPACK[coding](packed) == body
    took = compare(
        f"{what}: packing", pack, _gzip, [body],
        effort=effort if len(body) < 1 << 20 else Effort(min(effort.rounds, 3), effort.seconds),
        sizes=(len(packed), len(usual)),
    )  # fmt: skip
    saved = Figure(f"{what}: saved", _saved(packed, body), _saved(usual, body), wanted, more_is_better=True)
    assert took.reference is not None
    return [saved, took, Figure(f"{what}: cost", _cost(took.ours, packed), _cost(took.reference, usual))]


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, GZIP_LEVEL, 31)


def _saved(packed: bytes, body: bytes) -> Sample:
    return Sample("%", (100 * (1 - len(packed) / len(body)),), bytes=len(packed))


def _cost(took: Sample, packed: bytes) -> Sample:
    """Return the milliseconds until it has arrived."""
    return Sample("ms", tuple(us / 1000 + len(packed) / BYTES_A_MS for us in took.values))


if __name__ == "__main__":
    sys.exit(main(measure))
