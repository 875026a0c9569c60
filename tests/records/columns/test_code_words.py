"""Codes of a column: those of the code table, and those that nobody knows."""

import numpy as np
import pytest

from jvgate.records.columns.code_words import CodeReader, known_codes
from jvgate.records.columns.rows import Rows
from tests.specs import JRA


def field(record, key):
    return next(field for field in JRA.layouts.current(record).fields if field.key == key)


def read(of, *raws):
    data = np.frombuffer(b"".join(raws), np.uint8)
    return CodeReader(of, 0, known_codes(of, ())).read(Rows(data, 0, of.length, len(raws), of.length))


CODES = [
    ("SexCD", [b"1", b"3", b"9"], b"0"),
    ("KeiroCD", [b"01", b"11", b"9Z"], b"00"),
    ("ChakusaCD", [b" 12", b"H  ", b"?!~"], b"   "),
]


@pytest.mark.parametrize(("key", "codes", "unset"), CODES)
def test_known_and_new_codes_are_told_from_unset_and_broken_ones(key, codes, unset):
    of = field("SE", key)
    broken = b"\x1f" * of.length
    column = read(of, *codes, unset, broken, codes[2])
    words = [code.decode() for code in codes]
    assert column.array.to_pylist() == [*words, None if unset in of.unset else unset.decode(), None, words[2]]
    assert column.notes.bad.tolist() == [False] * 4 + [True, False]


def test_the_dictionary_is_the_code_table_as_long_as_that_will_do():
    of = field("SE", "SexCD")
    assert read(of, b"1", b"2").array.dictionary.to_pylist() == list(known_codes(of, ())) == ["1", "2", "3"]


def test_all_that_can_be_printed_fits_into_the_dictionary():
    of = field("SE", "KeiroCD")
    codes = [bytes([first, second]) for first in range(0x20, 0x7F) for second in range(0x20, 0x7F)]
    read_back = read(of, *codes).array.to_pylist()
    assert read_back == [None if code in of.unset else code.decode() for code in codes]
