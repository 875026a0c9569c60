"""Headers: what begins a record at the start of a line, and what does anywhere."""

import pytest

from jvgate.records.headers import HEADER, ends_at, headers_of
from tests.raceday import record
from tests.specs import JRA

HEADERS = headers_of(JRA.layouts)
SE = record("SE")


@pytest.mark.parametrize("text", [b"SE720261116", b"ZZ120261116", b"RAA20240229", b"H1519860105"])
def test_a_header_is_a_type_a_mark_and_a_date_of_the_calendar(text):
    assert HEADER.match(text)


@pytest.mark.parametrize(
    "text", [b"E7202611160", b"SE720261332", b"SE720260230", b"SE702611160", b"se720261116", b"SE?20261116"]
)
def test_any_other_bytes_are_no_header(text):
    assert not HEADER.match(text)


def test_an_anchor_is_found_within_a_line():
    assert HEADERS.next_start(b"x" * 30 + SE + SE, 0, 1000, at_end=False) == 30


@pytest.mark.parametrize("broken", [SE[:300] + SE[301:], SE[:2] + b"C" + SE[3:], SE[:3] + b"20261345" + SE[11:]])
def test_a_header_without_its_record_is_no_anchor(broken):
    assert HEADERS.next_start(b"xx" + broken + SE, 0, 2000, at_end=False) == 2 + len(broken)


def test_at_the_start_of_a_line_any_header_will_do():
    assert HEADERS.next_start(b"junk\r\n\0 ZZ120261116 new", 0, 100, at_end=True) == 8


def test_nothing_starts_where_nothing_is():
    assert HEADERS.next_start(b"nothing\r\n" * 1000, 0, 5000, at_end=True) is None


@pytest.mark.parametrize(
    ("ending", "length"),
    [(b"\r\n", 2), (b"\n", 1), (b"\r\r\n", 3), (SE, 0), (b"\r" + SE, 1), (b"x\r\n", None), (b"", 0)],
)
def test_a_record_ends_with_a_line_end_the_next_header_or_the_data(ending, length):
    assert ends_at(SE[:-2] + ending, 0, 553, at_end=True) == length


def test_a_record_with_a_line_end_inside_does_not_end_there():
    assert ends_at(SE[:100] + b"\n" + SE[101:], 0, 553, at_end=True) is None


def test_the_tails_of_a_layout_are_the_places_of_shorter_records():
    layout = JRA.layouts.current("TC")
    assert HEADERS.tails(layout) == ((45 - 42, b"WE"),)
