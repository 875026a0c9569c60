"""How long a dataset stays fresh: the plan's table, its readings corrected."""

import pytest

from jvgate.cache.lifetimes import lifetime_s
from jvgate.spec.dataspecs import dataspecs
from jvgate.values import Query
from tests.raceday import dataset, record


def full(dataspec):
    return dataset(record("RA"), query=Query(dataspec))


def empty(dataspec):
    return dataset(query=Query(dataspec))


@pytest.mark.parametrize(
    ("dataspec", "seconds"),
    [
        ("RACE", 86400), ("HOSE", 86400), ("HOYU", 86400), ("YSCH", 604800), ("DIFF", 300), ("SLOP", 1800),
        ("MING", 3600), ("0B12", 60), ("0B15", 60), ("0B30", 30), ("0B36", 30), ("TOKU", 600), ("0B99", 600),
    ],
)  # fmt: skip
def test_a_dataset_lives_as_long_as_its_data_spec_says(dataspec, seconds):
    assert lifetime_s(full(dataspec)) == seconds


@pytest.mark.parametrize("dataspec", dataspecs())
def test_every_data_spec_has_a_lifetime_and_nothing_found_lives_no_longer_than_something(dataspec):
    assert 0 < lifetime_s(empty(dataspec)) <= lifetime_s(full(dataspec))


def test_an_empty_answer_is_kept_only_briefly():
    assert lifetime_s(empty("YSCH")) == 30


@pytest.mark.parametrize(("older", "newer"), [(s.id, s.replaced_by) for s in dataspecs().values() if s.replaced_by])
def test_an_older_data_spec_lives_as_long_as_its_successor(older, newer):
    """The same data in other layouts."""
    assert lifetime_s(full(older)) == lifetime_s(full(newer))
