"""`slips`: the big groups as bytes."""

import numpy as np

from jvgate.season.market.market import Book, Market
from jvgate.season.market.slips import digits, odds_group, votes_group

BOOK = Book(
    seed=3,
    weights=(50, 40, 30, 20, 10, 5, 5, 1),
    brackets=(1, 2, 3, 4, 5, 6, 7, 8),
    scratched_before=frozenset({5}),
    scratched_after=frozenset({6}),
)


def test_digits_are_zero_padded():
    assert digits(np.array([0, 7, 123456]), 7).tobytes() == b"000000000000070123456"


def test_slots_of_cancelled_horses_are_marked_and_those_of_nobody_blank():
    group = odds_group(Market(BOOK).board("win"))
    slots = [group[at : at + 8] for at in range(0, len(group), 8)]
    assert slots[4:6] == [b"05------", b"06******"]
    assert set(slots[8:]) == {b" " * 8}


def test_the_vote_of_a_horse_taken_out_late_stays_and_only_its_rank_is_marked():
    group = votes_group(Market(BOOK).board("win"))
    before, after = group[4 * 15 : 5 * 15], group[5 * 15 : 6 * 15]
    assert before == b"0500000000000--"
    assert after[2:13].isdigit()
    assert int(after[2:13]) > 0
    assert after.endswith(b"**")


def test_odds_above_the_ceiling_are_all_nines():
    longshot = Book(seed=3, weights=(100_000, 1, 1, 1, 1), brackets=(1, 2, 3, 4, 5), sales=900_000_0)
    group = odds_group(Market(longshot).board("win"))
    assert b"9999" in {group[at + 2 : at + 6] for at in range(0, 40, 8)}


def test_no_votes_are_zeros():
    empty = Book(seed=3, weights=(100_000, 1, 1, 1, 1), brackets=(1, 2, 3, 4, 5), sales=1_000)
    group = odds_group(Market(empty).board("trifecta"))
    assert b"0304050000000" in group
