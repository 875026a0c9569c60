"""Every form of a key is read, checked and written back."""

import pytest

from jvgate.errors import QueryError
from jvgate.spec.racekeys import (
    CoursePictureKey,
    DayKey,
    EventKey,
    HorseKey,
    MovieKey,
    RaceKey,
    TrainingMovieKey,
    parse_key,
)
from tests.specs import JRA


def parsed(kind, text, rules=JRA.key_rules):
    takes_rules = kind in (RaceKey, EventKey, MovieKey, CoursePictureKey)
    return kind.parse(text, rules) if takes_rules else kind.parse(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DayKey, "20240505"),
        (RaceKey, "2024050505020611"),
        (RaceKey, "202405050511"),
        (RaceKey, "20241208G0000001"),
        (RaceKey, "20241208N699"),
        (EventKey, "JC20240505051120240505101530"),
        (MovieKey, "202405050502061101"),
        (MovieKey, "20240505051102"),
        (CoursePictureKey, "9999999905240011"),
        (TrainingMovieKey, "202405052021104567"),
        (HorseKey, "2021104567"),
    ],
)
def test_a_key_is_written_as_it_was_read(kind, text):
    assert str(parsed(kind, text)) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DayKey, "20240230"),
        (DayKey, "2024-05-05"),
        (RaceKey, "20240505050206"),  # 14 characters: the day within the meeting is missing
        (RaceKey, "202405059911"),  # no such course
        (RaceKey, "20240505g011"),  # lower case
        (RaceKey, "２０２４０５０５０５１１"),  # full-width digits
        (EventKey, "JC20240505051120240505251530"),
        (EventKey, "SE20240505051120240505101530"),  # no event announces runners
        (CoursePictureKey, "9999999905240099"),
        (HorseKey, "202110456A"),
        (TrainingMovieKey, "202402302021104567"),
        (MovieKey, "20240505051103"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed(kind, text):
    with pytest.raises(QueryError) as caught:
        parsed(kind, text)
    assert caught.value.slug == "invalid-key"
    assert caught.value.allowed


def test_the_short_form_drops_meeting_and_day():
    assert RaceKey.parse("2024050505020611", JRA.key_rules).short == "202405050511"


@pytest.mark.parametrize(
    ("dataspec", "text"), [("0B12", "20240505"), ("0B30", "202405050511"), ("0B12", "2024050505020611")]
)
def test_a_data_spec_takes_the_forms_it_lists(dataspec, text):
    assert str(parse_key(text, JRA.dataspecs[dataspec].key_forms, JRA.key_rules)) == text


def test_odds_do_not_take_a_day():
    with pytest.raises(QueryError, match="YYYYMMDDJJRR"):
        parse_key("20240505", JRA.dataspecs["0B30"].key_forms, JRA.key_rules)
