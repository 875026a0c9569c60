"""`starts`: a horse's own career."""

from datetime import date

import numpy as np

from jvgate.season.world.starts import career_of, runs_before
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
HORSES = WORLD.horses_in(date(2026, 11, 22), date(2026, 11, 22))[::60]


def test_all_splits_of_a_career_have_the_same_total():
    for horse in HORSES:
        career = career_of(runs_before(WORLD, horse, until=date(2026, 11, 23)))
        for split in (career.tracks, career.goings, career.courses.reshape(-1, 6)):
            assert np.array_equal(split.sum(axis=0), career.total)
        jumps = career.tracks[6]
        assert np.array_equal(career.turf_bands.sum(axis=0) + career.dirt_bands.sum(axis=0) + jumps, career.total)


def test_the_money_is_what_its_races_paid():
    for horse in HORSES:
        runs = runs_before(WORLD, horse, until=date(2026, 11, 23))
        assert sum(career_of(runs).prize) == sum(run.finish.prize for run in runs)


def test_only_starts_before_the_day_count():
    horse = HORSES[0]
    before, after = (len(runs_before(WORLD, horse, until=date(2026, 11, day))) for day in (22, 23))
    ran = any(
        runner.horse == horse and runner.starts
        for race in WORLD.races(date(2026, 11, 22))
        for runner in WORLD.field(race)
    )
    assert after == before + ran


def test_a_horse_without_a_start_has_an_empty_career():
    career = career_of([])
    assert (career.starts, career.prize, career.styles) == (0, (0, 0), (0, 0, 0, 0))
