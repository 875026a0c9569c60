"""Fences: what was read before a purge does not come back after it."""

import pytest

from jvgate.cache.redis.fences import Fences
from jvgate.cache.shared import ALL, Packed
from jvgate.values import Dataset, Query
from tests.specs import JRA

QUERY = Query("RACE", from_time="20261101000000", option=1)


def read_at(stamp, *tags):
    return Packed(Dataset.landed(QUERY, b"", layouts=JRA.layouts), 0, 0, tags, stamp)


@pytest.fixture
def fences():
    fences = Fences()
    fences.raise_fences(["RACE"], 100)
    fences.raise_fences(["20261115"], 200)
    return fences


@pytest.mark.parametrize(
    ("entry", "is_rejected"),
    [
        (read_at(99, "RACE"), True),
        (read_at(100, "RACE"), False),
        (read_at(150, "RACE", "20261115"), True),
        (read_at(200, "RACE", "20261115"), False),
        (read_at(0, "DIFN"), False),
        (read_at(0), False),
    ],
)
def test_an_entry_is_good_when_no_tag_of_it_was_purged_since(fences, entry, is_rejected):
    assert fences.rejects(entry) is is_rejected


def test_a_purge_of_all_is_one_of_every_tag(fences):
    fences.raise_fences([ALL], 300)
    assert fences.rejects(read_at(299, "DIFN"))
    assert not fences.rejects(read_at(300, "DIFN"))


def test_purges_arrive_in_any_order(fences):
    fences.raise_fences(["RACE"], 50)
    assert fences.newest == 200
    assert fences.rejects(read_at(99, "RACE"))


def test_the_hash_of_redis_is_learnt_and_what_is_no_fence_is_not():
    fences = Fences()
    learnt = fences.learn({b"": b"900", b"RACE": b"800", b"x": b"soon", b"\xff": b"-1", b"y": b"9" * 30})
    assert (learnt, fences.learn({b"": b"900", b"RACE": b"800"})) == (("RACE",), ())
    assert fences.newest == 900
    assert fences.rejects(read_at(799, "RACE"))
    assert not fences.rejects(read_at(799, "", "x", "y"))


def test_what_redis_lacks_or_has_older_is_known_and_nothing_else(fences):
    assert fences.beyond({}) == {"": 200, "RACE": 100, "20261115": 200}
    assert fences.beyond({b"": b"150", b"RACE": b"99", b"20261115": b"201"}) == {"": 200, "RACE": 100}
    assert fences.beyond({b"": b"200", b"RACE": b"100", b"20261115": b"200", b"DIFN": b"1"}) == {}


def test_the_oldest_are_forgotten_when_there_are_too_many():
    fences = Fences()
    for stamp in range(1, 5000):
        fences.raise_fences([str(stamp)], stamp)
    assert fences.rejects(read_at(4998, "4999"))
    assert not fences.rejects(read_at(0, "1"))
