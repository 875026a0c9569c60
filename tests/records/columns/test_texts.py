"""Texts of a column: all that the record decoder reads, and refuses, however they come together."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.records.columns.texts import texts_of
from jvgate.records.kinds import loader
from tests.specs import JRA

PIECES = [b"\x81\x40", b"  ", b"\x81\x81", b"A", b"\x40", b"\xb1", b" ", b"\x82\xa0", b"\n", b"\x81", b"\xf0\x40"]
KANA = "テスト".encode("cp932")
load = loader(next(field for field in JRA.layouts.current("RA").fields if field.key == "Hondai"), {})


def read(values):
    """The texts, and the places of those that are refused."""
    texts, bad = texts_of(np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1))
    texts.validate(full=True)
    return texts.to_pylist(), set() if bad is None else set(np.flatnonzero(bad).tolist())


def assert_as_records(values):
    """A line feed within a text may be left to the record decoder."""
    texts, bad = read(values)
    for place, value in enumerate(values):
        try:
            expected = load(value)
        except ValueError:
            assert place in bad
        else:
            assert texts[place] == expected if place not in bad else b"\n" in value


def test_every_pair_of_bytes_is_read_as_the_codec_reads_it():
    assert_as_records([bytes([first, second]) for first in range(256) for second in range(256)])


@given(seed=st.integers(0, 2**32), length=st.sampled_from((4, 5, 6, 9, 12)), damaged=st.booleans())
def test_characters_and_padding_of_all_kinds_may_stand_together(seed, length, damaged):
    rng = random.Random(seed)
    pieces = PIECES if damaged else PIECES[:8]
    assert_as_records([b"".join(rng.choices(pieces, k=length))[:length] for _ in range(rng.randint(1, 40))])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (KANA + b"\x81\x40" * 3, "テスト"),
        (KANA + b" " * 6, "テスト"),
        (KANA + b"\x81\x40" + b" " * 4, "テスト"),
        (KANA[:2] + b"  " + KANA[2:] + b"\x81\x40" * 2, "テ  スト"),
        (b"\x81\x81@@\x81\x40\x81\x40\x81\x40\x81\x40", "＝@@"),
        (b"A\x81\x81@\x81\x40\x81\x40\x81\x40\x81\x40", "A＝@"),
        (b"Name" + b" " * 8, "Name"),
        (b"\x81\x40" * 6, None),
        (b" " * 12, None),
    ],
)
def test_padding_goes_and_characters_stay(value, text):
    """Read beside others, and so many of them that they are not read one by one."""
    others = [bytes([65 + n]) * 12 for n in range(20)] + [KANA * 2]
    assert read([value, *others]) == ([text, *(other.decode("cp932") for other in others)], set())


def test_no_texts_are_no_texts():
    assert len(texts_of(np.empty((0, 6), np.uint8))[0]) == 0
