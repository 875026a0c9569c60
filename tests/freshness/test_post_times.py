"""Post times are read from the records that have one, and forgotten when their day is gone."""

from datetime import datetime

import pytest

from jvgate.freshness.post_times import PostTimes, about, posts_in, starts_in
from jvgate.season.shelf import SeasonShelf
from jvgate.season.world.world import world_of
from jvgate.spec.jst import JST
from tests.raceday import record, scan_of
from tests.specs import JRA

NOON = datetime(2026, 11, 15, 12, tzinfo=JST).timestamp()
RACE = "202611150511"


def heads(*records):
    return scan_of(b"".join(records))


def ra(number=11, at="15:40", **values):
    return record("RA", RaceNum=number, HassoTime=at, **values)


def test_a_race_says_when_it_starts():
    assert posts_in(heads(ra(), record("SE"))) == {RACE: NOON + 3600 * 3 + 60 * 40}


def test_a_start_knows_both_forms_of_its_race():
    (start,) = starts_in(heads(ra()))
    assert (start.race, start.long) == (RACE, "2026111505050411")


def test_a_race_without_a_time_says_nothing():
    assert posts_in(heads(ra(at=None))) == {}


@pytest.mark.parametrize("wrong", [b"2560", b"1A00", b"    "])
def test_a_time_that_is_none_is_passed_over(wrong):
    assert posts_in(heads(ra().replace(b"1540", wrong), ra(12))).keys() == {"202611150512"}


def test_days_gone_by_are_passed_over():
    old = ra(Year=2025)
    assert [start.race for start in starts_in(heads(old, ra()), since="20261115")] == [RACE]
    assert len(posts_in(heads(old, ra()))) == 2


def test_the_season_tells_the_post_times_it_goes_by():
    races = world_of(1, JRA.layouts).races(datetime(2026, 11, 15).date())
    found = SeasonShelf(JRA.layouts, 1).realtime("0B15", "20261115", now=datetime(2026, 11, 15, 12))
    assert posts_in(heads(*found)) == {race.short_key: race.post.replace(tzinfo=JST).timestamp() for race in races}


def test_what_is_read_later_wins():
    posts = PostTimes()
    posts.learn(heads(ra()), now=NOON)
    posts.learn(heads(ra(at="15:45")), now=NOON)
    assert posts.of(RACE) == {RACE: NOON + 3600 * 3 + 60 * 45}


def test_what_is_learnt_does_not_disturb_who_looks_meanwhile():
    posts = PostTimes()
    posts.learn(heads(ra(1), ra(2)), now=NOON)
    looking = (race for starts in posts._days.values() for race in starts)
    first = next(looking)
    posts.learn(heads(ra(3), ra(1, MonthDay="11-16")), now=NOON)
    assert {first, *looking} == {"202611150501", "202611150502"}


def test_days_gone_by_are_forgotten_and_so_are_days_too_far_ahead():
    posts = PostTimes()
    posts.learn(heads(ra(), *(ra(MonthDay=f"12-{day:02}") for day in range(1, 32))), now=NOON)
    assert len(posts) == 32
    posts.learn(heads(ra(Year=2030)), now=NOON)
    assert (len(posts), posts.of("203011150511")) == (32, {})
    posts.learn(heads(), now=NOON + 3 * 86400)
    assert posts.of(RACE) == {}


def test_a_key_finds_the_post_times_it_is_about():
    posts = PostTimes()
    posts.learn(heads(ra(1, "10:00"), ra(2, "10:30"), ra(1, "10:00", MonthDay="11-16")), now=NOON)
    assert set(posts.of("20261115")) == {"202611150501", "202611150502"}
    assert set(posts.of("2026111505050402")) == {"202611150502"}
    assert posts.of("202611150512") == {}


def test_the_next_race_comes_first():
    posts = PostTimes()
    posts.learn(heads(ra(2, "13:30"), ra(1, "13:00"), ra(12, "17:00")), now=NOON)
    assert [start.race[-2:] for start in posts.between(NOON, NOON + 2 * 3600)] == ["01", "02"]


@pytest.mark.parametrize(
    ("key", "subject"),
    [("20261115", "20261115"), (RACE, RACE), ("2026111505050411", RACE), (f"TC{RACE}20261115103000", RACE), ("1", "")],
)
def test_a_key_is_about_a_day_or_a_race(key, subject):
    assert about(key) == subject
