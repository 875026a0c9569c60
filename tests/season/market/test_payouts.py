"""`payouts`: winning combinations and what they pay."""

from dataclasses import replace

import pytest

from jvgate.season.market.market import Book, Market
from jvgate.season.market.payouts import settle
from jvgate.season.market.pools import slot_names

BOOK = Book(seed=5, weights=(9, 8, 7, 6, 5, 4, 3, 3, 2, 2), brackets=(1, 2, 3, 4, 5, 6, 7, 7, 8, 8))
PLAIN = {1: 1, 2: 2, 3: 3, 4: 4}


def _winners(places, pool):
    return [payout.combination for payout in settle(Market(BOOK), places)[pool].payouts]


@pytest.mark.parametrize(
    ("pool", "won"),
    [
        ("win", ["01"]),
        ("place", ["01", "02", "03"]),
        ("bracket", ["12"]),
        ("quinella", ["0102"]),
        ("wide", ["0102", "0103", "0203"]),
        ("exacta", ["0102"]),
        ("trio", ["010203"]),
        ("trifecta", ["010203"]),
    ],
)
def test_the_first_three_win(pool, won):
    assert _winners(PLAIN, pool) == won


@pytest.mark.parametrize(
    ("places", "pool", "won"),
    [
        ({1: 1, 2: 1, 3: 3}, "win", ["01", "02"]),
        ({1: 1, 2: 1, 3: 3}, "exacta", ["0102", "0201"]),
        ({1: 1, 2: 2, 3: 2}, "quinella", ["0102", "0103"]),
        ({1: 1, 2: 2, 3: 2}, "bracket", ["12", "13"]),
        ({1: 1, 2: 2, 3: 3, 4: 3}, "place", ["01", "02", "03", "04"]),
        ({1: 1, 2: 2, 3: 3, 4: 3}, "wide", ["0102", "0103", "0104", "0203", "0204"]),
        ({1: 1, 2: 2, 3: 3, 4: 3}, "trio", ["010203", "010204"]),
        ({1: 1, 2: 1, 3: 1}, "trifecta", ["010203", "010302", "020103", "020301", "030102", "030201"]),
    ],
)
def test_a_dead_heat_makes_several_combinations_win(places, pool, won):
    assert _winners(places, pool) == won


@pytest.mark.parametrize("pool", ["win", "bracket", "quinella", "exacta", "trio", "trifecta"])
def test_a_winner_is_paid_its_odds(pool):
    market = Market(BOOK)
    (payout,) = settle(market, PLAIN)[pool].payouts
    slot = slot_names(pool)[payout.combination]
    assert payout.pay_yen == 10 * market.board(pool).low[slot]
    assert payout.rank == market.board(pool).rank[slot]


@pytest.mark.parametrize("pool", ["place", "wide"])
def test_place_and_wide_pay_within_their_range(pool):
    board = Market(BOOK).board(pool)
    for payout in settle(Market(BOOK), PLAIN)[pool].payouts:
        slot = slot_names(pool)[payout.combination]
        assert 10 * board.low[slot] <= payout.pay_yen <= 10 * board.high[slot]


def test_a_winner_nobody_bet_on_pays_everybody_a_little_back():
    poor = Market(replace(BOOK, sales=1_000))
    settlement = settle(poor, {10: 1, 9: 2, 8: 3})["trifecta"]
    assert settlement.special
    assert [(payout.combination, payout.pay_yen) for payout in settlement.payouts] == [("000000", 70)]


def test_a_pool_that_was_not_sold_is_not_settled():
    small = replace(BOOK, scratched_before=frozenset({9, 10}))
    assert "bracket" not in settle(Market(small), PLAIN)
