"""`careers`: tallies of people."""

from datetime import date

import numpy as np
import pytest

from jvgate.season.world.careers import Workload, band_of, career_rows, finish_index, tally_of
from jvgate.season.world.world import world_of
from tests.specs import JRA

pytestmark = pytest.mark.xdist_group("a year")  # of results, made once in the process that has them all

WORLD = world_of(1, JRA.layouts)
WORKLOAD = Workload(starts=400, skill=20)
SINCE = date(2010, 3, 1)


def _rows(until, code="01234", since=SINCE):
    return career_rows(WORLD, "jockey", code, since=since, until=until, workload=WORKLOAD)


@pytest.mark.parametrize(
    ("metres", "band"), [(1000, 0), (1200, 0), (1201, 1), (1600, 2), (2000, 4), (2400, 6), (3600, 8)]
)
def test_distances_fall_into_their_bands(metres, band):
    assert band_of(metres) == band


def test_a_tally_counts_every_start_once():
    race = WORLD.races(date(2026, 11, 22))[0]
    finishes = WORLD.result(race).finishes
    tally = tally_of((race, finish) for finish in finishes)
    assert tally.cells.sum() == len(finishes)
    assert tally.prize_flat + tally.prize_jump == sum(finish.prize for finish in finishes)
    assert tally.cells[..., 0].sum() == sum(finish_index(finish) == 0 for finish in finishes)


def test_the_year_is_part_of_the_career():
    rows = _rows(date(2026, 2, 1))
    assert np.all(rows.this_year.cells + rows.previous.cells <= rows.career.cells)
    assert rows.previous.cells.sum() == pytest.approx(WORKLOAD.starts, rel=0.15)


def test_this_year_is_what_was_ridden_since_new_year():
    days = [date(2026, 1, day) for day in range(1, 32)]
    rides = [(r, f) for day in days for r in WORLD.races(day) for f in WORLD.result(r).finishes if f.runner.starts]
    code = rides[0][1].runner.jockey.code
    own = tally_of((race, finish) for race, finish in rides if finish.runner.jockey.code == code)
    assert np.array_equal(_rows(date(2026, 2, 1), code=code).this_year.cells, own.cells)


def test_last_year_s_row_is_what_this_year_s_was_on_new_year_s_eve():
    before = _rows(date(2026, 1, 1))
    assert np.array_equal(before.previous.cells, _rows(date(2026, 11, 1)).previous.cells)


def test_a_weekend_adds_exactly_what_was_ridden_on_it():
    days = (date(2026, 11, 21), date(2026, 11, 22))
    rides = [(r, f) for day in days for r in WORLD.races(day) for f in WORLD.result(r).finishes if f.runner.starts]
    code = rides[0][1].runner.jockey.code
    own = tally_of((race, finish) for race, finish in rides if finish.runner.jockey.code == code)
    before, after = (_rows(day, code=code).career for day in (days[0], date(2026, 11, 23)))
    assert np.array_equal(after.cells - before.cells, own.cells)
    assert after.prize_flat - before.prize_flat == own.prize_flat


def test_a_beginner_has_no_previous_year():
    assert _rows(date(2026, 11, 23), since=date(2026, 3, 1)).previous.cells.sum() == 0
