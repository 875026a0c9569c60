"""`training`: HC and WC."""

from datetime import date, timedelta

import pytest

from jvgate.records.decode import decode
from jvgate.season.records.training import slope_works, wood_works
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
WEDNESDAY = date(2026, 11, 18)
WEEK = [WEDNESDAY + timedelta(days=offset) for offset in range(7)]


def _records(make, days=(WEDNESDAY,)):
    return [decode(raw, JRA.layouts) for day in days for raw in make(WORLD, day)]


def _tenths(value):
    return round(10 * value)


@pytest.mark.parametrize(("make", "furlongs"), [(slope_works, 4), (wood_works, 10)])
def test_times_are_the_sums_of_their_laps(make, furlongs):
    for record in _records(make):
        assert "_errors" not in record
        total = _tenths(record["LapTime1"])
        for furlong in range(2, furlongs + 1):
            lap, so_far = record[f"LapTime{furlong}"], record[f"HaronTime{furlong}"]
            if lap is None or f"LapTime{furlong}Mark" in record:
                break
            total += _tenths(lap)
            assert _tenths(so_far) == total


def test_horses_that_run_at_the_weekend_work_on_wednesday():
    entered = {horse.number for horse in WORLD.horses_in(date(2026, 11, 21), date(2026, 11, 23))}
    worked = {record["KettoNum"] for record in _records(slope_works) + _records(wood_works)}
    assert worked <= entered
    assert len(worked) > len(entered) // 3


def test_a_horse_works_at_the_centre_of_its_trainer():
    for record in _records(slope_works):
        trainer = WORLD.trainer_of(WORLD.horse(record["KettoNum"]), WEDNESDAY)
        assert record["TresenKubun"] == {"1": "0", "2": "1"}[trainer.home]


def test_nobody_works_on_monday():
    monday = date(2026, 11, 23)
    assert slope_works(WORLD, monday) == wood_works(WORLD, monday) == []


def test_the_best_lap_of_a_slope_work_is_believable():
    laps = [record["LapTime1"] for record in _records(slope_works)]
    assert 11.0 < min(laps) < max(laps) < 15.0


def test_missed_and_walked_furlongs_are_marked():
    slopes, woods = (
        _records(slope_works, WEEK),
        _records(wood_works, [d - timedelta(weeks=w) for d in WEEK for w in range(3)]),
    )
    assert any(record.get("HaronTime4Mark") == "not_measured" for record in slopes)
    marks = {record.get(f"LapTime{furlong}Mark") for record in woods for furlong in range(5, 11)}
    assert marks == {None, "not_measured", "at_or_above_max"}
