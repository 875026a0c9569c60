"""`programme`: the races of a day."""

from datetime import date, timedelta

from jvgate.season.world.programme import GRADED, belt_of, race_at, race_index, races_on, round_of
from jvgate.season.world.tracks import course_offers

SATURDAYS = [date(2024, 1, 6) + timedelta(days=7 * week) for week in range(0, 160, 3)]
RACES = [race for saturday in SATURDAYS for day in (0, 1) for race in races_on(1, saturday + timedelta(days=day))]


def test_every_meeting_has_twelve_races_from_morning_to_afternoon():
    day = [race for race in races_on(1, date(2026, 11, 21)) if race.meeting.course == "05"]
    assert [race.number for race in day] == list(range(1, 13))
    posts = [race.post_before or race.post for race in day]
    assert posts == sorted(posts)
    assert f"{posts[0]:%H:%M}" >= "09:50"
    assert f"{posts[-1]:%H:%M}" <= "16:25"


def test_distance_and_track_exist_at_the_course():
    assert all((race.distance, race.track) in course_offers(race.meeting.course, race.surface) for race in RACES)


def test_stakes_are_run_late_and_named():
    assert all(race.number >= 8 for race in RACES if race.grade != " ")
    assert all((race.title.main != "") == (race.grade != " ") for race in RACES)


def test_a_graded_race_returns_every_year_with_its_next_running():
    first = next(race for race in races_on(1, date(2025, 4, 27)) if race.grade in GRADED)
    again = next(race for race in races_on(1, date(2026, 4, 26)) if race.grade in GRADED)
    assert (again.title.main, again.title.number) == (first.title.main, first.title.number)
    assert again.title.running == first.title.running + 1


def test_the_conditions_fit_the_season_of_the_year():
    for race in RACES:
        if race.condition in ("701", "703"):
            assert race.kind == ("12" if race.day.month < 6 else "11") or race.day.month == 6
        if race.kind == "14":
            assert race.day.month < 6 or race.day.day < 8


def test_a_race_is_found_again_from_its_belt():
    assert all(race_at(1, belt_of(race), round_of(race), race_index(race)) == race for race in RACES[::17])


def test_now_and_then_a_race_starts_later_or_is_moved():
    late = [race for race in RACES if race.post_before]
    assert 0 < len(late) < len(RACES) // 50
    assert all(race.post > race.post_before > race.post_changed_at for race in late)
