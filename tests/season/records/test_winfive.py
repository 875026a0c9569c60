"""`winfive`: WF."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from jvgate.records.decode import decode
from jvgate.season.records import winfive
from jvgate.season.records.winfive import LEGS, Outcome, win_five, win_five_races
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
SUNDAY = date(2026, 11, 22)
SUNDAYS = [SUNDAY - timedelta(weeks=back) for back in range(25)]


def _record(sunday=SUNDAY, kubun="7", **more):
    (raw,) = win_five(WORLD, sunday, kubun=kubun, made=sunday + timedelta(days=1), **more)
    return decode(raw, JRA.layouts)


def test_the_ticket_that_pays_names_the_winners():
    for sunday in SUNDAYS[:6]:
        winners = ["".join(f"{each.runner.number:02d}" for each in WORLD.result(race).finishes if each.place == 1)
                   for race in win_five_races(WORLD, sunday)]  # fmt: skip
        if all(len(winner) == 2 for winner in winners):
            assert [slot["Kumiban"] for slot in _record(sunday)["WFPayInfo"]] == ["".join(winners)]


def test_votes_left_shrink_to_the_winning_ones():
    record = _record()
    alive = [slot["Yuko_Hyo"] for slot in record["WFYukoHyoInfo"]]
    assert record["Hatsubai_Hyo"] > alive[0]
    assert alive == sorted(alive, reverse=True)
    assert alive[-1] == sum(slot["Tekichu_Hyo"] for slot in record["WFPayInfo"])


@pytest.mark.parametrize("sunday", SUNDAYS[:8], ids=str)
def test_what_is_paid_and_carried_over_is_what_there_was(sunday):
    record = _record(sunday)
    pool = record["Hatsubai_Hyo"] * 70 + record["COShoki"]
    paid = sum(slot["Pay"] * slot["Tekichu_Hyo"] for slot in record["WFPayInfo"])
    rounding = 10 * sum(slot["Tekichu_Hyo"] + 1 for slot in record["WFPayInfo"])
    assert pool - rounding <= paid + record["COZanDaka"] <= pool
    assert all(slot["Pay"] <= 600_000_000 for slot in record["WFPayInfo"])


def test_what_one_sunday_leaves_the_next_one_begins_with():
    records = [_record(sunday) for sunday in SUNDAYS]
    for later, earlier in pairwise(records):
        assert later["COShoki"] == earlier["COZanDaka"]


def test_a_sunday_without_a_winner_says_so_and_carries_everything_over(monkeypatch):
    lost = Outcome(sold=1_000_000, alive=(900, 80, 7, 1, 0), hits={"0102030405": 0})
    monkeypatch.setattr(winfive, "_outcome", lambda world, sunday: lost)
    monkeypatch.setattr(winfive, "_carried", lambda world, sunday: 5_000)
    record = _record()
    (slot,) = record["WFPayInfo"]
    assert (slot["Kumiban"], slot["Pay"], slot["PayMark"]) == ("0102030405", 0, "no_winner")
    assert slot["Tekichu_HyoMark"] == "no_winner_or_pool_cancelled"
    assert (record["TekichunashiFlag"], record["COZanDaka"]) == ("1", 70_000_000 + 5_000)


def test_what_is_above_the_ceiling_of_a_payout_is_carried_over():
    alone = Outcome(sold=10_000_000, alive=(9, 7, 5, 3, 1), hits={"0102030405": 1})
    assert alone.pays(0) == {"0102030405": 600_000_000}
    assert alone.left_yen(0) == 100_000_000


def test_before_the_first_leg_only_the_races_are_known():
    record = _record(kubun="1")
    assert len(record["WFRaceInfo"]) == LEGS
    assert [record["Hatsubai_Hyo"], record["COZanDaka"], record["WFPayInfo"]] == [None, None, []]
    after_one = _record(kubun="2", legs=1)
    assert [slot and slot["Yuko_Hyo"] for slot in after_one["WFYukoHyoInfo"]][1:] == [None] * 4


def test_there_is_no_win_five_without_racing():
    assert win_five(WORLD, date(2026, 11, 25), kubun="1", made=SUNDAY) == []
