"""What does not fit is refused with the place; what fits stands in its place."""

import pytest

from jvgate.errors import RecordError
from jvgate.records.encode import encode
from tests.specs import JRA


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"RecordSpec": "XX"}, "no layout"),
        ({"RecordSpec": "SE", "Bameii": "x"}, "no such field"),
        ({"RecordSpec": "SE", "Bamei": "ア" * 19}, "38 bytes, the field has 36"),
        ({"RecordSpec": "SE", "Umaban": 100}, "3 bytes"),
        ({"RecordSpec": "SE", "Umaban": "7"}, "is no count"),
        ({"RecordSpec": "SE", "Futan": 54.55}, "more decimals"),
        ({"RecordSpec": "SE", "Time": 700.0}, "5 bytes"),
        ({"RecordSpec": "SE", "MakeDate": "2026-02-30"}, "day"),
        ({"RecordSpec": "RA", "LapTime": [12.0] * 26}, "at most 25"),
        ({"RecordSpec": "O6", "OddsSanrentanInfo": [{"Kumi": "010101"}]}, "no slot"),
        ({"RecordSpec": "O6", "OddsSanrentanInfo": b"short"}, "5 bytes"),
    ],
)
def test_what_does_not_fit_is_refused(values, why):
    with pytest.raises(RecordError, match=why) as caught:
        encode(values, JRA.layouts)
    assert caught.value.record.startswith(values["RecordSpec"])


def test_a_combination_stands_in_its_fixed_place():
    raw = encode({"RecordSpec": "O2", "OddsUmarenInfo": [{"Kumi": "0104", "Odds": 12.3, "Ninki": 7}]}, JRA.layouts)
    assert raw[40 + 2 * 13 : 40 + 3 * 13] == b"0104000123007"  # 0102, 0103, then 0104
    assert raw[40 : 40 + 2 * 13] == b" " * 26


def test_text_is_padded_by_its_width():
    raw = encode({"RecordSpec": "SE", "Bamei": "ABC"}, JRA.layouts)
    assert raw[40:76] == b"ABC" + b" " * 33
    raw = encode({"RecordSpec": "SE", "Bamei": "アイ"}, JRA.layouts)
    assert raw[40:76] == "アイ".encode("cp932") + b"\x81\x40" * 16


def test_the_winner_has_a_negative_difference_even_when_it_is_zero():
    assert encode({"RecordSpec": "SE", "TimeDiff": -0.0}, JRA.layouts)[531:535] == b"-000"
