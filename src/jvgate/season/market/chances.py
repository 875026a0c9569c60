"""What each combination of a race attracts: its chance to win, in fixed point and whole numbers.

Horses are drawn one after another without putting back, each by its weight (Plackett and Luce; in racing
known after Harville).  All weights are given for 18 horses, none (0) for those that do not run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from jvgate.season.market.pools import HORSES, combinations
from jvgate.season.world.rng import Numbers

__all__ = ["chances"]

_UNIT = 20  # bits of one chance; three of them fit 64
_FINE = 34  # bits of a combination's chance, so that chance x sales still fits


def chances(pool: str, weights: tuple[int, ...], *, brackets: tuple[int, ...], places: int) -> Numbers:
    """Return the chance of every slot of *pool*, of 2 to the 34th.

    brackets: by horse number, only for the bracket pool.  places: how many the place bet pays.
    """
    if pool == "bracket":
        return _brackets(weights, brackets)
    if pool == "place":
        return _places(weights, places)
    return _CHANCES[pool](weights)[_index(pool)]


def _index(pool: str) -> tuple[Numbers, ...]:
    """Return the slots of *pool* as an index into an array by horse (28 single slots: the rest stay 0)."""
    return tuple(combinations(pool).T - 1)


@lru_cache(maxsize=64)
def _first_two(weights: tuple[int, ...]) -> Numbers:
    """Return the chance of every (first, second)."""
    weight = np.array(weights, dtype=np.int64)
    rest = max(1, int(weight.sum())) - weight
    first = (weight << _UNIT) // max(1, int(weight.sum()))
    second = (weight[None, :] << _UNIT) // np.maximum(rest, 1)[:, None]
    chance: Numbers = (first[:, None] * second) >> (2 * _UNIT - _FINE)
    np.fill_diagonal(chance, 0)
    return chance


@lru_cache(maxsize=64)
def _first_three(weights: tuple[int, ...]) -> Numbers:
    """Return the chance of every (first, second, third)."""
    weight = np.array(weights, dtype=np.int64)
    rest = int(weight.sum()) - weight[:, None] - weight[None, :]
    third = (weight << _UNIT) // np.maximum(rest, 1)[:, :, None]
    chance: Numbers = (_first_two(weights)[:, :, None] * third) >> _UNIT
    horse = np.arange(HORSES)
    chance[horse, :, horse] = 0
    chance[:, horse, horse] = 0
    return chance


def _wins(weights: tuple[int, ...]) -> Numbers:
    weight = np.array((*weights, *([0] * (28 - HORSES))), dtype=np.int64)
    chance: Numbers = (weight << _UNIT) // max(1, int(weight.sum())) << (_FINE - _UNIT)
    return chance


def _places(weights: tuple[int, ...], places: int) -> Numbers:
    """Return the chance of each horse to be among the first two, or three."""
    cube = _first_three(weights)
    chance = np.zeros(28, dtype=np.int64)
    chance[:HORSES] = cube.sum(axis=(1, 2)) + cube.sum(axis=(0, 2))
    if places == 3:
        chance[:HORSES] += cube.sum(axis=(0, 1))
    return chance


def _pairs(weights: tuple[int, ...]) -> Numbers:
    ordered = _first_two(weights)
    return ordered + ordered.T


def _brackets(weights: tuple[int, ...], brackets: tuple[int, ...]) -> Numbers:
    """Return the chance of each bracket pair: that of the pairs of horses behind it."""
    of_horse = np.zeros(HORSES, dtype=np.int64)
    of_horse[: len(brackets)] = brackets
    pairs = np.sort(of_horse[combinations("quinella") - 1], axis=1)
    table = np.zeros((9, 9), dtype=np.int64)
    np.add.at(table, tuple(pairs.T), _pairs(weights)[_index("quinella")])
    chance: Numbers = table[tuple(combinations("bracket").T)]
    return chance


def _wides(weights: tuple[int, ...]) -> Numbers:
    """Return the chance of every pair to be among the first three."""
    cube = _first_three(weights)
    ordered: Numbers = cube.sum(axis=0) + cube.sum(axis=1) + cube.sum(axis=2)
    return ordered + ordered.T


def _trios(weights: tuple[int, ...]) -> Numbers:
    cube = _first_three(weights)
    first_known: Numbers = cube + cube.transpose(0, 2, 1)
    chance: Numbers = first_known + first_known.transpose(1, 0, 2) + first_known.transpose(2, 1, 0)
    return chance


_CHANCES: dict[str, Callable[[tuple[int, ...]], Numbers]] = {
    "win": _wins,
    "quinella": _pairs,
    "wide": _wides,
    "exacta": _first_two,
    "trio": _trios,
    "trifecta": _first_three,
}
