"""Decode undoes encode, any bytes give a record or a RecordError, and where a stream is cut changes nothing."""

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jvgate.records.decode import decode, decoder
from jvgate.records.encode import encode
from jvgate.records.runs import RawRecord
from tests.raceday import frames_of
from tests.records.build import random_record
from tests.specs import JRA

ALL = list(JRA.layouts.all())
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)


def told(*chunks):
    return [(one.offset, getattr(one, "raw", None), getattr(one, "layout", one)) for one in frames_of(*chunks)]


def holds(record, values):
    """Whether *record* says all that *values* say; what they leave out has its initial value there."""
    if isinstance(values, dict):
        return all(holds(record.get(key), value) for key, value in values.items() if value is not None)
    if isinstance(values, list):
        return all(holds(got, value) for got, value in zip(record, values, strict=False) if value is not None)
    return record == values


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds)
def test_decode_undoes_encode(layout, seed):
    values = random_record(layout, random.Random(seed))
    raw = encode(values, JRA.layouts, length=layout.length)
    record = decode(raw, JRA.layouts)
    assert "_errors" not in record
    assert holds(record, values)
    assert encode(record, JRA.layouts, length=layout.length) == raw


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds, damage=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=40))
def test_damaged_bytes_still_give_a_record(layout, seed, damage):
    raw = bytearray(encode(random_record(layout, random.Random(seed)), JRA.layouts, length=layout.length))
    for place, byte in damage:
        raw[place % layout.length] = byte
    record = decoder(layout)(bytes(raw))
    assert set(record) >= {"RecordSpec", "DataKubun", "MakeDate"}


@FEW
@given(
    seed=seeds, cuts=st.lists(st.integers(0, 60_000), max_size=8), damage=st.lists(st.integers(0, 60_000), max_size=4)
)
def test_where_a_stream_is_cut_changes_nothing(seed, cuts, damage):
    rng = random.Random(seed)
    small = [layout for layout in ALL if layout.length < 10_000]
    data = bytearray(
        b"".join(encode(random_record(one, rng), JRA.layouts, length=one.length) for one in rng.choices(small, k=12))
    )
    for place in damage:
        data[place % len(data)] = rng.randrange(256)
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    pieces = [bytes(data[a:b]) for a, b in itertools.pairwise(places)]
    assert told(*pieces) == told(bytes(data))


@FEW
@given(seed=seeds, damage=st.lists(st.integers(0, 200_000), max_size=4), nuls=st.lists(st.integers(0, 80), max_size=3))
def test_many_alike_are_told_apart_as_one_by_one(seed, damage, nuls):
    rng = random.Random(seed)
    small = [layout for layout in ALL if layout.length < 1_500]
    records = [
        encode(random_record(one, rng), JRA.layouts, length=one.length)
        for one in rng.choices(small, k=3)
        for _ in range(25)
    ]
    for place in nuls:
        records.insert(place, b"\0")
    data = bytearray(b"".join(records))
    for place in damage:
        data[place % len(data)] = rng.choice((10, 13, rng.randrange(256)))
    assert told(*(bytes(data[at : at + 97]) for at in range(0, len(data), 97))) == told(bytes(data))


@FEW
@given(data=st.binary(max_size=400))
def test_no_byte_of_a_stream_is_unaccounted_for(data):
    counted = sum(item.size if isinstance(item, RawRecord) else item.length for item in frames_of(data))
    assert counted == len(data) - _nuls_between(data)


def _nuls_between(data):
    """The NULs that stand where a record could start."""
    covered = bytearray(len(data))
    for item in frames_of(data):
        size = item.size if isinstance(item, RawRecord) else item.length
        covered[item.offset : item.offset + size] = b"\1" * size
    assert all(data[place] == 0 for place, seen in enumerate(covered) if not seen)
    return covered.count(0)
