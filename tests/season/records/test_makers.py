"""`makers`: what is in the files of every data spec."""

from datetime import datetime

import pytest

from jvgate.records.decode import decode
from jvgate.season.calendar.deliveries import CALENDAR, OLD_LENGTHS, SUCCESSORS, deliveries
from jvgate.season.world.world import world_of
from tests.specs import JRA

pytestmark = pytest.mark.xdist_group("a year")  # of results, made once in the process that has them all

WORLD = world_of(1, JRA.layouts)
BRINGS = {
    "RACE": "RA SE HR H1 H6 O1 O2 O3 O4 O5 O6 WF JG", "TOKU": "TK", "DIFN": "UM KS CH BR BN RC RA SE",
    "BLDN": "HN SK BT", "SNPN": "CK", "SLOP": "HC", "WOOD": "WC", "YSCH": "YS", "HOSN": "HS", "HOYU": "HY",
    "COMM": "CS", "MING": "DM TM", "TCVN": "UM CH BR BN RC RA SE", "RCVN": "UM KS CH BR BN RC RA SE",
}  # fmt: skip
CHEAP = sorted(set(CALENDAR) - {"DIFN", "TCVN", "RCVN"})


def _newest(dataspec):
    """Return the newest file of every record type and stage."""
    files = deliveries(WORLD, dataspec, since=datetime(2025, 12, 1), now=datetime(2026, 11, 24))
    return {(file.record, file.job.stage): file for file in files}


@pytest.mark.parametrize("dataspec", sorted(CALENDAR))
def test_every_data_spec_brings_its_record_types(dataspec):
    assert {record for record, _ in _newest(dataspec)} == set(BRINGS[dataspec].split())


@pytest.mark.parametrize("dataspec", CHEAP)
def test_every_file_holds_records_of_its_type_that_decode_without_a_flaw(dataspec):
    for (record, _), file in _newest(dataspec).items():
        raws = list(file.read())
        assert raws
        assert all(raw[:2].decode() == record and raw.endswith(b"\r\n") for raw in raws)
        assert "_errors" not in decode(raws[0], JRA.layouts)
        assert "_errors" not in decode(raws[-1], JRA.layouts)


@pytest.mark.parametrize("dataspec", ["BLOD", "SNAP", "HOSE"])
def test_old_data_specs_bring_the_old_lengths(dataspec):
    for (record, _), file in _newest(dataspec).items():
        assert {len(raw) for raw in file.read()} == {OLD_LENGTHS[record]}


def test_new_horses_come_in_both_lengths():
    for dataspec, length in (("DIFN", 1609), ("DIFF", 1577)):
        assert {len(raw) for raw in _newest(dataspec)["UM", "new"].read()} == {length}
        assert dataspec in SUCCESSORS or dataspec in CALENDAR


def test_sizes_are_fair_guesses():
    for file in _newest("RACE").values():
        if file.record != "JG":
            assert 0.7 < file.size / sum(map(len, file.read())) < 1.4
