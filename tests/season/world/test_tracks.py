"""`tracks`: what each course offers."""

import pytest

from jvgate.season.world.tracks import COURSE_NAMES, base_time, corners_passed, course_offers, gate_limit


def test_every_course_has_turf_and_dirt():
    for course in COURSE_NAMES:
        assert len(course_offers(course, "turf")) >= 4
        assert len(course_offers(course, "dirt")) >= 3


def test_track_codes_fit_the_surface():
    kinds = {"turf": range(10, 23), "dirt": range(23, 30), "jump": range(51, 60)}
    for course in COURSE_NAMES:
        for surface, codes in kinds.items():
            assert all(int(track) in codes for _, track in course_offers(course, surface))


@pytest.mark.parametrize("surface", ["turf", "dirt", "jump"])
def test_longer_races_take_longer(surface):
    times = [base_time(surface, metres) for metres in range(1000, 3600, 50)]
    assert times == sorted(set(times))


def test_a_time_between_two_rows_lies_between_their_times():
    assert base_time("turf", 1700) == (base_time("turf", 1600) + base_time("turf", 1800)) // 2


def test_a_straight_course_has_no_corners_and_a_sprint_two():
    assert corners_passed("turf", 1000, "10") == ()
    assert corners_passed("dirt", 1200, "24") == ((3, 1), (4, 1))
    assert len(corners_passed("turf", 2400, "11")) == 4


def test_fewer_horses_start_on_dirt_and_over_jumps():
    assert [gate_limit(surface) for surface in ("turf", "dirt", "jump")] == [18, 16, 14]
