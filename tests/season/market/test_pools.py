"""`pools`: which combination stands in which slot."""

import pytest

from jvgate.season.market.pools import POOLS, combinations, slot_names
from tests.specs import JRA

GROUPS = {
    "win": ("O1", "OddsTansyoInfo"),
    "place": ("O1", "OddsFukusyoInfo"),
    "bracket": ("O1", "OddsWakurenInfo"),
    "quinella": ("O2", "OddsUmarenInfo"),
    "wide": ("O3", "OddsWideInfo"),
    "exacta": ("O4", "OddsUmatanInfo"),
    "trio": ("O5", "OddsSanrenInfo"),
    "trifecta": ("O6", "OddsSanrentanInfo"),
}


@pytest.mark.parametrize("pool", POOLS)
def test_slots_are_those_of_the_record(pool):
    record, key = GROUPS[pool]
    group = next(field for field in JRA.layouts.current(record).fields if field.key == key)
    assert len(combinations(pool)) == group.repeat
    assert list(slot_names(pool)) == list(group.placed)


@pytest.mark.parametrize("pool", POOLS)
def test_slots_ascend_with_their_number_string(pool):
    assert list(slot_names(pool)) == sorted(slot_names(pool))


def test_a_race_s_money_goes_to_the_pools_without_rest():
    assert sum(pool.sales for pool in POOLS.values()) == 1000
