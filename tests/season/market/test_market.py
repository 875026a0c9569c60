"""`market`: votes, odds, ranks."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jvgate.season.market.market import AFTER, BEFORE, ENTERED, OUT, Book, Market, win_odds
from jvgate.season.market.pools import POOLS, slot_names

BOOK = Book(
    seed=11,
    weights=(900, 40, 310, 77, 5, 150, 60, 220, 33, 18, 95, 41, 12, 8),
    brackets=(1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8),
)
SCRATCHED = replace(BOOK, scratched_before=frozenset({4}), scratched_after=frozenset({9, 10}))


@pytest.mark.parametrize("pool", ["win", "bracket", "quinella", "exacta", "trio", "trifecta"])
def test_odds_are_what_the_pool_pays_back_divided_by_the_votes(pool):
    board = Market(BOOK).board(pool)
    backed = np.flatnonzero(board.votes)
    fair = board.pool.returned * board.total // (100 * board.votes[backed])
    assert np.array_equal(board.low[backed], np.maximum(fair, 10))
    assert np.array_equal(board.low, board.high)


@pytest.mark.parametrize("pool", ["place", "wide"])
def test_place_and_wide_odds_are_a_range(pool):
    board = Market(BOOK).board(pool)
    backed = board.votes > 0
    assert np.all(board.low <= board.high)
    assert np.any(board.low[backed] < board.high[backed])
    assert board.low[backed].min() >= 10


@pytest.mark.parametrize("pool", POOLS)
def test_ranks_follow_votes_and_are_all_different(pool):
    board = Market(BOOK).board(pool)
    backed = np.flatnonzero(board.votes)
    by_rank = backed[np.argsort(board.rank[backed])]
    assert np.all(np.diff(board.votes[by_rank]) <= 0)
    assert sorted(board.rank[backed].tolist()) == list(range(1, len(backed) + 1))


def test_a_combination_without_votes_has_no_odds_and_ranks_last():
    board = Market(replace(BOOK, sales=20_000)).board("trifecta")
    nobody = (board.state == ENTERED) & (board.votes == 0)
    assert nobody.any()
    assert set(board.low[nobody]) == {0}
    assert set(board.rank[nobody]) == {int((board.state == ENTERED).sum())}


@pytest.mark.parametrize(
    ("combination", "state"),
    [("010203", ENTERED), ("010204", BEFORE), ("010209", AFTER), ("040910", BEFORE), ("010215", OUT)],
)
def test_a_combination_lives_as_long_as_all_its_horses(combination, state):
    board = Market(SCRATCHED).board("trio")
    assert board.state[slot_names("trio")[combination]] == state


@pytest.mark.parametrize(
    ("pair", "state"), [("11", OUT), ("33", BEFORE), ("66", AFTER), ("16", AFTER), ("13", ENTERED)]
)
def test_a_bracket_lives_while_one_of_its_horses_runs(pair, state):
    assert Market(SCRATCHED).board("bracket").state[slot_names("bracket")[pair]] == state


def test_votes_on_horses_taken_out_after_sales_began_are_refunded_and_pay_nobody():
    board = Market(SCRATCHED).board("win")
    assert board.refunded == board.votes[[8, 9]].sum() > 0
    assert board.low[0] == 800 * (board.total - board.refunded) // (100 * board.votes[0])
    assert board.votes[3] == 0


@pytest.mark.parametrize(("runners", "places"), [(4, 0), (5, 2), (7, 2), (8, 3)])
def test_the_place_bet_pays_by_the_size_of_the_field(runners, places):
    small = Book(seed=1, weights=(10,) * runners, brackets=tuple(range(1, runners + 1)))
    assert small.places == places
    assert Market(small).board("place").sold == bool(places)


@pytest.mark.parametrize("pool", POOLS)
def test_votes_never_shrink_towards_the_start_and_end_as_the_final_ones(pool):
    versions = [Market(BOOK, step, 12).board(pool).votes for step in range(1, 13)]
    assert all(np.all(later >= earlier) for earlier, later in pairwise(versions))
    assert np.array_equal(versions[-1], Market(BOOK).board(pool).votes)


def test_early_opinion_is_not_the_last_one():
    assert not np.array_equal(Market(BOOK, 2, 12).board("win").rank, Market(BOOK).board("win").rank)


def test_win_odds_are_those_of_the_win_board():
    odds, ranks = win_odds(SCRATCHED)
    assert len(odds) == len(ranks) == 14
    assert [odds[3], ranks[3], odds[8], ranks[8]] == [0, 0, 0, 0]
    assert odds[0] == Market(SCRATCHED).board("win").low[0]


def test_the_market_is_the_same_on_every_machine():
    digest = hashlib.sha256()
    for pool in POOLS:
        board = Market(SCRATCHED).board(pool)
        for column in (board.state, board.votes, board.low, board.high, board.rank):
            digest.update(column.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == "d3117eea7a063b02"
