"""`masters`: UM, KS, CH, BR, BN."""

from datetime import date

import pytest

from jvgate.records.decode import decode
from jvgate.season.records import masters
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)
HORSES = WORLD.horses_in(date(2026, 11, 22), date(2026, 11, 22))[::40]


def _sum(rows):
    return [sum(column) for column in zip(*(row["ChakuKaisu"] for row in rows), strict=True)]


@pytest.mark.parametrize("length", [1609, 1577])
def test_a_horse_s_splits_sum_to_its_total(length):
    for raw in masters.horses(WORLD, HORSES, made=MONDAY, length=length):
        record = decode(raw, JRA.layouts)
        assert "_errors" not in record
        assert record["ChakuSogo_ChakuKaisu"] == record["ChakuChuo_ChakuKaisu"] == _sum(record["ChakuKaisuBa"])
        assert record["ChakuChuo_ChakuKaisu"] == _sum(record["ChakuKaisuJyotai"])
        jumps = record["ChakuKaisuBa"][6]["ChakuKaisu"]
        assert [a + b for a, b in zip(_sum(record["ChakuKaisuKyori"]), jumps, strict=True)] == _sum(
            record["ChakuKaisuBa"]
        )
        assert record["RaceCount"] == sum(record["ChakuSogo_ChakuKaisu"])


def test_the_older_layout_has_the_narrow_numbers():
    (new,), (old,) = (masters.horses(WORLD, HORSES[:1], made=MONDAY, length=length) for length in (None, 1577))
    sire = HORSES[0].pedigree[0]
    assert (len(new), len(old)) == (1609, 1577)
    assert decode(new, JRA.layouts)["Ketto3Info"][0] == {"HansyokuNum": sire.number, "Bamei": sire.name.text}
    assert decode(old, JRA.layouts)["Ketto3Info"][0] == {"HansyokuNum": sire.old_number, "Bamei": sire.name.text}
    assert decode(old, JRA.layouts)["BreederCode"] == HORSES[0].breeder.old_code


@pytest.mark.parametrize("make", [masters.jockeys, masters.trainers])
def test_the_splits_of_people_sum_to_their_totals(make):
    for raw in make(WORLD, made=MONDAY)[::25]:
        record = decode(raw, JRA.layouts)
        assert "_errors" not in record
        for row in record["HonZenRuikei"]:
            flat, jump = row["ChakuKaisuHeichi_ChakuKaisu"], row["ChakuKaisuSyogai_ChakuKaisu"]
            assert flat == _sum(row["ChakuKaisuJyo"][0::2]) == _sum(row["ChakuKaisuKyori"])
            assert jump == _sum(row["ChakuKaisuJyo"][1::2])


def test_every_licensed_person_has_a_record():
    codes = [decode(raw, JRA.layouts)["KisyuCode"] for raw in masters.jockeys(WORLD, made=MONDAY)]
    assert codes == [jockey.code for jockey in WORLD.jockeys(MONDAY)]


def test_a_retired_horse_is_struck_off():
    horse = HORSES[0]
    (raw,) = masters.horses(WORLD, [horse], made=horse.retires)
    record = decode(raw, JRA.layouts)
    assert (record["DataKubun"], record["DelKubun"], record["DelDate"]) == ("9", "1", horse.retires.isoformat())


@pytest.mark.parametrize(("length", "width"), [(545, 8), (537, 6)])
def test_breeders_come_in_both_layouts(length, width):
    (raw,) = masters.breeders(WORLD, WORLD.breeders()[:1], made=MONDAY, length=length)
    assert len(raw) == length
    assert len(decode(raw, JRA.layouts)["BreederCode"]) == width


def test_an_owner_s_year_is_part_of_the_career():
    for raw in masters.owners(WORLD, WORLD.owners()[:5], made=MONDAY):
        year, career = decode(raw, JRA.layouts)["HonRuikei"]
        assert year["SetYear"] == 2026
        assert all(a <= b for a, b in zip(year["ChakuKaisu"], career["ChakuKaisu"], strict=True))
