"""Days and times of Japan, to and from seconds since the epoch."""

from datetime import UTC, datetime

import pytest

from jvgate.spec.jst import day_at, epoch_of, moment_at

NOON = datetime(2026, 11, 15, 3, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "offset_s"), [("20261115120000", 0), ("20261115", -12 * 3600), ("202611151201", 60), ("2026111513", 3600)]
)
def test_a_japanese_time_is_nine_hours_ahead(text, offset_s):
    assert epoch_of(text) == NOON + offset_s


@pytest.mark.parametrize(
    "text", ["", "2026", "20261301", "20260230", "99999999", "2026111a", "２０２６１１１５", "20261115250000"]
)
def test_what_is_no_time_is_none(text):
    assert epoch_of(text) is None


def test_a_moment_has_its_japanese_day():
    assert day_at(NOON) == "20261115"
    assert day_at(NOON + 12 * 3600) == "20261116"
    assert moment_at(NOON).hour == 12
