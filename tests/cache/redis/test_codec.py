"""A dataset as bytes: whole or nothing, whatever somebody did to the bytes."""

import json
import random
import struct
import tracemalloc
import zlib
from dataclasses import replace
from math import inf, nan

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from jvgate.cache.redis.codec import FACTS_BYTES, HEADER_BYTES, pack, packed_length, read_at_of, unpack
from jvgate.cache.redis.keys import VERSION
from jvgate.cache.shared import Miss, Packed
from jvgate.values import Dataset, Query, SourceFile
from tests.specs import JRA

QUERY = Query("RACE", from_time="20261101000000", option=1)
FILES = (SourceFile("RAVM2026111520261114180000.jvd", "20261114180000", 0), SourceFile("b", "", 40))
BODY = b"RA7" + b"0" * 5000 + "東京".encode("cp932") + b"\r\n"
LIMIT = 1 << 20
PACKED = Packed(
    Dataset.landed(QUERY, BODY, FILES, "20261114180000", 1_790_000_000.25, layouts=JRA.layouts),
    fresh_until=1_790_000_060.0,
    stale_until=1_790_000_360.0,
    tags=("RACE", "20261115"),
    stamp=1_790_000_000_000_000,
)
DATA = pack(PACKED)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def opened(data, query=QUERY, limit_bytes=LIMIT):
    return unpack(data, query=query, layouts=JRA.layouts, limit_bytes=limit_bytes)


def forged(facts=None, body=BODY, raw_length=None, flags=0, version=VERSION, read_at=PACKED.dataset.read_at):
    """Return a value with a checksum that is right, whatever it holds."""
    kept = json.dumps(facts_of(DATA) if facts is None else facts).encode()
    head = struct.pack("<BBxxIQQd", version, flags, len(kept),
                       len(body) if raw_length is None else raw_length, len(body), read_at)  # fmt: skip
    checked = head + kept + body
    return DATA[:4] + struct.pack("<I", zlib.crc32(checked)) + checked


def facts_of(data):
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[HEADER_BYTES : HEADER_BYTES + length])


def test_what_was_packed_comes_back():
    assert opened(DATA) == PACKED


@given(
    st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=50).map(lambda part: part * 200)),
    st.floats(0, 2**40),
    st.floats(0, 86400),
    st.lists(texts, max_size=4),
    st.integers(0, 2**53),
)
def test_anything_comes_back_as_it_was(body, read_at, window, tags, stamp):
    files = (SourceFile("n", "p", len(body)),)
    dataset = Dataset.landed(QUERY, body, files, "", read_at, layouts=JRA.layouts)
    packed = Packed(dataset, read_at, read_at + window, tuple(tags), stamp)
    assert opened(pack(packed)) == packed


def test_short_records_are_kept_as_they_are():
    short = replace(PACKED, dataset=replace(PACKED.dataset, body=b"0" * 4096, files=()))
    assert pack(short).endswith(b"0" * 4096)
    assert opened(pack(short)) == short


def test_longer_records_are_compressed():
    assert len(DATA) < len(BODY) / 5


def test_records_that_do_not_shrink_come_back_all_the_same():
    noise = random.Random(1).randbytes(10_000)
    packed = replace(PACKED, dataset=replace(PACKED.dataset, body=noise))
    assert opened(pack(packed)) == packed


@given(st.integers(0, len(DATA) * 8 - 1))
def test_a_flipped_bit_is_a_miss(bit):
    data = bytearray(DATA)
    data[bit // 8] ^= 1 << bit % 8
    assert isinstance(opened(bytes(data)), Miss)


@given(st.integers(0, len(DATA) - 1))
def test_a_part_is_a_miss(length):
    assert isinstance(opened(DATA[:length]), Miss)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda tail: DATA[:HEADER_BYTES] + tail)))
def test_garbage_is_a_miss(data):
    assert isinstance(opened(data), Miss)


@given(st.integers(0, len(DATA)), st.integers(0, len(DATA)), st.binary(min_size=1, max_size=20))
def test_bytes_written_over_others_never_give_another_value(start, end, patch):
    assert opened(DATA[:start] + patch + DATA[end:]) in (PACKED, *map(Miss, REASONS))


REASONS = ("foreign", "version", "length", "large", "checksum", "facts", "query", "body")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "foreign"),
        (b"\x80\x04\x95" + bytes(60), "foreign"),  # a pickle
        (forged(version=VERSION + 1), "version"),
        (DATA + b"x", "length"),
        (forged(facts={"query": "jra:RACE:20261101000000-:2"}), "query"),
        (forged(facts=[]), "facts"),
        (forged(facts={"query": "jra:RACE:20261101000000-:1"}), "facts"),
        (forged(body=zstandard.compress(b"x" * 10), raw_length=9, flags=1), "body"),
        (forged(body=zstandard.compress(b"x" * 10)[:-1], raw_length=10, flags=1), "body"),
        (forged(body=zstandard.compress(b"x" * 10) * 2, raw_length=10, flags=1), "body"),
        (forged(body=b"no frame", raw_length=8, flags=1), "body"),
        (forged(body=b"abc", raw_length=4), "body"),
    ],
)
def test_what_is_no_value_says_why(data, reason):
    assert opened(data) == Miss(reason)


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": [["n", "p", -1]]},
        {"files": [["n", "p", len(BODY) + 1]]},
        {"files": [["n", "p", True]]},
        {"files": [["n", "p"]]},
        {"files": 3},
        {"tags": [1]},
        {"last_file_timestamp": None},
        {"fresh_until": 1e300},
        {"fresh_until": 1e300, "stale_until": 1e300},
        {"stale_until": 0},
        {"stamp": -1},
        {"stamp": 1.5},
    ],
)
def test_facts_that_cannot_be_are_a_miss(wrong):
    assert opened(forged(facts=facts_of(DATA) | wrong)) == Miss("facts")


@pytest.mark.parametrize("read_at", [nan, inf, -inf, PACKED.stale_until + 1])
def test_a_moment_of_reading_that_cannot_be_is_a_miss(read_at):
    assert opened(forged(read_at=read_at)) == Miss("facts")


def test_another_querys_value_is_a_miss():
    assert opened(DATA, query=replace(QUERY, option=2)) == Miss("query")


def test_more_facts_than_any_dataset_has_are_not_read():
    facts = facts_of(DATA) | {"more": [{}] * (FACTS_BYTES // 3)}
    assert opened(forged(facts=facts)) == Miss("large")


def test_a_value_over_the_readers_limit_is_refused():
    assert opened(DATA, limit_bytes=len(BODY) - 1) == Miss("large")


@pytest.mark.parametrize("is_honest", [True, False], ids=["says its length", "says none"])
@pytest.mark.parametrize("says", [len(BODY), 1 << 28, 1 << 40])
def test_a_bomb_takes_no_memory(says, is_honest):
    """A small frame that would be a quarter of a gibibyte: neither what the header says nor what it is is believed."""
    bomb = zstandard.ZstdCompressor(write_content_size=is_honest).compress(bytes(1 << 28))
    data = forged(body=bomb, raw_length=says, flags=1)
    tracemalloc.start()
    try:
        assert isinstance(opened(data), Miss)
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


def test_the_start_of_a_value_tells_its_length():
    assert packed_length(DATA[:HEADER_BYTES]) == len(DATA)
    assert packed_length(DATA[: HEADER_BYTES - 1]) == packed_length(b"x" * 99) == 0


def test_the_header_tells_when_it_was_read():
    assert read_at_of(DATA[:HEADER_BYTES]) == PACKED.dataset.read_at
    assert read_at_of(b"x" * HEADER_BYTES) is read_at_of(b"") is read_at_of(forged(read_at=nan)[:HEADER_BYTES]) is None
