"""`texts`: HY and CS."""

from datetime import date

from jvgate.records.decode import decode
from jvgate.season.records.texts import course_guides, name_origins
from jvgate.season.world.tracks import COURSE_NAMES, course_offers
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)


def test_every_name_has_a_meaning():
    horses = WORLD.horses_in(date(2026, 11, 22), date(2026, 11, 22))
    for horse, raw in zip(horses, name_origins(WORLD, horses, made=MONDAY), strict=True):
        record = decode(raw, JRA.layouts)
        assert record["Bamei"] == horse.name.text
        assert 4 <= len(record["Origin"]) <= 32


def test_every_course_and_distance_is_described():
    records = [decode(raw, JRA.layouts) for raw in course_guides(WORLD, made=MONDAY)]
    told = {(record["JyoCD"], record["Kyori"], record["TrackCD"]) for record in records}
    assert told == {
        (course, *offer)
        for course in COURSE_NAMES
        for surface in ("turf", "dirt", "jump")
        for offer in course_offers(course, surface)
    }
    assert all(60 < len(record["CourseEx"]) < 400 for record in records)


def test_a_straight_course_has_no_bends():
    record = next(
        decode(raw, JRA.layouts)
        for raw in course_guides(WORLD, made=MONDAY, courses=["04"])
        if decode(raw, JRA.layouts)["TrackCD"] == "10"
    )
    assert "直線だけ" in record["CourseEx"]
    assert "三コーナー" not in record["CourseEx"]
