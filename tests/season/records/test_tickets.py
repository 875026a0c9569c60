"""`tickets`: the odds, votes and payout records of real races of the season."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from jvgate.records.decode import decode
from jvgate.season.market.market import win_odds
from jvgate.season.records import tickets
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)
RACES = WORLD.races(date(2026, 11, 22))
PAID = {
    "PayTansyo": ("O1", "OddsTansyoInfo", "Umaban"),
    "PayWakuren": ("O1", "OddsWakurenInfo", "Kumi"),
    "PayUmaren": ("O2", "OddsUmarenInfo", "Kumi"),
    "PayUmatan": ("O4", "OddsUmatanInfo", "Kumi"),
    "PaySanrenpuku": ("O5", "OddsSanrenInfo", "Kumi"),
    "PaySanrentan": ("O6", "OddsSanrentanInfo", "Kumi"),
}
RANGED = {"PayFukusyo": ("O1", "OddsFukusyoInfo", "Umaban"), "PayWide": ("O3", "OddsWideInfo", "Kumi")}


def _records(race):
    raws = tickets.odds(WORLD, race, kubun="5", made=MONDAY) + tickets.votes(WORLD, race, kubun="5", made=MONDAY)
    raws += tickets.payouts(WORLD, race, kubun="2", made=MONDAY)
    return {raw[:2].decode(): decode(raw, JRA.layouts) for raw in raws}


def _odds(records, source):
    record, group, name = source
    return {slot[name]: slot for slot in records[record][group]}


def _payouts(records, key):
    return [slot for slot in records["HR"][key] if slot and slot["Pay"]]


def _withdrawn_race():
    """Return a race in which a horse was taken out after sales began."""
    days = (date(2026, 11, 1) + timedelta(days=day) for day in range(30))
    races = (race for day in days for race in WORLD.races(day))
    return next(race for race in races if tickets.book_of(WORLD, race).scratched_after)


@pytest.mark.parametrize("race", RACES[::4], ids=lambda race: race.key)
def test_every_record_is_read_back_without_an_error(race):
    records = _records(race)
    assert list(records) == ["O1", "O2", "O3", "O4", "O5", "O6", "H1", "H6", "HR"]
    assert not any("_errors" in record for record in records.values())


@pytest.mark.parametrize("race", RACES[::4], ids=lambda race: race.key)
def test_payouts_are_the_odds_of_the_winners(race):
    records = _records(race)
    for key, source in PAID.items():
        for paid in _payouts(records, key):
            slot = _odds(records, source)[paid.get("Kumi", paid.get("Umaban"))]
            assert (paid["Pay"], paid["Ninki"]) == (round(slot["Odds"] * 100), slot["Ninki"])
    for key, source in RANGED.items():
        for paid in _payouts(records, key):
            slot = _odds(records, source)[paid.get("Kumi", paid.get("Umaban"))]
            assert slot["OddsLow"] * 100 <= paid["Pay"] + 0.01 <= slot["OddsHigh"] * 100 + 0.02


def test_the_winner_of_the_race_is_the_one_that_is_paid():
    for race in RACES[::4]:
        won = {each.runner.number for each in WORLD.result(race).finishes if each.place == 1}
        assert {slot["Umaban"] for slot in _payouts(_records(race), "PayTansyo")} == won


def test_totals_are_the_sums_of_the_votes_refunds_included():
    records = _records(_withdrawn_race())
    groups = ("HyoTansyo", "HyoFukusyo", "HyoWakuren", "HyoUmaren", "HyoWide", "HyoUmatan", "HyoSanrenpuku")
    sums = [sum(slot["Hyo"] for slot in records["H1"][group]) for group in groups]
    refunds = [
        sum(slot["Hyo"] for slot in records["H1"][group] if slot.get("NinkiMark") == "cancelled_after_sale")
        for group in groups
    ]
    assert records["H1"]["HyoTotal"] == sums + [refund or None for refund in refunds]
    assert refunds[0] > 0
    assert records["O1"]["TotalHyosuTansyo"] == sums[0]
    assert records["O6"]["TotalHyosuSanrentan"] == records["H6"]["HyoTotal"][0]


def test_a_horse_taken_out_is_marked_in_every_pool_and_refunded():
    race = _withdrawn_race()
    number = min(tickets.book_of(WORLD, race).scratched_after)
    records = _records(race)
    assert records["HR"]["HenkanUma"][number - 1] == records["H1"]["HenkanUma"][number - 1] == "1"
    assert records["HR"]["HenkanFlag"][0] == "1"
    assert _odds(records, PAID["PayTansyo"])[number]["OddsMark"] == "cancelled_after_sale"
    assert records["O1"]["SyussoTosu"] == sum(runner.starts for runner in WORLD.field(race))


def test_a_runner_s_own_odds_are_those_of_o1():
    race = RACES[10]
    odds, ranks = win_odds(tickets.book_of(WORLD, race))
    board = _odds(_records(race), PAID["PayTansyo"])
    running = [runner.number for runner in WORLD.field(race) if runner.starts]
    assert [odds[number - 1] / 10 for number in running] == [board[number]["Odds"] for number in running]
    assert [ranks[number - 1] for number in running] == [board[number]["Ninki"] for number in running]


def test_interim_odds_carry_their_time_and_final_ones_none():
    race = RACES[10]
    (interim,) = tickets.odds(WORLD, race, kubun="1", made=race.day, at=datetime(2026, 11, 22, 9, 30), specs=["O1"])
    (final,) = tickets.odds(WORLD, race, kubun="5", made=MONDAY, specs=["O1"])
    assert decode(interim, JRA.layouts)["HappyoTime"] == "11-22T09:30"
    assert decode(final, JRA.layouts)["HappyoTime"] is None
    assert decode(interim, JRA.layouts)["TotalHyosuTansyo"] < decode(final, JRA.layouts)["TotalHyosuTansyo"]


def test_odds_are_announced_more_and_more_often_until_the_start():
    times = tickets.odds_times(RACES[10])
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] > tickets.sales_open(RACES[10])
    assert times[-1] == RACES[10].post - timedelta(minutes=2)
    assert min(gaps) == timedelta(minutes=2) > timedelta(0)
