"""The eight pools of a JRA race as data, and which combination stands in which slot of their records.

Slots are fixed by the combination, whether its horses run or not: horse 1-28, brackets 11, 12, … 88,
pairs 0102 … 1718, ordered pairs 0102 … 1817, and so on in ascending order of the number string.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from jvgate.season.world.rng import Numbers

__all__ = ["HORSES", "POOLS", "BettingPool", "combinations", "slot_names"]

HORSES = 18
"""The most runners of a race; the win and place groups have 28 slots all the same."""


@dataclass(frozen=True, slots=True)
class BettingPool:
    """One pool of a race: how it is sold and paid, and how wide its figures are in O and H records.

    returned: what goes back to the winners, in thousandths.  sales: its part of a race's money, in thousandths.
    least: runners from which on it is sold.  odds_digits, rank_digits: width of the field in the O record.
    """

    name: str
    returned: int
    sales: int
    least: int
    odds_digits: int
    rank_digits: int
    number_width: int = 2


POOLS = {
    pool.name: pool
    for pool in (
        BettingPool("win", 800, 58, least=2, odds_digits=4, rank_digits=2),
        BettingPool("place", 800, 80, least=5, odds_digits=4, rank_digits=2),
        BettingPool("bracket", 775, 30, least=9, odds_digits=5, rank_digits=2, number_width=1),
        BettingPool("quinella", 775, 130, least=3, odds_digits=6, rank_digits=3),
        BettingPool("wide", 775, 140, least=4, odds_digits=5, rank_digits=3),
        BettingPool("exacta", 750, 52, least=3, odds_digits=6, rank_digits=3),
        BettingPool("trio", 750, 210, least=4, odds_digits=6, rank_digits=3),
        BettingPool("trifecta", 725, 300, least=4, odds_digits=7, rank_digits=4),
    )
}


@cache
def combinations(pool: str) -> Numbers:
    """Return the combinations of *pool* by slot: an array of horse (or bracket) numbers, one row a slot."""
    numbers = range(1, HORSES + 1)
    rows = {
        "win": ((number,) for number in range(1, 29)),
        "place": ((number,) for number in range(1, 29)),
        "bracket": itertools.combinations_with_replacement(range(1, 9), 2),
        "quinella": itertools.combinations(numbers, 2),
        "wide": itertools.combinations(numbers, 2),
        "exacta": itertools.permutations(numbers, 2),
        "trio": itertools.combinations(numbers, 3),
        "trifecta": itertools.permutations(numbers, 3),
    }[pool]
    return np.array(list(rows), dtype=np.int64)


@cache
def slot_names(pool: str) -> dict[str, int]:
    """Return slot by combination as it is printed: `{"0102": 0, "0103": 1, …}`."""
    width = POOLS[pool].number_width
    rows = combinations(pool).tolist()
    return {"".join(f"{number:0{width}d}" for number in row): slot for slot, row in enumerate(rows)}
