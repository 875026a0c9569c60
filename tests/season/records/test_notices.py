"""`notices`: what is announced on a race day."""

from datetime import date, datetime, timedelta

import pytest

from jvgate.records.decode import decode
from jvgate.season.records.notices import WEIGHTS_BEFORE_POST, notices, weights
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
DAYS = [date(2026, 1, 3) + timedelta(days=7 * week + day) for week in range(0, 40, 2) for day in (0, 1)]


@pytest.fixture(scope="module")
def announced():
    return [notice for day in DAYS for notice in notices(WORLD, day)]


def test_all_five_kinds_are_announced_in_the_course_of_a_year(announced):
    kinds = {notice.key[:2] for notice in announced}
    assert {"WE", "AV", "JC", "TC"} <= kinds <= {"WE", "AV", "JC", "TC", "CC"}


def test_every_notice_has_a_key_of_its_own(announced):
    assert all(len(notice.key) == 28 for notice in announced)
    assert len({(notice.key, notice.records) for notice in announced}) == len(announced)


def test_all_records_decode_and_tell_when_they_were_announced(announced):
    for notice in announced:
        for raw in notice.records:
            record = decode(raw, JRA.layouts)
            assert "_errors" not in record
            assert record["HappyoTime"] == f"{notice.at:%m-%dT%H:%M}"


def test_the_first_weather_is_told_in_the_morning_and_changes_tell_what_was_before(announced):
    weather = [decode(raw, JRA.layouts) for notice in announced if notice.key[:2] == "WE" for raw in notice.records]
    assert all((record["HenkoID"] == "1") == record["HappyoTime"].endswith("06:00") for record in weather)
    changed = [record for record in weather if record["HenkoID"] == "2"]
    assert all(record["TenkoBaba_TenkoCD"] != record["TenkoBabaBefore_TenkoCD"] for record in changed)


def test_weights_come_before_the_race_and_not_earlier():
    race = WORLD.races(date(2026, 11, 22))[10]
    at = (race.post_before or race.post) - WEIGHTS_BEFORE_POST
    assert weights(WORLD, race, now=at - timedelta(seconds=1)) == []
    record = decode(weights(WORLD, race, now=at)[0], JRA.layouts)
    told = [slot["BaTaijyu"] for slot in record["BataijyuInfo"] if slot]
    assert told == [runner.weight_kg or None for runner in WORLD.field(race)]


def test_nothing_is_announced_on_a_day_without_racing():
    assert notices(WORLD, datetime(2026, 11, 18).date()) == []
