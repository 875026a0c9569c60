"""Columns say what records say: of every layout, of valid records and of damaged ones, whole and in part."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jvgate.records.columns.table import columns_of
from jvgate.records.decode import decoder
from jvgate.records.encode import encode
from tests.records.build import random_record
from tests.records.damage import damaged
from tests.records.rows import as_row, rows_of
from tests.specs import JRA

ALL = list(JRA.layouts.all())
FEW = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)


def random_raws(layout, rng, *, count=5):
    """Raw records, some of them of races before the older special values ended where there are such values."""
    raws = [
        encode(random_record(layout, rng, fill=rng.random()), JRA.layouts, length=layout.length) for _ in range(count)
    ]
    if not any(field.special_dated for field in layout.leaves()):
        return raws
    days = (b"20040813", b"20040814", b"19930601", None, None)
    return [raw if (day := rng.choice(days)) is None else raw[:11] + day + raw[19:] for raw in raws]


def assert_agree(layout, raws, fields=()):
    batch = columns_of(layout, fields).decode(b"".join(raws))
    batch.validate(full=True)
    assert batch.schema.equals(columns_of(layout, fields).schema, check_metadata=True)
    for raw, row in zip(raws, rows_of(batch), strict=True):
        record = decoder(layout)(raw)
        assert fields or set(record) <= set(row)
        assert row == as_row(record, row)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds)
def test_columns_agree_with_records(layout, seed):
    assert_agree(layout, random_raws(layout, random.Random(seed)))


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds)
def test_columns_agree_with_records_on_damaged_bytes(layout, seed):
    rng = random.Random(seed)
    assert_agree(layout, [damaged(raw, layout, rng) for raw in random_raws(layout, rng)])


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
@FEW
@given(seed=seeds)
def test_columns_agree_with_records_on_some_of_the_fields(layout, seed):
    """Damage outside the fields shown is none of their business, so it is done to these alone."""
    rng = random.Random(seed)
    fields = chosen_fields(layout, rng)
    keys = frozenset(name.partition(".")[0] for name in fields)
    assert_agree(layout, [damaged(raw, layout, rng, keys=keys) for raw in random_raws(layout, rng)], fields)


def chosen_fields(layout, rng):
    names = [field.key for field in layout.fields if field.kind != "reserved"]
    chosen = rng.sample(names, min(len(names), 4))
    return tuple(sorted(_inner(layout, name, rng) for name in chosen))


def _inner(layout, name, rng):
    """Return a group's name, or that of one of its fields."""
    group = next((field for field in layout.fields if field.key == name and field.kind == "group"), None)
    shown = [] if group is None else [field.key for field in group.fields if field.kind != "reserved"]
    return f"{name}.{rng.choice(shown)}" if shown and rng.random() < 0.5 else name
