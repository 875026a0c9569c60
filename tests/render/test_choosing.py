"""The records that a selection shows, by type, place and condition."""

import pytest

from tests.raceday import race_day
from tests.render.asking import as_json


def kinds(answer):
    return [shown["RecordSpec"] for shown in answer["data"]]


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"record": "SE"}, ["SE", "SE", "SE"]),
        ({"record": "O1,RA"}, ["RA", "O1"]),
        ({"record": "WF"}, []),
        ({"limit": "2"}, ["RA", "SE"]),
        ({"limit": "0"}, []),
        ({"offset": "4"}, ["HR", "O1"]),
        ({"offset": "6"}, []),
        ({"offset": "1", "limit": "1"}, ["SE"]),
        ({"record": "SE,HR", "offset": "2", "limit": "9"}, ["SE", "HR"]),
    ],
)
def test_records_are_chosen_by_type_and_place(parameters, shown):
    answer = as_json(*race_day(), **parameters)
    assert kinds(answer) == shown
    assert answer["meta"]["returned"] == len(shown)


@pytest.mark.parametrize(("limit", "total"), [("0", 6), ("1", 6), ("100", 6)])
def test_the_total_counts_what_a_limit_hides(limit, total):
    assert as_json(*race_day(), limit=limit)["meta"]["total"] == total
