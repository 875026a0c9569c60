"""`deliveries`: the calendar, which file when and until when."""

from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from jvgate.season.calendar.deliveries import CALENDAR, OLD_LENGTHS, SUCCESSORS, deliveries
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
RACE_DAY, SINCE = "20261122", datetime(2026, 11, 10)


def _of_the_day(now, record="SE", dataspec="RACE"):
    files = deliveries(WORLD, dataspec, since=SINCE, now=now)
    return [(file.provided, file.job.stage) for file in files if file.record == record and file.name[4:12] == RACE_DAY]


@pytest.mark.parametrize(
    ("now", "files"),
    [
        (datetime(2026, 11, 19, 16, 29), []),
        (datetime(2026, 11, 19, 16, 30), [("20261119163000", "1")]),
        (datetime(2026, 11, 19, 20, 0), [("20261119200000", "1")]),
        (datetime(2026, 11, 21, 11, 59), [("20261119200000", "1")]),
        (datetime(2026, 11, 21, 12, 0), [("20261121120000", "2")]),
        (datetime(2026, 11, 23, 13, 59), [("20261121120000", "2")]),
        (datetime(2026, 11, 23, 14, 0), [("20261123140000", "7")]),
        (datetime(2026, 12, 20), [("20261123140000", "7")]),
    ],
)
def test_a_later_delivery_replaces_the_earlier_one(now, files):
    assert _of_the_day(now) == files


def test_results_come_on_monday_at_two():
    assert _of_the_day(datetime(2026, 11, 24), "O6") == [("20261123140000", "5")]
    assert _of_the_day(datetime(2026, 11, 24), "WF") == [("20261123140000", "7")]


def test_files_are_sorted_and_have_names_of_their_own():
    for dataspec in CALENDAR:
        files = deliveries(WORLD, dataspec, since=datetime(2026, 1, 1), now=datetime(2026, 11, 24))
        assert [file.provided for file in files] == sorted(file.provided for file in files)
        assert len({file.name for file in files}) == len(files)
        assert all(file.name.endswith(file.provided + ".jvd") and file.name[:2] == file.record for file in files)


def test_an_old_data_spec_delivers_the_old_layouts_at_the_same_times():
    for old, new in SUCCESSORS.items():
        span = {"since": datetime(2026, 11, 1), "now": datetime(2026, 11, 24)}
        narrow, wide = deliveries(WORLD, old, **span), deliveries(WORLD, new, **span)
        assert [file.provided for file in narrow] == [file.provided for file in wide]
        assert all(file.job.length == OLD_LENGTHS.get(file.record) for file in narrow)


def test_passing_predecessors_are_gone_once_the_next_ones_are_there():
    for moment in range(0, 24 * 14, 7):
        now = datetime(2026, 11, 10) + timedelta(hours=moment)
        for dataspec in ("TCVN", "RCVN"):
            files = deliveries(WORLD, dataspec, since=SINCE - timedelta(days=20), now=now)
            assert len({file.provided for file in files}) == 1


def test_every_delivery_is_on_a_day_and_time_of_the_calendar():
    times = defaultdict(set)
    for dataspec in CALENDAR:
        for file in deliveries(WORLD, dataspec, since=datetime(2025, 12, 1), now=datetime(2026, 11, 24)):
            at = datetime.strptime(file.provided, "%Y%m%d%H%M%S")
            times[dataspec].add(f"{at:%a %H:%M}")
    assert times["RACE"] <= {"Thu 16:30", "Thu 20:00", "Fri 12:00", "Sat 12:00", "Mon 14:00"}
    assert times["TOKU"] <= {"Sun 18:30", "Mon 18:30"}
    assert times["DIFN"] == times["SNPN"] == {"Thu 20:00", "Mon 14:00"}
    assert not any(time.startswith("Mon") for time in times["SLOP"] | times["WOOD"])
