"""`abroad`: races away from the season's courses."""

from datetime import date, timedelta

from jvgate.records.decode import decode
from jvgate.season.records import abroad
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
SATURDAYS = [
    saturday for saturday in (date(2026, 1, 3) + timedelta(days=7 * n) for n in range(40)) if abroad.is_week(saturday)
]


def _records(saturday):
    made = saturday + timedelta(days=2)
    raws = abroad.races(WORLD, saturday, made=made) + abroad.runners(WORLD, saturday, made=made)
    return [decode(raw, JRA.layouts) for raw in raws]


def test_there_are_local_and_overseas_races():
    assert {_records(saturday)[0]["DataKubun"] for saturday in SATURDAYS} == {"A", "B"}


def test_race_and_runners_share_their_key():
    for saturday in SATURDAYS:
        records = _records(saturday)
        assert len(records) >= 2
        assert len({(each["Year"], each["MonthDay"], each["JyoCD"], each["RaceNum"]) for each in records}) == 1
        assert all("_errors" not in record for record in records)


def test_the_travellers_are_horses_of_the_season():
    for saturday in SATURDAYS:
        assert all(WORLD.horse(record["KettoNum"]) for record in _records(saturday)[1:])
