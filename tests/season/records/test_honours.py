"""`honours`: first rides and latest graded wins."""

from datetime import date

from jvgate.season.records.honours import first_rides, first_wins, graded_wins
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)


def _graded_race():
    return next(race for race in WORLD.races(date(2026, 11, 22)) if race.grade in "ABC")


def test_a_graded_win_of_sunday_is_the_newest_on_monday():
    race = _graded_race()
    winner = WORLD.result(race).winner
    for kind, code in (("jockey", winner.runner.jockey.code), ("trainer", winner.runner.trainer.code)):
        newest = graded_wins(WORLD, kind, code, until=MONDAY)[0]
        assert (newest["Hondai"], newest["KettoNum"]) == (race.title.main, winner.runner.horse.number)


def test_graded_wins_come_newest_first_and_at_most_three():
    for jockey in WORLD.jockeys(MONDAY):
        days = [(slot["Year"], slot["MonthDay"]) for slot in graded_wins(WORLD, "jockey", jockey.code, until=MONDAY)]
        assert days == sorted(days, reverse=True)
        assert len(days) <= 3


def test_the_first_win_comes_after_the_first_ride():
    jockey = WORLD.jockeys(MONDAY)[3]
    ride, win = first_rides(WORLD, jockey, until=MONDAY)[0], first_wins(WORLD, jockey, until=MONDAY)[0]
    assert f"{jockey.licensed:%Y}" == str(ride["Year"])
    assert (ride["Year"], ride["MonthDay"]) < (win["Year"], win["MonthDay"])


def test_what_is_still_to_come_is_not_told():
    jockey = WORLD.jockeys(MONDAY)[3]
    assert first_rides(WORLD, jockey, until=jockey.licensed) == [None, None]
