"""`mining`: DM and TM."""

from datetime import date, timedelta

from jvgate.records.decode import decode
from jvgate.season.records.mining import predictions
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)
RACES = WORLD.races(date(2026, 11, 22))


def _predicted(race, kubun="7", **changed):
    at = changed.get("at", race.post - timedelta(minutes=40))
    times, scores = predictions(WORLD, race, kubun=kubun, made=MONDAY, at=at)
    return decode(times, JRA.layouts), decode(scores, JRA.layouts)


def test_every_starter_has_a_time_and_a_score():
    for race in RACES[::6]:
        starters = [runner.number for runner in WORLD.field(race) if runner.starts]
        times, scores = _predicted(race, at=race.post)
        assert [slot["Umaban"] for slot in times["DMInfo"]] == starters
        assert [slot["Umaban"] for slot in scores["TMInfo"]] == starters


def test_predicted_times_are_near_the_real_ones():
    race = RACES[10]
    ran = {each.runner.number: each.time / 10 for each in WORLD.result(race).finishes if each.time}
    slots = _predicted(race)[0]["DMInfo"]
    assert all(abs(slot["DMTime"] - ran[slot["Umaban"]]) < 8 for slot in slots if slot["Umaban"] in ran)


def test_the_public_s_favourite_is_near_the_top():
    race = RACES[10]
    favourite = max((runner for runner in WORLD.field(race) if runner.starts), key=lambda runner: runner.appeal)
    scores = {slot["Umaban"]: slot["TMScore"] for slot in _predicted(race)[1]["TMInfo"]}
    assert scores[favourite.number] >= sorted(scores.values())[-3]


def test_the_final_version_is_the_last_one_of_the_day():
    last, final = (_predicted(RACES[0], kubun) for kubun in "37")
    assert last[0]["DMInfo"] == final[0]["DMInfo"]
    assert _predicted(RACES[0], "1")[0]["DMInfo"] != final[0]["DMInfo"]
