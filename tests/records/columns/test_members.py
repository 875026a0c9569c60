"""Members of an object as columns: single fields with their marks, lists, slots, and what is not asked for."""

import pytest

from jvgate.records.columns.members import Members
from jvgate.records.encode import encode
from tests.raceday import record
from tests.records.fields import patched, rows
from tests.specs import JRA

CORNER = {"Corner": "2", "Syukaisu": "1", "Jyuni": "1,2"}


def read(*raws, tree):
    """The columns of *tree* in records of one layout, and which records have something wrong in them."""
    layout = JRA.layouts.current(raws[0][:2].decode())
    arrays, notes = Members(layout.fields, tree, until="").read(rows(*raws))
    for array in arrays:
        array.validate(full=True)
    return [array.to_pylist() for array in arrays], None if notes.bad is None else notes.bad.tolist()


def test_a_field_comes_with_its_mark_and_in_the_order_of_the_layout():
    raws = patched(record("SE", Umaban=5), 324, b"999"), patched(record("SE", Umaban=6), 324, b"480")
    columns, bad = read(*raws, tree={"BaTaijyu": {}, "Umaban": {}})
    assert columns == [[5, 6], [None, 480], ["not_weighed", None]]
    assert bad is None


def test_a_repeated_field_is_a_list_of_all_its_items():
    raws = record("RA", LapTime=[12.3, None, 11.0]), record("RA")
    (laps,), _ = read(*raws, tree={"LapTime": {}})
    assert laps == [[12.3, None, 11.0, *[None] * 22], [None] * 25]


def test_slots_that_name_themselves_are_left_out_when_unset():
    both = record("WH", BataijyuInfo=[{"Umaban": 1, "BaTaijyu": 480}, None, {"Umaban": 3, "BaTaijyu": 500}])
    (slots,), bad = read(record("WH"), both, tree={"BataijyuInfo": {"Umaban": {}, "BaTaijyu": {}}})
    assert [[(slot["Umaban"], slot["BaTaijyu"]) for slot in one] for one in slots] == [[], [(1, 480), (3, 500)]]
    assert bad is None


def test_slots_that_are_told_by_their_place_are_null_when_unset():
    (corners,), _ = read(record("RA", CornerInfo=[None, CORNER]), record("RA"), tree={"CornerInfo": {}})
    assert corners == [[None, CORNER, None, None], [None] * 4]


@pytest.mark.parametrize(
    ("kind", "at", "piece", "tree"),
    [
        ("RA", 890 + 3, b"1x3", {"LapTime": {}}),
        ("WH", 35 + 45, b"x1", {"BataijyuInfo": {}}),
        ("RA", 981 + 72, b"1\x7f", {"CornerInfo": {}}),
    ],
)
def test_damage_in_a_part_is_that_of_its_record(kind, at, piece, tree):
    whole = record(kind)
    _, bad = read(whole, patched(whole, at, piece), whole, tree=tree)
    assert bad == [False, True, False]


def test_what_is_not_asked_for_is_not_judged_but_inside_a_group_that_is_shown():
    raw = patched(record("WH", BataijyuInfo=[{"Umaban": 1, "BaTaijyu": 480}]), 35 + 38, b"4x0")
    assert read(raw, tree={"RaceNum": {}}) == ([[11]], None)
    assert read(raw, tree={"BataijyuInfo": {"Umaban": {}}})[1] == [True]


def test_a_blank_slot_is_not_judged():
    raw = patched(record("BN"), 355, b" " * 120)  # with blanks in place of money, which by itself is damage
    (slots,), bad = read(raw, tree={"HonRuikei": {}})
    assert slots == [[None, None]]
    assert not any(bad or ())


def test_the_race_day_of_special_values_is_the_caller_s():
    raw = encode({"RecordSpec": "O1", "OddsFukusyoInfo": [{"Umaban": 1, "OddsLow": 99.9}]}, JRA.layouts)
    tree = {"OddsFukusyoInfo": {"OddsLow": {}}}
    marks = []
    for until in ("", "20040813"):
        (slots,), _ = Members(JRA.layouts.current("O1").fields, tree, until=until).read(rows(raw))
        marks.append(slots.to_pylist()[0][0]["OddsLowMark"])
    assert marks == [None, "at_or_above_max"]
