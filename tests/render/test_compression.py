"""Which coding a client gets, and that what is packed is unpacked by decoders that are not ours."""

import random
import zlib

import brotli
import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from jvgate.render.compression import (
    CODINGS,
    IDENTITY,
    MIN_BYTES,
    compress,
    compressor,
    negotiate,
    pays,
    takes_identity,
)

OURS = ("zstd", "br", "gzip", "deflate", "lz4")
BODY = '{"Bamei":"アイウエオ","Umaban":7,"Odds":12.3},'.encode() * 500


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", IDENTITY),
        (" , ", IDENTITY),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("x-gzip;q=0.2, br;q=0.1", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),  # a tie follows our order, not theirs
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("lz4", "lz4"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("zstd;q=0, *", "br"),
        ("gzip;q=0, x-gzip;q=0, *;q=0.5", "zstd"),
        ("*", "zstd"),
        ("*;q=0.1, lz4;q=0.2", "lz4"),
        ("identity", IDENTITY),
        ("identity, gzip", "gzip"),
        ("identity;q=1, gzip;q=0.5", IDENTITY),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),  # what is named is liked better than nothing at all
        ("gzip;q=0", IDENTITY),
        ("compress, exi", IDENTITY),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0", None),
        ("identity;q=0, compress", None),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("*;q=0, identity", IDENTITY),
        ("*;q=0, identity;q=0.1, gzip;q=0.1", "gzip"),
        ("gzip ; q = 0.5 , br ; Q=0.6", "br"),
        ("gzip;q=high, br;q=0.1", "br"),  # a part that cannot be read is passed over
        ("gzip;q=nan, br", "br"),
        ("gzip;q=7", "gzip"),
        (";q=1, ,gzip", "gzip"),
    ],
)
def test_negotiate(accept, chosen):
    assert negotiate(accept, OURS) == chosen


@pytest.mark.parametrize(
    ("accept", "chosen"), [("br, gzip;q=0.1", "gzip"), ("br", IDENTITY), ("br, identity;q=0", None)]
)
def test_only_what_is_offered_is_chosen(accept, chosen):
    assert negotiate(accept, ("gzip",)) == chosen


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        ("", True), ("gzip", True), ("*", True), ("identity;q=0.1", True), ("*;q=0, identity;q=0.1", True),
        ("identity;q=0, gzip", False), ("*;q=0, gzip", False), ("gzip, Identity; Q=0.000", False),
        ("identity;q=0, identity", True),
    ],
)  # fmt: skip
def test_a_body_goes_as_it_is_too_unless_that_is_refused(accept, takes):
    assert takes_identity(accept) is takes


@pytest.mark.parametrize(("accept", "chosen"), [("*", IDENTITY), ("*, identity;q=0", None)])
def test_where_nothing_is_offered_no_coding_is_left(accept, chosen):
    assert negotiate(accept, ()) == chosen


@given(accept=st.text(st.sampled_from("gzipbr*identity;q=01.,  x-")))
def test_any_header_has_an_answer(accept):
    assert negotiate(accept, OURS) in {*OURS, IDENTITY, None}


def test_our_order_is_that_of_the_table():
    assert tuple(CODINGS) == OURS
    assert all(coding.level in coding.levels for coding in CODINGS.values())


@pytest.mark.parametrize(
    ("size", "content_type", "worth"),
    [
        (MIN_BYTES, "application/json", True),
        (MIN_BYTES - 1, "application/json", False),
        (0, "application/json", False),
        (10**6, "application/vnd.apache.parquet", False),
        (10**6, "Application/vnd.apache.parquet; x=y", False),
        (10**6, "text/csv;charset=utf-8", True),
    ],
)
def test_what_pays_is_packed(size, content_type, worth):
    assert pays(size, content_type) is worth


class Gunzip:
    """A decoder of a stream: gives what has come so far."""

    def __init__(self, bits):
        self._stream = zlib.decompressobj(bits)

    def read(self, packed):
        return self._stream.decompress(packed)

    def is_at_end(self):
        return self._stream.eof


class Unbrotli:
    def __init__(self):
        self._stream = brotli.Decompressor()

    def read(self, packed):
        return self._stream.process(packed)

    def is_at_end(self):
        return self._stream.is_finished()


class Unzstd:
    def __init__(self):
        self._stream = zstandard.ZstdDecompressor().decompressobj()

    def read(self, packed):
        return self._stream.decompress(packed) if packed else b""

    def is_at_end(self):
        return self._stream.eof


class Unlz4:
    def __init__(self):
        self._stream = lz4.frame.LZ4FrameDecompressor()

    def read(self, packed):
        """Without a length this decoder stops at twice what it is given, and keeps the rest until more comes."""
        return self._stream.decompress(packed, max_length=1 << 20) if packed else b""

    def is_at_end(self):
        return self._stream.eof


DECODERS = {
    "gzip": lambda: Gunzip(31),
    "deflate": lambda: Gunzip(15),
    "br": Unbrotli,
    "zstd": Unzstd,
    "lz4": Unlz4,
}
_DICE = random.Random(5)
ODDS = b",".join(b'{"Odds":%d.%d,"Ninki":%d}' % (_DICE.randrange(2, 900), _DICE.randrange(10), n) for n in range(4000))
codings = pytest.mark.parametrize("name", OURS)


@codings
def test_a_body_comes_back_whole(name):
    decoder = DECODERS[name]()
    assert decoder.read(compress(name, BODY)) == BODY
    assert decoder.is_at_end()


@codings
def test_a_body_packed_small_comes_back_whole_and_the_same_every_time(name):
    small = compress(name, ODDS, is_small=True)
    assert DECODERS[name]().read(small) == ODDS
    assert compress(name, ODDS, is_small=True) == small
    assert (len(small) < len(compress(name, ODDS))) == (name in ("zstd", "br"))


def test_nothing_is_packed_small_too():
    for name in OURS:
        assert DECODERS[name]().read(compress(name, b"", is_small=True)) == b""


@codings
def test_a_body_is_packed_the_same_every_time(name):
    assert compress(name, BODY) == compress(name, BODY)


@codings
def test_every_level_packs(name):
    for level in CODINGS[name].levels:
        assert DECODERS[name]().read(compress(name, BODY, level=level)) == BODY
        stream = compressor(name, level=level)
        assert DECODERS[name]().read(stream.write(BODY) + stream.end()) == BODY


@codings
def test_a_larger_level_is_a_smaller_body(name):
    levels = CODINGS[name].levels
    least, most = (len(compress(name, BODY, level=level)) for level in (levels[0], levels[-1]))
    assert most <= least < len(BODY)


@codings
@settings(deadline=None)
@given(pieces=st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([b"", BODY[:5000], BODY])), max_size=8))
def test_each_piece_can_be_read_as_soon_as_it_comes(name, pieces):
    stream, decoder = compressor(name), DECODERS[name]()
    for piece in pieces:
        assert decoder.read(stream.write(piece)) == piece
    assert not decoder.is_at_end()
    assert decoder.read(stream.end()) == b""
    assert decoder.is_at_end()


@codings
def test_a_stream_of_nothing_ends_too(name):
    decoder = DECODERS[name]()
    assert decoder.read(compressor(name).end()) == b""
    assert decoder.is_at_end()
