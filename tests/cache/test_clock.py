"""The clock of lifetimes: what it makes of a suspend, of clocks that are set, and of clocks that do not agree."""

import random

import pytest

from jvgate.cache.clock import lifetime_clock
from jvgate.cache.memory import Memory, Store
from jvgate.values import MISSING, Entry
from tests.cache.clocks import Clock

TOLERANCE_S = 0.5


class Machine:
    """Two clocks, and the clock of lifetimes over them.  passed_s: what has passed by it."""

    def __init__(self):
        self.monotonic, self.wall = Clock(1000.0), Clock(1_795_000_000.0)
        self.now = lifetime_clock(self.monotonic, self.wall)
        self._began = self.now()

    def run(self, seconds):
        self.monotonic.now_s += seconds
        self.wall.now_s += seconds

    @property
    def passed_s(self):
        return self.now() - self._began


@pytest.fixture
def machine():
    return Machine()


def test_it_goes_as_both_clocks_do(machine):
    machine.run(86400)
    assert machine.passed_s == pytest.approx(86400)


@pytest.mark.parametrize("ahead_s", [1.0, 3600.0, 30 * 86400.0])
def test_a_suspend_counts_once_and_from_the_first_look_on(machine, ahead_s):
    machine.wall.now_s += ahead_s  # a wall clock that is set forward looks the same
    assert [machine.passed_s, machine.passed_s] == [pytest.approx(ahead_s)] * 2
    machine.run(10)
    assert machine.passed_s == pytest.approx(ahead_s + 10)


def test_two_suspends_add_up(machine):
    for _ in range(2):
        machine.wall.now_s += 600
        machine.run(1)
        machine.now()
    assert machine.passed_s == pytest.approx(1202)


def test_a_wall_clock_that_is_set_back_changes_nothing_and_hides_no_suspend(machine):
    machine.wall.now_s -= 7200
    machine.run(60)
    assert machine.passed_s == pytest.approx(60)
    machine.wall.now_s += 600
    assert machine.passed_s == pytest.approx(660)


def test_it_goes_on_where_the_wall_clock_stands_still(machine):
    for _ in range(100):
        machine.monotonic.now_s += 60
        machine.now()
    assert machine.passed_s == pytest.approx(6000)


def test_it_never_goes_back(machine):
    dice, last = random.Random(1), machine.now()
    for _ in range(10_000):
        machine.run(dice.random())
        machine.wall.now_s += dice.choice([0, 0, 0, dice.gauss(0, 0.2), dice.gauss(0, 1000)])
        assert last <= (last := machine.now())


def test_the_jitter_of_a_million_readings_does_not_add_up(machine):
    dice, wall = random.Random(1), machine.wall
    exact = wall.now_s
    for _ in range(1_000_000):
        machine.monotonic.now_s += 0.001
        exact += 0.001
        wall.now_s = exact + dice.uniform(-0.2, 0.2)
        machine.now()
    assert machine.passed_s == pytest.approx(1000, abs=TOLERANCE_S)


def test_slewing_there_and_back_does_not_add_up(machine):
    for ppm in [500, -500] * 50:
        for _ in range(800):
            machine.run(1)
            machine.wall.now_s += ppm / 1e6
            machine.now()
    assert machine.passed_s == pytest.approx(80_000, abs=TOLERANCE_S)


def test_a_thread_that_is_interrupted_between_two_readings_was_not_suspended(machine):
    readings = iter([0.0, 0.0, 5.0, 5.0, 5.0])  # of the monotonic clock: it stands there for five seconds
    clock = lifetime_clock(lambda: next(readings), iter([100.0, 105.0, 105.0]).__next__)
    assert clock() == 5.0


@pytest.mark.parametrize("slept_s", [61.0, 86400.0])
def test_an_entry_expires_while_the_machine_is_suspended(machine, slept_s):
    store = Store(Memory(max_entries=10, max_bytes=1000, clock=machine.now))
    now = machine.now()
    store.put("a", Entry(b"", now, now + 60, 1))
    machine.wall.now_s -= 3600
    assert store.get("a") is not MISSING
    machine.wall.now_s += slept_s
    assert store.get("a") is MISSING
