"""How long a dataset may be used: what its content says, then the calendar or post time, then the plain figure."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jvgate.freshness.lifetimes import Lifetimes, Windows, is_final, luck_of
from jvgate.freshness.post_times import PostTimes
from jvgate.season.shelf import SeasonShelf
from jvgate.spec.jst import JST
from jvgate.values import Query
from tests.raceday import DAY, GARBAGE, RACE_KEY, dataset, record, scan_of
from tests.specs import JRA

LIFETIMES = Lifetimes(JRA)
HOUR, DAYS = 3600.0, 86400.0
SHELF = SeasonShelf(JRA.layouts, 1)


def at(text):
    """A Japanese moment: `2026-11-15 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=JST).timestamp()


POST = at("2026-11-15 15:40")


def realtime(dataspec, *records, key=RACE_KEY):
    return dataset(*records, query=Query(dataspec, key=key))


def ra(mark="2", number=11, **values):
    return record("RA", DataKubun=mark, HassoTime="15:40", RaceNum=number, **values)


def stored(dataspec, *records, newest, to_time="", option=1):
    query = Query(dataspec, from_time="20261101000000", to_time=to_time, option=option)
    return replace(dataset(*records, query=query), last_file_timestamp=newest)


def fresh_s(made, now, **known):
    return LIFETIMES.windows(made, now=now, **known).fresh_s


def test_the_plain_lifetime_is_the_figure_of_the_data_spec():
    assert LIFETIMES.figures(Query("0B30", key=RACE_KEY)).fresh == 30
    assert LIFETIMES.figures(Query("RACE", from_time="20261101")).fresh == 86400


@pytest.mark.parametrize("dataspec", JRA.dataspecs)
def test_nothing_found_lives_briefly_in_every_window(dataspec):
    query = Query(dataspec, key=RACE_KEY) if JRA.dataspecs[dataspec].is_realtime else Query(dataspec, from_time="2026")
    made = dataset(query=query)
    assert LIFETIMES.windows(made, now=POST) == Windows(30, 30, 30)


@pytest.mark.parametrize(
    ("hours", "seconds"), [(0, 10.2), (0.5, 30), (5, 120), (20, 300), (60, 600), (-0.5, 10.2), (-9, 120)]
)
def test_odds_live_by_how_near_post_time_is(hours, seconds):
    posts = PostTimes()
    posts.learn(scan_of(ra()), now=POST)
    odds = realtime("0B30", record("O1", DataKubun="1"))
    assert fresh_s(odds, POST - hours * HOUR, posts=posts) == pytest.approx(seconds)


def test_a_card_tells_its_own_post_time():
    assert fresh_s(realtime("0B15", ra()), POST - 60) == pytest.approx(20.4)
    assert fresh_s(realtime("0B15", ra()), POST - 6 * DAYS) == 1200


def test_its_own_post_time_goes_before_an_older_one():
    posts = PostTimes()
    posts.learn(scan_of(record("RA", HassoTime="10:00")), now=POST)
    assert fresh_s(realtime("0B15", ra()), POST, posts=posts) == pytest.approx(20.4)


def test_what_changes_often_lives_shorter_and_what_is_still_lives_longer():
    odds, now = realtime("0B30", record("O1", DataKubun="1")), at("2026-11-15 12:00")
    assert [fresh_s(odds, now, change_every_s=every_s) for every_s in (1, 40, None, 100, 9999)] == [10, 20, 30, 50, 120]


@pytest.mark.parametrize(
    ("dataspec", "records"),
    [("0B30", [record("O1", DataKubun="4")]), ("0B12", [ra("6"), record("HR", DataKubun="1")]), ("0B15", [ra("9")])],
)
def test_a_race_whose_records_are_final_lives_up_to_the_ceiling(dataspec, records):
    assert fresh_s(realtime(dataspec, *records), POST + 1500) == 1800


def test_one_record_that_may_change_is_enough_to_ask_again():
    assert fresh_s(realtime("0B12", ra("6"), record("HR", DataKubun="1"), ra("5")), POST + 1500) == pytest.approx(20.4)


def test_a_day_is_not_final_before_its_last_race_is_told():
    day = realtime("0B12", ra("6", number=1), key=DAY)
    assert fresh_s(day, at("2026-11-15 12:00")) == 60
    assert fresh_s(day, at("2026-11-15 18:30")) == 1800


@pytest.mark.parametrize("dataspec", ["0B11", "0B14", "0B41"])
def test_a_day_that_is_over_and_past_corrections_lives_longest(dataspec):
    made = realtime(dataspec, record("WH"), key=DAY)
    assert fresh_s(made, at("2026-11-16 23:59")) < 1800
    assert fresh_s(made, at("2026-11-17 00:00")) == 86400


def test_stored_data_lives_until_its_next_delivery():
    results = stored("MING", record("DM"), newest="20261116140100")
    assert fresh_s(results, at("2026-11-23 09:00")) == 5 * HOUR
    assert fresh_s(results, at("2026-11-17 09:00")) == 86400


def test_stored_data_without_a_calendar_lives_by_its_figure():
    assert fresh_s(stored("SLOP", record("HC"), newest="20261116131000"), at("2026-11-17 09:00")) == 1800


def test_a_late_delivery_is_asked_for_at_the_floor():
    late = stored("RACE", ra(), newest="20261114120000")
    assert fresh_s(late, at("2026-11-16 14:30")) == 300
    assert LIFETIMES.windows(late, now=at("2026-11-16 14:30")).stale_s == 300


@pytest.mark.parametrize(
    ("mark", "now", "seconds"),
    [
        ("7", "2026-11-17 14:00", 86400),  # the week's corrections may still come
        ("7", "2026-11-24 13:59", 86400),
        ("7", "2026-11-24 14:00", 30 * 86400),
        ("2", "2026-11-24 14:00", 86400),  # a card: the results will take its place
    ],
)
def test_a_closed_window_of_final_records_lives_longest(mark, now, seconds):
    closed = stored("RACE", ra(mark), newest="20261116140000", to_time="20261117140000")
    assert fresh_s(closed, at(now)) == seconds


def test_setup_data_has_no_window_that_closes():
    setup = stored("RACE", ra("7"), newest="20261116140000", to_time="20261117140000", option=4)
    assert fresh_s(setup, at("2026-12-24 14:00")) <= 86400


def test_entries_of_a_race_to_come_are_not_past_their_corrections():
    entries = stored("RACE", ra("7", MonthDay="12-27"), newest="20261116140000", to_time="20261117140000")
    assert fresh_s(entries, at("2026-12-20 14:00")) <= 86400


@pytest.mark.parametrize(
    ("body", "is_realtime", "final"),
    [
        (ra("7"), False, True), (ra("2"), False, False), (ra("6"), True, True), (ra("6"), False, False),
        (record("UM", DataKubun="1"), False, True), (record("WH"), True, False), (ra("7") + GARBAGE, False, False),
        (b"", False, True),
    ],
)  # fmt: skip
def test_final_is_what_data_kubun_says_for_the_kind_of_data(body, is_realtime, final):
    assert is_final(scan_of(body), JRA.lifetimes["final"], is_realtime=is_realtime) is final


def test_a_setting_changes_what_a_lifetime_goes_by():
    odds, now = realtime("0B30", record("O1", DataKubun="1")), at("2026-11-15 12:00")
    assert Lifetimes(JRA, {"0B30": {"fresh": 20}}).windows(odds, now=now).fresh_s == 20


def test_the_season_lives_as_its_races_go_by():
    """A day of the generated season: what is asked for close to the start lives shortest, what is final longest."""

    def lived(dataspec, clock):
        now = datetime.fromisoformat(f"2026-11-15 {clock}")
        body = b"".join(SHELF.realtime(dataspec, RACE_KEY, now=now))
        made = dataset(body, query=Query(dataspec, key=RACE_KEY))
        return fresh_s(made, now.replace(tzinfo=JST).timestamp(), posts=posts)

    posts = PostTimes()
    posts.learn(scan_of(b"".join(SHELF.realtime("0B15", DAY, now=datetime(2026, 11, 15, 9)))), now=POST)
    for dataspec in ("0B15", "0B30"):
        night, morning, near, told = (lived(dataspec, clock) for clock in ("00:30", "10:00", "15:35", "23:00"))
        assert near < morning <= night < told == 1800


moments = st.datetimes(datetime(2026, 10, 1), datetime(2027, 3, 1), timezones=st.just(JST))
kinds = st.sampled_from(["RA", "SE", "HR", "O1", "WH", "WE", "UM", "TK", "DM"])
bodies = st.lists(st.builds(record, kinds, DataKubun=st.sampled_from("012345679")), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    dataspec=st.sampled_from(sorted(JRA.dataspecs)), records=bodies, now=moments, newest=moments,
    to_time=moments | st.none(), option=st.sampled_from([1, 2, 4]), key=st.sampled_from([DAY, RACE_KEY, "20261116"]),
    every_s=st.floats(0, 1e6) | st.none(), random=st.floats(0, 1) | st.none(),
)  # fmt: skip
def test_windows_keep_their_bounds_whatever_is_asked(
    dataspec, records, now, newest, to_time, option, key, every_s, random
):
    query = Query(dataspec, key=key)
    if not JRA.dataspecs[dataspec].is_realtime:
        end = f"{to_time:%Y%m%d%H%M%S}" if to_time else ""
        query = Query(dataspec, from_time="20261001000000", to_time=end, option=option)
    made = replace(dataset(*records, query=query), last_file_timestamp=f"{newest:%Y%m%d%H%M%S}")
    windows = LIFETIMES.windows(made, now=now.timestamp(), change_every_s=every_s, random=random)
    figures = LIFETIMES.figures(query)
    assert figures.floor <= windows.fresh_s <= figures.settled
    assert 0 < windows.stale_s <= windows.fresh_s
    assert windows.stale_s <= figures.stale
    assert windows.error_s >= windows.stale_s


@given(st.floats(0, 1), st.text())
def test_luck_is_between_nothing_and_all(random, key):
    assert 0 <= luck_of(key, random) <= 1


def test_luck_takes_apart_what_was_read_together():
    now = at("2026-11-15 12:00")
    lives = {
        fresh_s(realtime("0B15", ra(number=n), key=f"2026111505{n:02}"), now - 3 * DAYS, random=0.5)
        for n in range(1, 13)
    }
    assert len(lives) == 12
    assert 1200 * 0.95 <= min(lives) <= max(lives) <= 1200
