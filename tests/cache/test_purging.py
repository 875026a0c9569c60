"""Purges: what was on its way when one was made is not kept."""

from jvgate.cache.purging import Purges
from tests.cache.clocks import Clock

ABOUT = frozenset({"x"})


def named(*names):
    return lambda tags: bool(tags & set(names))


def test_what_began_before_a_purge_of_its_tags_is_hit_and_nothing_else():
    clock = Clock(10.0)
    purges = Purges(clock=clock)
    purges.note(named("x"))
    clock.now_s = 20.0
    purges.note(named("y"))
    assert purges.hit(ABOUT, since=9.0)
    assert purges.hit(ABOUT, since=10.0)
    assert not purges.hit(ABOUT, since=11.0)
    assert not purges.hit(frozenset({"z"}), since=9.0)


def test_what_began_before_the_oldest_purge_that_is_known_is_not_trusted():
    clock = Clock(10.0)
    purges = Purges(clock=clock)
    for _ in range(2000):
        clock.now_s += 1.0
        purges.note(named("y"))
    assert purges.hit(ABOUT, since=10.0)
    assert not purges.hit(ABOUT, since=clock.now_s - 100)
