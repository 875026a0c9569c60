"""`world`: one door to everything that is so for a seed."""

from datetime import date, timedelta
from itertools import pairwise

from jvgate.season.world.world import World, world_of
from tests.specs import JRA

WORLD = World(JRA.layouts, 1)
DAY = date(2026, 11, 22)
STAKES = next(race for race in WORLD.races(DAY) if race.number == 11)


def test_a_race_is_found_by_either_key():
    assert WORLD.race(STAKES.key) == WORLD.race(STAKES.short_key) == STAKES
    assert WORLD.race("202613400511") is None
    assert WORLD.race("202611220511999") is None


def test_two_worlds_of_one_seed_are_the_same_and_of_two_seeds_not():
    assert World(JRA.layouts, 1).result(STAKES) == WORLD.result(STAKES)
    assert World(JRA.layouts, 2).field(STAKES) != WORLD.field(STAKES)
    assert world_of(3, JRA.layouts) is world_of(3, JRA.layouts)


def test_a_horse_has_won_exactly_the_classes_below_its_own():
    for number, wins in ((6, 1), (9, 2), (10, 3)):
        race = next(race for race in WORLD.races(DAY) if race.number == number)
        for runner in WORLD.field(race):
            runs = WORLD.runs_of(runner.horse, DAY)
            newcomer = runner.horse.symbol == "05"
            assert newcomer or sum(run.finish.place == 1 for run in runs) == wins


def test_a_horse_comes_back_after_weeks_not_days():
    for runner in WORLD.field(STAKES):
        days = [run.race.day for run in WORLD.runs_of(runner.horse, DAY)]
        assert all((later - earlier).days >= 13 for earlier, later in pairwise(days))


def test_the_weight_change_is_that_since_the_last_start():
    for runner in WORLD.field(STAKES):
        runs = WORLD.runs_of(runner.horse, DAY)
        if runner.starts and runs:
            assert runner.weight_change_kg == runner.weight_kg - runs[-1].finish.runner.weight_kg


def test_runs_end_before_the_day_asked_for():
    horse = WORLD.field(STAKES)[0].horse
    assert all(run.race.day < DAY for run in WORLD.runs_of(horse, DAY))
    assert WORLD.runs_of(horse, DAY + timedelta(days=1))[-1].race == STAKES


def test_the_horses_of_a_weekend_are_those_of_its_fields():
    found = {horse.number for horse in WORLD.horses_in(DAY, DAY)}
    assert found == {runner.horse.number for race in WORLD.races(DAY) for runner in WORLD.field(race)}
    assert all(WORLD.horse(number).number == number for number in found)
