"""The big groups of the O and H records as exact bytes: one row of characters per slot, made by numpy."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from jvgate.season.market.market import AFTER, BEFORE, OUT, Board
from jvgate.season.market.pools import BettingPool, combinations
from jvgate.season.world.rng import Numbers

__all__ = ["digits", "odds_group", "votes_group"]

_Rows = NDArray[np.uint8]
_VOTES_WIDTH = 11
_RANGED = ("place", "wide")
_SPACE, _DASH, _STAR = b" -*"


def odds_group(board: Board) -> bytes:
    """Return the odds group of *board*: combination, odds (low and high for place and wide), rank."""
    pool, most = board.pool, 10**board.pool.odds_digits - 1
    odds = [board.low, board.high] if pool.name in _RANGED else [board.low]
    columns = [digits(np.minimum(each, most), pool.odds_digits) for each in odds]
    return _rows(board, [], [*columns, digits(board.rank, pool.rank_digits)])


def votes_group(board: Board) -> bytes:
    """Return the votes group of *board*: combination, votes, rank."""
    return _rows(board, [digits(board.votes, _VOTES_WIDTH)], [digits(board.rank, board.pool.rank_digits)])


def digits(values: Numbers, width: int) -> _Rows:
    """Return each of *values* as *width* ASCII digits: one row a value."""
    quads = -(-width // 4)
    rows = np.empty((len(values), quads * 4), dtype=np.uint8)
    for quad in range(quads - 1, -1, -1):
        values, rest = np.divmod(values, 10_000) if quad else (values, values)
        rows[:, quad * 4 : quad * 4 + 4] = _quads()[rest]
    return rows[:, quads * 4 - width :]


def _rows(board: Board, kept: list[_Rows], marked: list[_Rows]) -> bytes:
    """Return the slots: combination, *kept* columns as they are, *marked* ones filled where cancelled."""
    names = _printed(board.pool)
    rows = np.concatenate([names, *kept, *marked], axis=1)
    from_mark = names.shape[1] + sum(column.shape[1] for column in kept)
    rows[board.state == BEFORE, from_mark:] = _DASH
    rows[board.state == AFTER, from_mark:] = _STAR
    rows[board.state == OUT] = _SPACE
    return rows.tobytes()


@cache
def _printed(pool: BettingPool) -> _Rows:
    """Return the combinations of *pool* as their characters."""
    numbers = combinations(pool.name)
    return np.concatenate([digits(column, pool.number_width) for column in numbers.T], axis=1)


@cache
def _quads() -> _Rows:
    """Return the numbers 0-9999 as four digits each."""
    numbers = np.arange(10_000)
    return np.stack([numbers // power % 10 + ord("0") for power in (1000, 100, 10, 1)], axis=1).astype(np.uint8)
