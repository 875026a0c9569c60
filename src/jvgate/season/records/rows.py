"""Career tallies as the exact bytes of the master records' rows."""

from __future__ import annotations

import numpy as np

from jvgate.season.market.slips import digits
from jvgate.season.world.careers import CareerRows, FinishCounts
from jvgate.season.world.rng import Numbers

__all__ = ["counts", "entry_rows", "house_rows", "person_rows"]


def counts(values: Numbers, width: int) -> bytes:
    """Return all *values* as digits of one width, in order; what does not fit shows the field's ceiling."""
    return digits(np.minimum(values.ravel(), 10**width - 1), width).tobytes()


def person_rows(rows: CareerRows) -> bytes:
    """Return the group HonZenRuikei of KS and CH: this year, the year before, career."""
    spans = ((rows.year, rows.this_year), (rows.year - 1, rows.previous), (0, rows.career))
    return b"".join(_person_row(year, tally) for year, tally in spans)


def entry_rows(rows: CareerRows) -> bytes:
    """Return the group HonRuikei of riders and trainers in CK: this year, career."""
    return _entry_row(rows.year, rows.this_year) + _entry_row(0, rows.career)


def house_rows(rows: CareerRows) -> bytes:
    """Return the group HonRuikei of BR, BN and their part of CK: this year, career."""
    return _house_row(rows.year, rows.this_year) + _house_row(0, rows.career)


def _money(tally: FinishCounts) -> bytes:
    return b"%010d%010d%010d%010d" % (tally.prize_flat, tally.prize_jump, tally.added_flat, tally.added_jump)


def _person_row(year: int, tally: FinishCounts) -> bytes:
    cells = tally.cells
    flat, jump = cells[:, :2].sum(axis=(1, 2)), cells[:, 2].sum(axis=1)
    thirds = cells[:, :2].sum(axis=0).reshape(6, 3, 6).sum(axis=1)  # turf and dirt, nine bands to three
    blocks = (flat.sum(axis=0), jump.sum(axis=0), np.stack([flat, jump], axis=1), thirds)
    return b"%04d" % year + _money(tally) + b"".join(counts(block, 6) for block in blocks)


def _entry_row(year: int, tally: FinishCounts) -> bytes:
    turf, dirt, jump = (tally.cells[:, surface] for surface in range(3))
    blocks = (
        (turf.sum(axis=(0, 1)), 5),
        (dirt.sum(axis=(0, 1)), 5),
        (jump.sum(axis=(0, 1)), 4),
        (turf.sum(axis=0), 4),
        (dirt.sum(axis=0), 4),
        (turf.sum(axis=1), 4),
        (dirt.sum(axis=1), 4),
        (jump.sum(axis=1), 3),
    )
    return b"%04d" % year + _money(tally) + b"".join(counts(block, width) for block, width in blocks)


def _house_row(year: int, tally: FinishCounts) -> bytes:
    prize, added = tally.prize_flat + tally.prize_jump, tally.added_flat + tally.added_jump
    return b"%04d%010d%010d" % (year, prize, added) + counts(tally.cells.sum(axis=(0, 1, 2)), 6)
