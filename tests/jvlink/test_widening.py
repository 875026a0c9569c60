"""Every way in which JVRead is known to widen a record leads back to its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.errors import SourceError
from jvgate.jvlink.widening import record_bytes

ANY = st.binary(min_size=1, max_size=200)
# What a record holds: text that cp932 can say, and the codes around it.
SHIFT_JIS = st.text(st.sampled_from("アイウ漢字ABC 012０１①髙﨑\r\n"), min_size=1).map(
    lambda text: text.encode("cp932")
)


def by_cp1252(record: bytes) -> str:
    return "".join(bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in record)


@given(ANY)
def test_widened_bytes_lead_back(record):
    assert record_bytes(record.decode("latin-1"), len(record)) == record


@given(ANY)
def test_bytes_read_as_cp1252_lead_back(record):
    assert record_bytes(by_cp1252(record), len(record)) == record


@given(SHIFT_JIS)
def test_text_leads_back(record):
    assert record_bytes(record.decode("cp932"), len(record)) == record


@pytest.mark.parametrize("text", ["アイ\ufffd", "ア\ufffd", "\ufffd"])
def test_lost_characters_fail(text):
    with pytest.raises(SourceError, match="lost"):
        record_bytes(text, 4)


@pytest.mark.parametrize(("text", "code"), [("アイ", 3), ("アイ", 5), ("abc", 4), ("한국", 4)])
def test_text_that_does_not_make_as_many_bytes_fails(text, code):
    with pytest.raises(SourceError, match="do not make them"):
        record_bytes(text, code)


def test_what_stands_behind_the_record_is_left_out():
    assert record_bytes("RA\r\n\0\0\0", 4) == b"RA\r\n"
    assert record_bytes("アイ\r\n\0", 6) == "アイ\r\n".encode("cp932")


@pytest.mark.parametrize("record", ["§\r\n", "±×÷\r\n"])
def test_signs_that_are_latin_1_too_come_back_as_they_were(record):
    raw = record.encode("cp932")
    assert record_bytes(record + "\0" * 5, len(raw)) == raw
    assert record_bytes(record, len(raw)) == raw


def test_what_stands_behind_the_record_must_be_nothing():
    with pytest.raises(SourceError, match="do not make them"):
        record_bytes("RA\r\nSE\r\n", 4)
