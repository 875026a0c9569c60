"""The layouts tile their records and name their fields as answers do."""

import pytest

from jvgate.spec.layouts import Group, Layout
from tests.specs import JRA

ALL = list(JRA.layouts.all())


def tile(fields, size):
    """Every byte of 0..size belongs to exactly one field."""
    position = 0
    for field in fields:
        assert field.offset == position, field.path
        if isinstance(field, Group):
            tile(field.fields, field.length)
        position = field.end
    assert position == size


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
def test_layout_tiles_its_record(layout: Layout):
    tile(layout.fields, layout.length)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
def test_layout_starts_with_its_type_and_ends_with_cr_lf(layout: Layout):
    first, last = layout.fields[0], layout.fields[-1]
    assert (first.name, first.fixed, first.offset) == ("RecordSpec", layout.record.encode(), 0)
    assert (last.fixed, last.end) == (b"\r\n", layout.length)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.id)
def test_unset_and_special_values_have_the_width_of_their_field(layout: Layout):
    for field in layout.leaves():
        special = {raw for dated in field.special_dated for raw in dated.special} | set(field.special)
        assert {len(raw) for raw in special | field.unset} <= {field.length}, field.path
        assert not special & field.unset, field.path
        assert set(field.special.values()) <= set(field.slugs)


def test_there_are_38_record_types_and_7_older_layouts():
    older = {layout.id for layout in ALL if not layout.is_current}
    assert len(JRA.layouts.types) == 38
    assert older == {"BR@537", "BT@6887", "CK@6864", "HN@245", "HS@196", "SK@178", "UM@1577"}


def test_a_key_is_the_last_part_of_the_path_where_that_is_unique():
    keys = {field.path: field.key for field in JRA.layouts.current("WE").fields}
    assert keys["id.Year"] == "Year"
    assert keys["TenkoBabaBefore.TenkoCD"] == "TenkoBabaBefore_TenkoCD"


def test_keys_are_unique_in_every_object_and_leave_room_for_marks():
    def check(fields):
        keys = [field.key for field in fields]
        assert len(set(keys)) == len(keys)
        assert not {f"{key}Mark" for key in keys} & set(keys)
        for field in fields:
            if isinstance(field, Group):
                check(field.fields)

    for layout in ALL:
        check(layout.fields)


def test_combinations_fix_the_place_of_a_slot():
    group = next(field for field in JRA.layouts.current("O6").fields if isinstance(field, Group))
    assert len(group.placed) == group.repeat == 4896
    assert (group.placed[0], group.placed[1], group.placed[-1]) == ("010203", "010204", "181716")


def test_the_length_tells_the_generation():
    assert JRA.layouts.lengths("UM") == (1609, 1577)
    assert JRA.layouts.get("UM", 1577).id == "UM@1577"
    assert JRA.layouts.get("UM", 1600) is None
    assert JRA.layouts.generations("ZZ") == ()
