"""Where the key of each layout names a day, a course and a race."""

import pytest

from jvgate.spec.places import place_of, spans_of
from tests.specs import JRA


@pytest.mark.parametrize("layout", list(JRA.layouts.all()), ids=lambda layout: layout.id)
def test_a_place_is_read_in_whole_words(layout):
    place = place_of(layout)
    spans = place.day + place.course + place.number
    assert {length for _, length in spans} <= {2, 4, 8}
    assert max((offset + length for offset, length in spans), default=0) <= layout.length
    assert bool(place.race) <= bool(place.day)


@pytest.mark.parametrize(
    ("kind", "day", "race"),
    [("RA", ((11, 4), (15, 4)), ((19, 2), (25, 2))), ("RC", ((12, 4), (16, 4)), ((20, 2), (26, 2))),
     ("WE", ((11, 4), (15, 4)), ()), ("WF", ((11, 8),), ()), ("HC", ((12, 8),), ()), ("UM", (), ())],
)  # fmt: skip
def test_a_place_is_what_the_key_names(kind, day, race):
    place = place_of(JRA.layouts.current(kind))
    assert (place.day, place.race) == (day, race)


def test_a_meeting_has_a_course_and_no_race():
    place = place_of(JRA.layouts.current("WE"))
    assert (place.course, place.number) == (((19, 2),), ())


def test_a_field_is_found_by_its_name():
    assert spans_of(JRA.layouts.current("RA"), "HassoTime") == ((873, 4),)
    assert spans_of(JRA.layouts.current("SE"), "HassoTime") == ()
