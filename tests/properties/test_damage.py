"""Streams with one fault to a record: no number of another place is served, and whole records are served whole.

A digit over a digit, and a loss and a gain that cancel out inside one record, leave no trace and are not tried.
"""

import os
import random

import pytest

from tests.records.mutations import faulty_stream, random_records, wrong
from tests.specs import JRA

ALL = list(JRA.layouts.all())
SMALL = [layout for layout in ALL if layout.length < 8_000]
# MUTATIONS=1000000 for as many; in `make test` a few of every kind.
MUTATIONS, SEEDS = int(os.environ.get("MUTATIONS", "8000")), 8


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_number_is_served_that_does_not_stand_there(seed):
    rng, made = random.Random(seed), 0
    while made < MUTATIONS // SEEDS:
        layouts = rng.choices(SMALL if rng.random() < 0.97 else ALL, k=rng.randint(1, 5))
        if rng.random() < 0.3:
            layouts = layouts[:1] * len(layouts)
        records = [rng.choice(random_records(layout, JRA.layouts)) for layout in layouts]
        stream = faulty_stream(records, rng, JRA.layouts)
        made += sum(bool(fault) for fault, *_ in stream.told)
        assert wrong(stream, JRA.layouts) == []


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
def test_faults_in_every_layout_are_seen(layout):
    rng = random.Random(layout.id)
    for _ in range(4 if layout.length > 10_000 else 40):
        records = [rng.choice(random_records(layout, JRA.layouts)) for _ in range(3)]
        assert wrong(faulty_stream(records, rng, JRA.layouts, fault_rate=0.9), JRA.layouts) == []
