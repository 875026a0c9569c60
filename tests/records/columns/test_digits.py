"""Digits by arithmetic: every width a field can have, and what is no digit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.records.columns.digits import read_digits, same_digits
from jvgate.records.columns.rows import WORD_BYTES, Rows


def rows(*texts):
    """Objects that hold one of *texts* each, with a byte before and one behind it."""
    width = len(texts[0])
    data = bytes(WORD_BYTES) + b"".join(b"\xff" + text + b"\x00" for text in texts)
    return Rows(np.frombuffer(data, np.uint8), WORD_BYTES, width + 2, len(texts), width + 2), width


def digits(*texts):
    found, width = rows(*texts)
    return read_digits(found, width + 1, width)


@pytest.mark.parametrize("width", range(1, 17))
def test_digits_are_a_number(width):
    texts = [b"1234567890123456"[:width], b"9" * width, b"0" * width]
    assert digits(*texts).numbers().tolist() == [int(text) for text in texts]
    assert digits(*texts).odd is None


@pytest.mark.parametrize("width", range(1, 17))
@pytest.mark.parametrize("byte", [b" ", b"-", b"*", b"/", b":", b"A", b"\x00", b"\x7f", b"\x80", b"\xff"])
def test_a_byte_that_is_no_digit_is_found_at_every_place(width, byte):
    texts = [(b"9" * place + byte).ljust(width, b"9") for place in range(width)]
    found = digits(b"9" * width, *texts)
    assert found.odd.tolist() == [False] + [True] * width
    assert found.numbers().tolist() == [int(b"9" * width)] + [0] * width


@given(st.integers(1, 16).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=20)))
def test_any_bytes_are_digits_or_not(texts):
    found = digits(*texts)
    odd = [False] * len(texts) if found.odd is None else found.odd.tolist()
    assert odd == [not text.isdigit() for text in texts]


@pytest.mark.parametrize("text", [b"7", b"--", b"  9", b"****", b"00000", b"12345678", b"1234567890"])
def test_a_value_is_found_by_its_characters(text):
    others = [bytes(reversed(b"x" + text[1:])), b"5" * len(text)]
    assert digits(text, *others).same(same_digits(text)).tolist() == [True, *(other == text for other in others)]
