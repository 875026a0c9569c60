"""`rows`: tallies as bytes."""

from datetime import date

import numpy as np
import pytest

from jvgate.season.records.rows import counts, entry_rows, house_rows, person_rows
from jvgate.season.world.careers import Workload, career_rows
from jvgate.season.world.world import world_of
from tests.specs import JRA

pytestmark = pytest.mark.xdist_group("a year")  # of results, made once in the process that has them all


@pytest.fixture(scope="module")
def rows():
    """Return a trainer's tallies; the whole year's results are made for them."""
    return career_rows(
        world_of(1, JRA.layouts),
        "trainer",
        "01021",
        since=date(2001, 3, 1),
        until=date(2026, 11, 2),
        workload=Workload(starts=300, skill=0),
    )


def test_groups_have_the_length_of_their_records(rows):
    assert len(person_rows(rows)) == 3 * 1052
    assert len(entry_rows(rows)) == 2 * 1220
    assert len(house_rows(rows)) == 2 * 60


def test_the_career_row_has_no_year(rows):
    raw = person_rows(rows)
    assert [raw[at : at + 4] for at in (0, 1052, 2104)] == [b"2026", b"2025", b"0000"]


def test_what_does_not_fit_shows_the_ceiling():
    assert counts(np.array([5, 123456]), 3) == b"005999"
