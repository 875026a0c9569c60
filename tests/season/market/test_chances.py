"""`chances`: what each combination attracts."""

import numpy as np
import pytest

from jvgate.season.market.chances import chances
from jvgate.season.market.pools import slot_names

WEIGHTS = (50, 30, 20, 10, 10, 10, 10, 10, *[0] * 10)
BRACKETS = (1, 2, 3, 4, 5, 6, 7, 8)
CERTAIN = 2**34
WINNERS = {"win": 1, "place": 3, "bracket": 1, "quinella": 1, "wide": 3, "exacta": 1, "trio": 1, "trifecta": 1}


@pytest.mark.parametrize("pool", WINNERS)
def test_the_chances_of_a_pool_add_up_to_its_winning_combinations(pool):
    total = int(chances(pool, WEIGHTS, brackets=BRACKETS, places=3).sum())
    assert total / CERTAIN == pytest.approx(WINNERS[pool], rel=1e-3)


def test_a_pair_is_both_orders_of_it():
    exacta, quinella = (chances(pool, WEIGHTS, brackets=BRACKETS, places=3) for pool in ("exacta", "quinella"))
    names = slot_names("exacta")
    assert quinella[slot_names("quinella")["0103"]] == exacta[names["0103"]] + exacta[names["0301"]]


def test_a_trio_is_all_six_orders_of_it():
    trio, trifecta = (chances(pool, WEIGHTS, brackets=BRACKETS, places=3) for pool in ("trio", "trifecta"))
    orders = ("010203", "010302", "020103", "020301", "030102", "030201")
    assert trio[slot_names("trio")["010203"]] == sum(int(trifecta[slot_names("trifecta")[order]]) for order in orders)


def test_a_horse_that_does_not_run_attracts_nothing():
    trifecta = chances("trifecta", WEIGHTS, brackets=BRACKETS, places=3)
    with_ninth = [slot for name, slot in slot_names("trifecta").items() if "09" in (name[:2], name[2:4], name[4:])]
    assert not trifecta[with_ninth].any()


def test_the_better_horse_is_backed_more():
    win = chances("win", WEIGHTS, brackets=BRACKETS, places=3)[:8]
    assert np.all(np.diff(win) <= 0)
