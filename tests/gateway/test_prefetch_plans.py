"""What is read before anybody asks: plans by rule, the nearest race first, each query once."""

from datetime import datetime

import pytest

from jvgate.freshness.post_times import PostTimes, starts_in
from jvgate.gateway.prefetch_plans import Asked, Wish, after_answer, after_expiry, near_post
from jvgate.season.shelf import SeasonShelf
from jvgate.spec.jst import JST
from jvgate.values import Query
from tests.raceday import DAY, QUERY, RACE_KEY, record, scan_of
from tests.specs import JRA

LONG_KEY = "2026111505050411"
NOON = datetime(2026, 11, 15, 12, tzinfo=JST).timestamp()
POST = NOON + 3 * 3600 + 40 * 60


def ra(number=11, at="15:40", **values):
    return record("RA", RaceNum=number, HassoTime=at, **values)


def starts(*records):
    return starts_in(scan_of(b"".join(records)))


def plan(*records, query=QUERY, now=NOON, asked=None):
    wishes = after_answer(query, starts(*records), JRA.prefetch_rules, now=now, asked=asked or Asked())
    return [str(wish.query) for wish in wishes]


def asked_for(*queries, now=NOON):
    asked = Asked()
    for query in queries:
        asked.note(query, now=now)
    return asked


def posts(*records, now=NOON):
    known = PostTimes()
    known.learn(scan_of(b"".join(records)), now=now)
    return known


def test_an_answer_of_races_is_followed_by_their_cards_and_odds_the_next_race_first():
    assert plan(ra(), ra(10, "15:05")) == [
        "jra:0B15:202611150510", "jra:0B30:202611150510", "jra:0B15:202611150511", "jra:0B30:202611150511",
    ]  # fmt: skip


def test_a_race_that_is_run_is_not_followed():
    assert plan(ra(), now=POST) == []


@pytest.mark.parametrize(("day", "races"), [("11-15", 1), ("11-16", 1), ("11-17", 0)])
def test_today_and_tomorrow_count(day, races):
    assert len(plan(ra(MonthDay=day))) == 2 * races


@pytest.mark.parametrize("query", [Query("DIFN", from_time="20261101000000", option=1), Query("0B12", key=DAY)])
def test_another_answer_is_followed_by_nothing(query):
    assert plan(ra(), query=query) == []


def test_odds_are_those_that_clients_asked_for_lately():
    asked = asked_for(Query("0B31", key="202611150501"), Query("0B32", key="202611150501"))
    assert plan(ra(), asked=asked) == [f"jra:0B15:{RACE_KEY}", f"jra:0B31:{RACE_KEY}", f"jra:0B32:{RACE_KEY}"]
    assert plan(ra(), asked=asked, now=NOON + 86400) == []


def test_what_was_asked_long_ago_counts_no_more():
    asked = asked_for(Query("0B31", key="202611140501"), now=NOON - 86401)
    assert plan(ra(), asked=asked)[1] == f"jra:0B30:{RACE_KEY}"


def test_keys_have_the_form_that_clients_use():
    asked = asked_for(*[Query("0B15", key=LONG_KEY)] * 9)
    assert plan(ra(), asked=asked)[0] == f"jra:0B15:{LONG_KEY}"
    for _ in range(9):
        asked.note(Query("0B15", key=RACE_KEY), now=NOON)
    assert plan(ra(), asked=asked)[0] == f"jra:0B15:{RACE_KEY}"


def test_the_same_race_twice_is_planned_once_and_a_plan_has_its_bound():
    assert len(plan(ra(), ra())) == 2
    many = [ra(number, "16:00", JyoCD=f"{course:02}") for course in range(1, 11) for number in range(1, 21)]
    assert len(plan(*many)) == 240


def test_a_weekend_of_the_season_is_followed_by_all_its_races_to_come():
    now = datetime(2026, 11, 14, 12, 30)
    files = SeasonShelf(JRA.layouts, 1).stored("RACE", now=now, setup=False)
    cards = b"".join(raw for file in files[-8:] if file.record == "RA" for raw in file.read())
    wishes = after_answer(
        QUERY, starts(cards), JRA.prefetch_rules, now=now.replace(tzinfo=JST).timestamp(), asked=Asked()
    )
    days = [wish.query.key[:8] for wish in wishes if wish.query.dataspec == "0B30"]
    assert days.count("20261115") in (24, 36)
    assert 0 < days.count("20261114") < days.count("20261115")


def test_near_post_time_the_clients_queries_of_that_race_are_read_again():
    mine, other = Query("0B31", key=RACE_KEY), Query("0B12", key=LONG_KEY, records=("HR",))
    asked = asked_for(mine, other, Query("0B31", key="202611150512"), now=POST - 1200)
    wishes = near_post(posts(ra(), ra(12, "16:50")), JRA.prefetch_rules, now=POST - 600, asked=asked)
    assert wishes == [Wish(other, "near-post"), Wish(mine, "near-post")]


@pytest.mark.parametrize(("after_s", "count"), [(-1801, 0), (-1800, 1), (0, 1), (1500, 1), (1501, 0)])
def test_near_is_from_half_an_hour_before_until_the_results_are_told(after_s, count):
    asked = asked_for(Query("0B31", key=RACE_KEY), now=POST + after_s)
    assert len(near_post(posts(ra()), JRA.prefetch_rules, now=POST + after_s, asked=asked)) == count


def test_what_nobody_asked_for_lately_is_not_read_again():
    assert near_post(posts(ra()), JRA.prefetch_rules, now=POST, asked=Asked()) == []
    assert (
        near_post(
            posts(ra()), JRA.prefetch_rules, now=POST, asked=asked_for(Query("0B31", key=RACE_KEY), now=POST - 1801)
        )
        == []
    )


def test_a_hot_query_is_read_again_when_it_expires():
    assert after_expiry(QUERY, JRA.prefetch_rules, hits_per_s=0.1, life_s=30) == [Wish(QUERY, "hot")]
    assert after_expiry(QUERY, JRA.prefetch_rules, hits_per_s=0.01, life_s=30) == []


def test_what_clients_asked_is_remembered_within_bounds():
    asked = Asked(most_races=2, most_queries=2)
    for number in (1, 2, 3):
        for dataspec in ("0B11", "0B12", "0B15"):
            asked.note(Query(dataspec, key=f"2026111505{number:02}"), now=NOON)
    assert len(asked) == 2
    assert asked.of("202611150501", since=0) == []
    assert [query.dataspec for query in asked.of("202611150503", since=0)] == ["0B15", "0B12"]


@pytest.mark.parametrize("query", [QUERY, Query("0B12", key=DAY), Query("0B16", key=f"TC{RACE_KEY}20261115103000")])
def test_what_is_about_no_race_is_not_remembered(query):
    assert len(asked_for(query)) == 0


def test_the_rules_name_data_specs_that_take_a_race():
    for rule in JRA.prefetch_rules["after_answer"]:
        assert set(rule["of"]) <= set(JRA.dataspecs)
        for group in rule["ask"]:
            assert all("YYYYMMDDJJRR" in JRA.dataspecs[name].key_forms for name in group)
