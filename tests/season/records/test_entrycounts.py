"""`entrycounts`: CK."""

from datetime import date

import pytest

from jvgate.records.decode import decode
from jvgate.season.records import masters
from jvgate.season.records.entrycounts import entry_counts
from jvgate.season.world.world import world_of
from tests.specs import JRA

pytestmark = pytest.mark.xdist_group("a year")  # of results, made once in the process that has them all

WORLD = world_of(1, JRA.layouts)
THURSDAY = date(2026, 11, 19)
RACE = WORLD.races(date(2026, 11, 21))[10]


def _sum(rows):
    return [sum(column) for column in zip(*(row["ChakuKaisu"] for row in rows), strict=True)]


@pytest.mark.parametrize("length", [6870, 6864])
def test_every_runner_has_its_counts(length):
    raws = entry_counts(WORLD, RACE, made=THURSDAY, length=length)
    assert {len(raw) for raw in raws} == {length}
    assert [decode(raw, JRA.layouts)["KettoNum"] for raw in raws] == [
        runner.horse.number for runner in WORLD.field(RACE)
    ]


def test_courses_and_distances_sum_to_the_total():
    for raw in entry_counts(WORLD, RACE, made=THURSDAY):
        record = decode(raw, JRA.layouts)
        assert "_errors" not in record
        courses = record["ChakuKaisuJyoSiba"] + record["ChakuKaisuJyoDirt"] + record["ChakuKaisuJyoSyogai"]
        assert record["ChakuSogo_ChakuKaisu"] == _sum(courses)
        assert _sum(record["ChakuKaisuJyoSiba"]) == _sum(record["ChakuKaisuSibaKyori"])
        row = record["KisyuChaku_HonRuikei"][1]
        assert row["ChakuKaisuSiba_ChakuKaisu"] == _sum(row["ChakuKaisuSibaKyori"]) == _sum(row["ChakuKaisuJyoSiba"])


def test_the_counts_are_those_of_the_masters_of_that_day():
    runner, raw = WORLD.field(RACE)[0], entry_counts(WORLD, RACE, made=THURSDAY)[0]
    (master,) = masters.horses(WORLD, [runner.horse], made=THURSDAY)
    for key in ("ChakuSogo_ChakuKaisu", "RuikeiHonsyoHeiti", "Kyakusitu", "ChakuKaisuBa"):
        assert decode(raw, JRA.layouts)[key] == decode(master, JRA.layouts)[key]


def test_monday_brings_only_those_whose_rider_changed():
    races = WORLD.races(date(2026, 11, 21)) + WORLD.races(date(2026, 11, 22))
    changed = [runner for race in races for runner in WORLD.field(race) if runner.jockey_before]
    made = date(2026, 11, 23)
    raws = [raw for race in races for raw in entry_counts(WORLD, race, kubun="2", made=made, changed_only=True)]
    assert [decode(raw, JRA.layouts)["KisyuCode"] for raw in raws] == [runner.jockey.code for runner in changed]
