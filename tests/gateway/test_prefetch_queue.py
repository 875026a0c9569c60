"""The queue of prefetches: bounded, without twins, quiet when the source errs; each one ends as used or as wasted."""

from dataclasses import asdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jvgate.gateway.prefetch_plans import Wish
from jvgate.gateway.prefetch_queue import Prefetches, PrefetchLimits
from jvgate.values import Query

QUERIES = [Query("0B15", key=f"2026111505{number:02}") for number in range(1, 13)]
FIRST, SECOND, THIRD = QUERIES[:3]


def wishes(*queries):
    return [Wish(query, "coming-race") for query in queries]


def queue(*queries, **limits):
    prefetches = Prefetches(PrefetchLimits(**limits))
    prefetches.add(wishes(*queries), now=0)
    return prefetches


def brought(*queries, **limits):
    """A queue whose reads of *queries* have all landed."""
    prefetches = queue(*queries, **limits)
    while (wish := prefetches.take(0)) is not None:
        prefetches.landed(wish.query)
    return prefetches


def told(prefetches):
    return {name: count for name, count in asdict(prefetches.figures).items() if count}


def test_wishes_are_taken_in_their_order():
    prefetches = queue(FIRST, SECOND)
    assert [prefetches.take(0).query for _ in range(2)] == [FIRST, SECOND]
    assert prefetches.take(0) is None


def test_what_is_on_its_way_is_not_queued_again():
    prefetches = queue(FIRST, FIRST)
    assert len(prefetches) == 1
    prefetches.take(0)
    assert prefetches.add(wishes(FIRST), now=0) == 0
    prefetches.landed(FIRST)
    assert prefetches.add(wishes(FIRST), now=0) == 0


def test_what_is_fresh_is_not_read():
    assert Prefetches().add(wishes(FIRST, SECOND), now=0, is_fresh=lambda query: query == FIRST) == 1


def test_a_full_queue_refuses():
    prefetches = queue(*QUERIES, queued=2)
    assert (len(prefetches), told(prefetches)) == (2, {"refused": 10})


def test_what_a_client_asks_for_was_used():
    prefetches = brought(FIRST, SECOND)
    assert prefetches.asked(str(FIRST))
    assert not prefetches.asked(str(FIRST))
    assert told(prefetches) == {"issued": 2, "used": 1}


def test_what_goes_unasked_was_wasted():
    prefetches = brought(FIRST)
    prefetches.gone(str(FIRST))
    prefetches.gone(str(FIRST))
    assert told(prefetches) == {"issued": 1, "wasted": 1}


def test_a_client_that_joins_a_running_read_uses_it():
    prefetches = queue(FIRST)
    prefetches.take(0)
    assert not prefetches.asked(str(FIRST))
    prefetches.landed(FIRST)
    assert told(prefetches) == {"issued": 1, "used": 1}


def test_a_client_that_asks_for_what_is_queued_takes_it_out():
    prefetches = queue(FIRST)
    prefetches.asked(str(FIRST))
    assert (prefetches.take(0), told(prefetches)) == (None, {"overtaken": 1})


def test_what_is_wasted_again_and_again_is_read_no_more_until_somebody_asks():
    prefetches = Prefetches(PrefetchLimits(wasted=2))
    for _ in range(3):
        prefetches.add(wishes(FIRST), now=0)
        if prefetches.take(0):
            prefetches.landed(FIRST)
            prefetches.gone(str(FIRST))
    assert told(prefetches) == {"issued": 2, "wasted": 2, "unwanted": 1}
    prefetches.asked(str(FIRST))
    assert prefetches.add(wishes(FIRST), now=0) == 1


def test_a_wish_that_queued_too_long_is_not_read():
    prefetches = queue(FIRST, keep_s=60)
    prefetches.add(wishes(SECOND), now=50)
    assert prefetches.take(61).query == SECOND
    assert told(prefetches) == {"issued": 1, "outdated": 1}


def test_what_gave_way_to_a_client_is_the_next_again():
    prefetches = queue(FIRST, SECOND)
    prefetches.take(0)
    prefetches.yielded(FIRST, now=1)
    assert prefetches.take(1).query == FIRST
    assert told(prefetches) == {"issued": 2, "yielded": 1}


def test_what_gave_way_to_a_client_who_wants_the_same_is_done():
    prefetches = queue(FIRST)
    prefetches.take(0)
    prefetches.asked(str(FIRST))
    prefetches.yielded(FIRST, now=1)
    assert len(prefetches) == 0


def test_an_error_stops_all_for_a_while_and_each_further_one_for_longer():
    prefetches, now, pauses = queue(*QUERIES, keep_s=1e9), 0, []
    for _ in range(8):
        prefetches.failed(prefetches.take(now).query, now=now)
        pauses.append(next(s for s in range(1, 1000) if not prefetches.is_paused(now + s)))
        assert prefetches.take(now) is None
        now += pauses[-1]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    assert told(prefetches) == {"issued": 8, "failed": 8}


def test_errors_during_a_pause_do_not_make_it_longer():
    prefetches = queue(FIRST)
    for now in (0, 1, 2):
        prefetches.pause(now)
    assert prefetches.take(5).query == FIRST


def test_a_read_that_lands_ends_the_series_of_errors():
    prefetches = queue(FIRST, SECOND)
    prefetches.pause(0)
    prefetches.landed(prefetches.take(5).query)
    prefetches.pause(10)
    assert prefetches.take(15).query == SECOND


def test_only_so_many_are_followed():
    prefetches = brought(*QUERIES, followed=10)
    assert told(prefetches) == {"issued": 12, "wasted": 2}


def test_what_is_told_of_a_read_that_is_none_changes_nothing():
    prefetches = Prefetches()
    prefetches.landed(FIRST)
    prefetches.yielded(FIRST, now=0)
    prefetches.gone(str(FIRST))
    prefetches.failed(FIRST, now=0)
    assert told(prefetches) == {}


class Days(RuleBasedStateMachine):
    """Any order of what may happen."""

    def __init__(self):
        super().__init__()
        self.prefetches = Prefetches(PrefetchLimits(queued=4, followed=3, keep_s=20))
        self.now = 0.0
        self.running = []

    @rule(queries=st.lists(st.sampled_from(QUERIES), max_size=6))
    def wish(self, queries):
        self.prefetches.add(wishes(*queries), now=self.now)

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def take(self):
        if (taken := self.prefetches.take(self.now)) is not None:
            assert not self.prefetches.is_paused(self.now)
            assert taken.query not in self.running
            self.running.append(taken.query)

    @rule(end=st.sampled_from(["landed", "failed", "yielded"]), which=st.integers(0, 99))
    def end(self, end, which):
        if not self.running:
            return
        query = self.running.pop(which % len(self.running))
        if end == "landed":
            self.prefetches.landed(query)
        else:
            getattr(self.prefetches, end)(query, now=self.now)

    @rule(query=st.sampled_from(QUERIES))
    def ask(self, query):
        self.prefetches.asked(str(query))

    @rule(query=st.sampled_from(QUERIES))
    def go(self, query):
        self.prefetches.gone(str(query))

    @invariant()
    def the_books_balance(self):
        prefetches, figures = self.prefetches, self.prefetches.figures
        ended = figures.used + figures.wasted + figures.failed + figures.yielded
        assert figures.issued == ended + len(prefetches._running) + len(prefetches._brought)
        assert len(prefetches) <= 4
        assert len(prefetches._brought) <= 3
        assert len(prefetches._wasted) <= 3
        assert set(prefetches._running) == set(map(str, self.running))

    @invariant()
    def nothing_is_in_two_places(self):
        places = (self.prefetches._queued, self.prefetches._running, self.prefetches._brought)
        assert sum(map(len, places)) == len(set().union(*places))


TestDays = pytest.mark.filterwarnings("error")(Days.TestCase)
TestDays.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
