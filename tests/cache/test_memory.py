"""The first tier: bounded by entries and bytes, the least recently used leaves first, a stale entry is a miss."""

from dataclasses import replace

import pytest

from jvgate.cache.memory import Memory, Store
from jvgate.values import MISSING, Entry


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def memory(clock, *, max_entries=3, max_bytes=100):
    return Store(Memory(max_entries=max_entries, max_bytes=max_bytes, clock=clock))


def entry(value="v", *, fresh_until=200.0, weight=10):
    return Entry(value, read_at=100.0, fresh_until=fresh_until, weight=weight)


def keys(kept, names="abcdef"):
    """Which of the one-letter keys are kept, without touching their order."""
    return "".join(sorted(name for name in names if name in kept._slots))


def test_what_was_put_is_found_whole(clock):
    kept, put = memory(clock), entry()
    assert kept.put("a", put)
    assert kept.get("a") is put


def test_what_was_never_put_is_missing(clock):
    assert memory(clock).get("a") is MISSING


@pytest.mark.parametrize("value", [None, b"", 0, ()])
def test_an_empty_value_is_an_entry_and_no_miss(clock, value):
    kept = memory(clock)
    kept.put("a", entry(value))
    assert kept.get("a").value == value


def test_an_entry_is_fresh_up_to_its_last_moment(clock):
    kept = memory(clock)
    kept.put("a", entry(fresh_until=110.0))
    clock.now_s = 109.9
    assert kept.get("a") is not MISSING
    clock.now_s = 110.0
    assert kept.get("a") is MISSING


@pytest.mark.parametrize("window", ["stale_until", "error_until"])
def test_a_stale_entry_is_of_use_up_to_the_last_moment_of_its_last_window_and_then_gone(clock, window):
    kept = memory(clock)
    kept.put("a", replace(entry(fresh_until=110.0), **{window: 120.0}))
    clock.now_s = 119.9
    assert (kept.get("a"), kept.last("a").value) == (MISSING, "v")
    clock.now_s = 120.0
    assert kept.last("a") is MISSING
    assert (len(kept), kept._memory.bytes) == (0, 0)


def test_a_stale_look_keeps_an_entry_in_use(clock):
    kept = memory(clock)
    for key in "abc":
        kept.put(key, entry())
    kept.last("a")
    kept.put("d", entry())
    assert keys(kept) == "acd"


def test_a_purge_drops_what_has_the_tags_and_nothing_else(clock):
    kept = memory(clock)
    for key, tags in (("a", {"x"}), ("b", {"x", "y"}), ("c", set())):
        kept.put(key, replace(entry(weight=10), tags=frozenset(tags)))
    assert kept._memory.purge(lambda tags: "y" in tags) == 1
    assert (keys(kept), kept._memory.bytes) == ("ac", 20)
    assert [key for key, _ in kept._memory.items()] == ["a", "c"]


def test_one_entry_too_many_drives_out_the_least_recently_used(clock):
    kept = memory(clock)
    for key in "abc":
        kept.put(key, entry())
    kept.get("a")
    kept.put("d", entry())
    assert keys(kept) == "acd"


def test_bytes_drive_out_as_many_as_it_takes(clock):
    kept = memory(clock, max_entries=10)
    for key in "abc":
        kept.put(key, entry(weight=30))
    kept.put("d", entry(weight=60))
    assert (keys(kept), kept._memory.bytes) == ("cd", 90)


def test_what_is_larger_than_all_the_room_drives_nobody_out(clock):
    kept = memory(clock)
    kept.put("a", entry())
    assert not kept.put("b", entry(weight=101))
    assert keys(kept) == "a"


def test_what_is_too_large_now_leaves_no_older_value_behind(clock):
    kept = memory(clock)
    kept.put("a", entry("old"))
    kept.put("a", entry("new", weight=101))
    assert kept.get("a") is MISSING
    assert kept._memory.bytes == 0


def test_a_key_put_again_counts_once(clock):
    kept = memory(clock)
    kept.put("a", entry("old", weight=40))
    kept.put("a", entry("new", weight=50))
    assert (kept.get("a").value, len(kept), kept._memory.bytes) == ("new", 1, 50)


@pytest.mark.parametrize("bounds", [{"max_entries": 0}, {"max_bytes": 0}])
def test_without_room_nothing_is_kept(clock, bounds):
    kept = memory(clock, **bounds)
    assert not kept.put("a", entry())
    assert (len(kept), kept._memory.bytes) == (0, 0)


def test_what_fits_exactly_is_kept(clock):
    kept = memory(clock, max_entries=1)
    assert kept.put("a", entry(weight=100))
    assert kept._memory.bytes == 100


def test_a_look_whether_it_is_fresh_uses_nothing():
    clock = Clock()
    memory = Store(Memory(max_entries=2, max_bytes=1000, clock=clock))
    for key in "ab":
        memory.put(key, Entry("x", 1000.0, 1010.0, 1))
    assert (memory.is_fresh("a"), memory.is_fresh("c")) == (True, False)
    memory.put("c", Entry("x", 1000.0, 1010.0, 1))  # "a" is still the one that was used least
    assert not memory.is_fresh("a")
    clock.now_s = 1010.0
    assert not memory.is_fresh("b")


def test_stores_of_one_memory_share_its_room_and_the_order_in_which_entries_leave(clock):
    room = Memory(max_entries=2, max_bytes=100, clock=clock)
    words, numbers = Store[str](room), Store[int](room)
    words.put("a", entry("word"))
    numbers.put("a", entry(1))
    words.get("a")
    numbers.put("b", entry(2))
    assert (words.get("a").value, numbers.get("a"), numbers.get("b").value) == ("word", MISSING, 2)
    assert (len(room), room.bytes) == (2, 20)
