"""`besttimes`: RC."""

from datetime import date, timedelta

from jvgate.records.decode import decode
from jvgate.season.records.besttimes import course_records
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)
WEEKEND = (date(2026, 11, 21), date(2026, 11, 22))
COURSES = sorted({meeting.course for day in WEEKEND for meeting in WORLD.meetings(day)})


def _best():
    records = [decode(raw, JRA.layouts) for raw in course_records(WORLD, made=MONDAY, courses=COURSES)]
    assert not any("_errors" in record for record in records)
    return {
        (record["JyoCD"], record["Kyori"], record["TrackCD"], record["SyubetuCD"]): record
        for record in records
        if record["RecInfoKubun"] == "1"
    }


def test_no_race_of_the_season_is_faster_than_the_record():
    best = _best()
    for back in range(4):
        for day in WEEKEND:
            for race in WORLD.races(day - timedelta(weeks=back)):
                kind = {"11": "11", "18": "18", "19": "18"}.get(race.kind, "13")
                record = best.get((race.meeting.course, race.distance, race.track, kind))
                assert record is None or record["RecTime"] * 10 < WORLD.result(race).winner.time


def test_every_course_that_is_raced_on_has_its_record():
    best = _best()
    for race in WORLD.races(WEEKEND[0]):
        kind = {"11": "11", "18": "18", "19": "18"}.get(race.kind, "13")
        assert (race.meeting.course, race.distance, race.track, kind) in best


def test_records_were_set_before_the_season_and_have_a_holder():
    for record in _best().values():
        assert record["Year"] < 2024
        assert record["RecUmaInfo"][0]["Bamei"]
        assert (record["SibaBabaCD"] is None) != (record["DirtBabaCD"] is None)


def test_grade_one_races_have_records_of_their_own():
    records = [decode(raw, JRA.layouts) for raw in course_records(WORLD, made=MONDAY, courses=["05"])]
    titles = {record["Hondai"] for record in records if record["RecInfoKubun"] == "2"}
    assert titles
    assert None not in titles
