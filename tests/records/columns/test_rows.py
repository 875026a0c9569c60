"""Objects in memory: their parts, a choice of them, and those that hold a pattern."""

import numpy as np
import pytest

from jvgate.records.columns.rows import Rows


def rows(*texts):
    length = len(texts[0])
    return Rows(np.frombuffer(b"".join(texts), np.uint8), 0, length, len(texts), length)


def contents(found):
    return [piece.tobytes() for piece in found.pieces(0, found.length)]


def test_parts_stand_one_behind_the_other():
    parts = rows(b"-aabb-", b"-ccdd-").parts(1, 2, 2)
    assert contents(parts) == [b"aa", b"bb", b"cc", b"dd"]
    assert contents(parts.parts(1, 1, 1)) == [b"a", b"b", b"c", b"d"]


def test_chosen_objects_keep_their_order():
    assert contents(rows(b"aaa", b"bbb", b"ccc").chosen(np.array([0, 2]))) == [b"aaa", b"ccc"]


@pytest.mark.parametrize("length", range(1, 30))
def test_a_pattern_is_told_from_one_that_differs_in_a_single_byte(length):
    pattern = bytes(range(65, 65 + length))
    others = [pattern[:at] + b"!" + pattern[at + 1 :] for at in range(length)]
    found = rows(*(b"12345678" + text for text in (*others, pattern))).equal(pattern, 8)
    assert np.flatnonzero(found).tolist() == [length]


def test_a_pattern_that_nothing_holds_is_found_nowhere():
    assert rows(b"12345678aa", b"12345678bb").equal(b"cc", 8) is None
    assert rows(b"12345678aa").chosen(np.array([], np.intp)).equal(b"aa") is None
