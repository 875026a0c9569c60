"""The betting market of one race: votes, odds and ranks of all eight pools, in whole numbers only.

Theory of operation: the public's opinion is a weight per horse; `chances` says what each combination
attracts.  Votes are the pool's sales shared out in that way, with a little noise, and odds follow from votes by
the pari-mutuel rule: what goes back is divided among the winning votes.

Makers: `Market` (every pool of a race), `win_odds` (the two columns that a runner's own record repeats).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jvgate.season.market.chances import chances
from jvgate.season.market.pools import HORSES, POOLS, BettingPool, combinations
from jvgate.season.world.rng import Numbers, draw, ripple

__all__ = ["AFTER", "BEFORE", "ENTERED", "OUT", "STEPS", "Board", "Book", "Market", "shared_odds", "win_odds"]

OUT, ENTERED, BEFORE, AFTER = range(4)
"""State of a slot: no such combination, on sale, cancelled before sales, cancelled after sales."""

STEPS = 24
"""Versions of a race's odds, when nobody says otherwise; the last one is final."""

_FULL = 1024  # all of the sales; noise and drift count in the same parts
_FROZEN = 300  # how far sales had come when a horse was taken out
_NOISE = {"win": 30, "place": 90, "bracket": 120}
_THIN_NOISE = 160  # of the pools with many combinations
_DRIFT = 380  # how far the first opinion is from the last one


@dataclass(frozen=True, slots=True)
class Book:
    """What the public bets on.

    weights, brackets: by horse number, number 1 first.  sales: votes of all pools together (100 yen each).
    scratched_before, scratched_after: horse numbers taken out before and after sales began.
    """

    seed: int
    weights: tuple[int, ...]
    brackets: tuple[int, ...]
    scratched_before: frozenset[int] = frozenset()
    scratched_after: frozenset[int] = frozenset()
    sales: int = 12_000_000

    @property
    def runners(self) -> int:
        """Horses on sale when sales began: they decide which pools exist."""
        return len(self.weights) - len(self.scratched_before)

    @property
    def places(self) -> int:
        """Places that the place bet pays; 0 when it is not sold."""
        if self.runners < POOLS["place"].least:
            return 0
        return 2 if self.runners < 8 else 3


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """One pool of a race, a value per slot.

    low, high: odds in tenths, equal but for place and wide; 0 without votes.
    """

    pool: BettingPool
    sold: bool
    state: Numbers
    votes: Numbers
    low: Numbers
    high: Numbers
    rank: Numbers

    @property
    def total(self) -> int:
        """Votes sold, refunded ones included."""
        return int(self.votes.sum())

    @property
    def refunded(self) -> int:
        """Votes on combinations that were taken out after sales began."""
        return int(self.votes[self.state == AFTER].sum())


@dataclass(frozen=True, slots=True)
class Market:
    """The market of a race as it stood at version *step* of *steps*; the last one is final.

    Votes never shrink from one version to the next, and opinion wanders towards the last one.
    """

    book: Book
    step: int = STEPS
    steps: int = STEPS

    def board(self, name: str) -> Board:
        """Return the board of the pool called *name*."""
        return _board(self, name)


def win_odds(book: Book) -> tuple[list[int], list[int]]:
    """Return final odds in tenths (at most 9999) and ranks by horse number, as O1 has them; 0 for those taken out."""
    board = Market(book).board("win")
    count, running = len(book.weights), board.state == ENTERED
    odds = np.where(running, np.minimum(board.low, 9999), 0)
    return odds[:count].tolist(), np.where(running, board.rank, 0)[:count].tolist()


def shared_odds(votes: Numbers, paid: Numbers | int, *, net: int, pool: BettingPool, winners: int) -> Numbers:
    """Return the odds in tenths when *winners* combinations with *paid* votes together share the pool.

    votes: those of the combination asked for.  Each winner gets its own votes back and an equal part of the rest.
    """
    tenths = pool.returned * (winners * votes + net - paid) // np.maximum(1, 100 * winners * votes)
    return np.where(votes > 0, np.maximum(tenths, 10), 0)


@lru_cache(maxsize=48)
def _board(market: Market, name: str) -> Board:
    book, pool = market.book, POOLS[name]
    sold = book.runners >= pool.least
    state = _bracket_states(book) if pool.name == "bracket" else _horse_states(book, pool)
    state = state if sold else np.zeros_like(state)
    done = _FULL * market.step**2 // market.steps**2  # most money comes late
    running = np.where(state == ENTERED, _votes(book, pool, done=done), 0)
    votes = running
    if AFTER in state:
        votes = np.where(state == AFTER, _votes(book, pool, done=min(done, _FROZEN)), running)
    low, high = _RANGES.get(pool.name, _one_odds)(pool, running, book.places)
    return Board(pool, sold, state, votes, low, high, _ranks(running, state))


def _votes(book: Book, pool: BettingPool, *, done: int) -> Numbers:
    """Return votes by slot when *done* of the sales (of 1024) were made."""
    live = (0 if horse in book.scratched_before else weight for horse, weight in enumerate(book.weights, start=1))
    weights = (*live, *[0] * (HORSES - len(book.weights)))
    shares = chances(pool.name, weights, brackets=book.brackets, places=book.places)
    noise = ripple(draw(book.seed, f"{pool.name} votes"), len(shares), height=_NOISE.get(pool.name, _THIN_NOISE))
    shares = shares * (_FULL + noise) // _FULL
    votes = shares * (book.sales * pool.sales // 1000) // max(1, int(shares.sum()))
    if done >= _FULL:
        return votes
    drift = ripple(draw(book.seed, f"{pool.name} drift"), len(votes), height=_DRIFT)
    return votes * done // _FULL * (_FULL + drift * (_FULL - done) // _FULL) // _FULL


def _horse_states(book: Book, pool: BettingPool) -> Numbers:
    """Return the state of every slot of a pool of horses."""
    horses = np.zeros(29, dtype=np.int64)
    horses[1 : len(book.weights) + 1] = ENTERED
    horses[list(book.scratched_before)] = BEFORE
    horses[list(book.scratched_after)] = AFTER
    return _together(horses[combinations(pool.name)])


def _bracket_states(book: Book) -> Numbers:
    """Return the bracket pairs' states: a bracket lives while one of its horses runs, its own pair while two do."""
    rows = combinations("bracket")
    drawn, opened, running = (np.zeros(9, dtype=np.int64) for _ in range(3))
    for horse, bracket in enumerate(book.brackets, start=1):
        drawn[bracket] += 1
        opened[bracket] += horse not in book.scratched_before
        running[bracket] += horse not in book.scratched_before | book.scratched_after
    need = np.where(rows[:, :1] == rows[:, 1:], 2, 1)
    states = np.where(running[rows] >= need, ENTERED, np.where(opened[rows] >= need, AFTER, BEFORE))
    return _together(np.where(drawn[rows] >= need, states, OUT))


def _together(states: Numbers) -> Numbers:
    """Return the state of each row of *states*: one number that is out or cancelled takes the others with it."""
    gone = np.where((states == BEFORE).any(axis=1), BEFORE, np.where((states == AFTER).any(axis=1), AFTER, ENTERED))
    return np.where((states == OUT).any(axis=1), OUT, gone)


def _ranks(votes: Numbers, state: Numbers) -> Numbers:
    """Return ranks by votes; without votes a combination ranks last, with the number of those on sale."""
    on_sale = np.flatnonzero(state == ENTERED)
    ranks = np.zeros(len(votes), dtype=np.int64)
    ranks[on_sale[np.argsort(-votes[on_sale], kind="stable")]] = np.arange(1, len(on_sale) + 1)
    return np.where((votes == 0) & (state == ENTERED), len(on_sale), ranks)


def _one_odds(pool: BettingPool, votes: Numbers, _places: int) -> tuple[Numbers, Numbers]:
    odds = shared_odds(votes, votes, net=int(votes.sum()), pool=pool, winners=1)
    return odds, odds


def _place_odds(pool: BettingPool, votes: Numbers, places: int) -> tuple[Numbers, Numbers]:
    """Return the odds beside the most and beside the least backed other placed horses."""
    backed = np.sort(votes[votes > 0])
    if not places or len(backed) < places:
        return _one_odds(pool, votes, places)
    # The first *places* of the order are paid together; a horse that is not among them replaces the last of them.
    least, most = backed[:places], backed[-places:]
    with_most = np.where(votes >= most[0], most.sum(), most[1:].sum() + votes)
    with_least = np.where(votes <= least[-1], least.sum(), least[:-1].sum() + votes)
    net = int(votes.sum())
    low, high = (shared_odds(votes, paid, net=net, pool=pool, winners=places) for paid in (with_most, with_least))
    return low, high


def _wide_odds(pool: BettingPool, votes: Numbers, _places: int) -> tuple[Numbers, Numbers]:
    """Return the odds of a pair beside the most and the least backed third horse."""
    first, second = combinations("wide").T - 1
    table = np.zeros((HORSES, HORSES), dtype=np.int64)
    table[first, second] = table[second, first] = votes
    third = table[first] + table[second]  # a row per pair: votes of the two other pairs, by third horse
    slots = np.arange(len(votes))
    third[slots, first] = third[slots, second] = -1
    third[:, table.sum(axis=1) == 0] = -1
    most, least = third.max(axis=1), np.where(third < 0, np.iinfo(np.int64).max, third).min(axis=1)
    net = int(votes.sum())
    if not net:
        return votes, votes
    low, high = (shared_odds(votes, votes + each, net=net, pool=pool, winners=3) for each in (most, least))
    return low, high


_RANGES = {"place": _place_odds, "wide": _wide_odds}
