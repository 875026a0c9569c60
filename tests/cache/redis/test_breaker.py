"""The circuit breaker: who may pass, by a clock that the test holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.cache.redis.breaker import Breaker
from jvgate.values import Backoff


@pytest.fixture
def breaker():
    return Breaker(Backoff(first_s=1, most_s=8))


def test_everybody_passes_while_it_is_closed(breaker):
    assert all(breaker.admits(now) for now in range(5))
    assert (breaker.state, breaker.reason) == ("closed", "")


def test_one_failure_opens_it_for_a_window(breaker):
    assert breaker.failed(10, "timeout")
    assert (breaker.state, breaker.reason) == ("open", "timeout")
    assert not breaker.admits(10.9)


def test_one_probe_passes_when_the_window_is_over(breaker):
    breaker.failed(10, "timeout")
    assert [breaker.admits(11) for _ in range(3)] == [True, False, False]
    assert breaker.state == "half-open"


def test_an_answer_to_the_probe_closes_it(breaker):
    breaker.failed(10, "timeout")
    breaker.admits(11)
    assert breaker.succeeded(11.1)
    assert (breaker.state, breaker.reason) == ("closed", "")
    assert breaker.admits(11.1)


def test_windows_double_up_to_a_limit(breaker):
    now, windows = 0.0, []
    breaker.failed(now, "refused")
    for _ in range(6):
        windows.append(breaker.until - now)
        now = breaker.until
        assert breaker.admits(now)
        breaker.failed(now, "refused")
    assert windows == [1, 2, 4, 8, 8, 8]


def test_what_fails_again_at_once_is_left_alone_for_longer(breaker):
    breaker.failed(10, "timeout")
    breaker.admits(11)
    breaker.succeeded(11)
    breaker.failed(11.5, "timeout")
    assert breaker.until == 13.5


def test_what_was_well_for_longer_than_its_window_begins_anew(breaker):
    breaker.failed(10, "timeout")
    breaker.admits(11)
    breaker.succeeded(11)
    breaker.failed(12.5, "timeout")
    assert breaker.until == 13.5


def test_late_failures_prolong_nothing(breaker):
    breaker.failed(10, "timeout")
    assert not breaker.failed(10.9, "timeout")
    assert breaker.until == 11


def test_late_answers_close_nothing_before_the_probe(breaker):
    breaker.failed(10, "timeout")
    assert not breaker.succeeded(10.1)
    assert breaker.state == "open"


def test_it_tells_each_change_once(breaker):
    assert breaker.failed(10, "timeout")
    breaker.admits(11)
    assert not breaker.failed(11, "timeout")  # no news
    breaker.admits(13)
    assert breaker.failed(13, "auth")  # another reason
    breaker.admits(17)
    assert breaker.succeeded(17)
    assert not breaker.succeeded(17)
    assert breaker.opened == 1


def test_what_is_not_known_yet_is_probed_by_its_owner():
    breaker = Breaker(Backoff(first_s=1, most_s=8), unknown=True)
    assert (breaker.state, breaker.reason, breaker.is_closed) == ("half-open", "unknown", False)
    assert breaker.failed(10, "refused")
    assert breaker.until == 11
    breaker.admits(11)
    assert breaker.succeeded(11)


def test_a_probe_that_never_reports_is_replaced(breaker):
    breaker.failed(10, "timeout")
    assert breaker.admits(11)
    assert not breaker.admits(11.9)
    assert breaker.admits(12)


def test_many_machines_do_not_come_at_the_same_moment():
    untils = set()
    for dice in (0, 0.5, 1):
        breaker = Breaker(Backoff(first_s=1, most_s=8, jitter=0.2), dice=lambda dice=dice: dice)
        breaker.failed(10, "timeout")
        untils.add(round(breaker.until, 3))
    assert untils == {10.8, 10.9, 11}


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["ask", "fail", "answer"])), max_size=60))
def test_no_more_than_one_passes_a_window_while_it_is_not_closed(steps):
    breaker = Breaker(Backoff(first_s=1, most_s=8, jitter=0.2))
    now, passed_at = 0.0, None
    for after_s, step in steps:
        now += after_s
        if step == "fail":
            breaker.failed(now, "timeout")
        elif step == "answer" and breaker.succeeded(now):
            passed_at = None
        elif step == "ask" and not breaker.is_closed and breaker.admits(now):
            assert passed_at is None or now - passed_at >= 1
            passed_at = now
