"""Arrow arrays of numpy arrays, and the notes beside them."""

import numpy as np
import pyarrow as pa
import pytest

from jvgate.records.columns.arrays import (
    Notes,
    dictionary_array,
    even_offsets,
    list_array,
    plain_array,
    string_array,
    struct_array,
)

SECOND_OF_THREE = np.array([False, True, False])


def checked(array):
    array.validate(full=True)
    return array.to_pylist()


def test_numbers_are_null_where_there_is_none():
    numbers = np.array([1, 2, 3], np.int16)
    assert checked(plain_array(pa.int16(), numbers)) == [1, 2, 3]
    assert checked(plain_array(pa.int16(), numbers, SECOND_OF_THREE)) == [1, None, 3]


def test_nulls_of_more_than_a_byte_of_flags_stand_in_their_places():
    nulls = np.zeros(11, np.bool_)
    nulls[[0, 8]] = True
    shown = checked(plain_array(pa.int32(), np.arange(11, dtype=np.int32), nulls))
    assert shown == [None, 1, 2, 3, 4, 5, 6, 7, None, 9, 10]


def test_words_stand_at_their_places_of_the_dictionary():
    kind = pa.dictionary(pa.int8(), pa.string())
    array = dictionary_array(kind, np.array([1, 0, 1], np.int8), pa.array(["a", "b"]), SECOND_OF_THREE)
    assert checked(array) == ["b", None, "b"]


def test_strings_reach_from_their_offset_to_the_next():
    array = string_array(b"abcde", np.array([0, 2, 2, 5], np.int32), SECOND_OF_THREE)
    assert checked(array) == ["ab", None, "cde"]


def test_lists_hold_the_items_between_their_offsets():
    items = plain_array(pa.int16(), np.array([1, 2, 3], np.int16))
    assert checked(list_array(pa.list_(pa.int16()), np.array([0, 1, 1, 3], np.int32), items)) == [[1], [], [2, 3]]


def test_an_object_is_null_as_a_whole():
    kind = pa.struct([("a", pa.int16())])
    members = [plain_array(pa.int16(), np.array([1, 2, 3], np.int16))]
    assert checked(struct_array(kind, members, 3, SECOND_OF_THREE)) == [{"a": 1}, None, {"a": 3}]


@pytest.mark.parametrize(("count", "step", "offsets"), [(3, 2, [0, 2, 4, 6]), (0, 2, [0]), (2, 0, [0, 0, 0])])
def test_pieces_of_one_size_have_even_offsets(count, step, offsets):
    assert even_offsets(count, step).tolist() == offsets


def test_notes_are_told_by_flags_and_by_places_alike():
    notes = Notes(3)
    notes.unset(SECOND_OF_THREE)
    notes.unset(np.array([2]))
    assert notes.nulls.tolist() == [False, True, True]
    assert SECOND_OF_THREE.tolist() == [False, True, False]  # the caller's own
    assert notes.bad is None


def test_what_breaks_its_kind_has_no_value():
    notes = Notes(3)
    notes.spoil(np.array([0]))
    assert (notes.bad.tolist(), notes.nulls.tolist()) == ([True, False, False],) * 2


def test_nothing_is_said_where_there_is_neither_a_value_nor_a_mark():
    notes = Notes(3)
    assert notes.empty is None
    notes.unset(np.array([0, 1]))
    assert notes.empty.tolist() == [True, True, False]
    notes.mark(np.array([1]), 2)
    assert notes.empty.tolist() == [True, False, False]
    assert (notes.marked.tolist(), notes.marks.tolist()) == ([False, True, False], [0, 2, 0])
