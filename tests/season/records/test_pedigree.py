"""`pedigree`: HN, SK, BT, HS."""

from datetime import date

import pytest

from jvgate.records.decode import decode
from jvgate.season.records import masters, pedigree
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
MONDAY = date(2026, 11, 23)
HORSES = WORLD.horses_in(date(2026, 11, 22), date(2026, 11, 22))[::20]


@pytest.mark.parametrize(("new", "old"), [(1609, None), (1577, 178)])
def test_a_foal_s_ancestors_are_those_of_the_horse_master(new, old):
    for horse in HORSES[:5]:
        (master,), (foal,) = (
            masters.horses(WORLD, [horse], made=MONDAY, length=new),
            pedigree.foals(WORLD, [horse], made=MONDAY, length=old),
        )
        assert decode(foal, JRA.layouts)["HansyokuNum"] == [
            slot["HansyokuNum"] for slot in decode(master, JRA.layouts)["Ketto3Info"]
        ]


@pytest.mark.parametrize("length", [251, 245])
def test_breeding_horses_know_the_parents_that_the_foals_name(length):
    records = [decode(raw, JRA.layouts) for raw in pedigree.breeding_horses(WORLD, HORSES, made=MONDAY, length=length)]
    known = {record["HansyokuNum"]: record for record in records}
    assert not any("_errors" in record for record in records)
    for raw in pedigree.foals(WORLD, HORSES, made=MONDAY, length=178 if length == 245 else None):
        sire, dam, grandsire, granddam, *_ = decode(raw, JRA.layouts)["HansyokuNum"]
        assert (known[sire]["HansyokuFNum"], known[sire]["HansyokuMNum"]) == (grandsire, granddam)
        assert (known[sire]["SexCD"], known[dam]["SexCD"]) == ("1", "2")


def test_an_imported_horse_has_a_year_of_import():
    records = [decode(raw, JRA.layouts) for raw in pedigree.breeding_horses(WORLD, HORSES, made=MONDAY)]
    assert {record["HansyokuMochiKubun"] for record in records} == {"0", "3"}
    assert all((record["ImportYear"] is not None) == (record["HansyokuMochiKubun"] == "3") for record in records)


@pytest.mark.parametrize("length", [6889, 6887])
def test_every_branch_has_its_trunk(length):
    records = [decode(raw, JRA.layouts) for raw in pedigree.lineages(WORLD, made=MONDAY, length=length)]
    ids = {record["KeitoId"] for record in records}
    assert len(ids) == len({record["HansyokuNum"] for record in records}) == pedigree.LINES
    assert all(each[:-2] in ids for each in ids if len(each) > 2)
    assert all(len(record["KeitoEx"]) > 100 for record in records)


def test_only_sold_horses_have_a_sale():
    records = [decode(raw, JRA.layouts) for raw in pedigree.sales(WORLD, HORSES, made=MONDAY)]
    sold = {horse.number: horse for horse in HORSES if horse.sale_price_yen}
    assert [record["KettoNum"] for record in records] == list(sold)
    assert all(record["Price"] == sold[record["KettoNum"]].sale_price_yen for record in records)
    assert all(int(record["FromDate"][:4]) - record["BirthYear"] == record["Barei"] for record in records)


def test_a_sale_that_is_still_to_come_is_not_told():
    sold = [horse for horse in HORSES if horse.sale_price_yen]
    assert pedigree.sales(WORLD, sold, made=date(2015, 1, 1)) == []
