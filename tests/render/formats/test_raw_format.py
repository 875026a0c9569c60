"""The records as they came."""

from tests.raceday import GARBAGE, race_day, record
from tests.render.asking import MIXED, STRIPPED, answer


def test_raw_is_the_very_bytes_of_the_records_in_order():
    assert answer(*MIXED, format="raw").body == b"".join(MIXED)
    assert answer(*race_day(), format="raw", record="SE", offset="1").body == b"".join(race_day()[2:4])


def test_raw_leaves_out_what_is_no_record_and_puts_nothing_back():
    assert answer(record("RA"), GARBAGE, STRIPPED, format="raw").body == record("RA") + STRIPPED
    assert answer(format="raw").body == b""
