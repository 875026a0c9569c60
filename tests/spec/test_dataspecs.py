"""Data specs: how each is asked for and what it delivers, and what is assumed of one that no file describes."""

import pytest

from jvgate.spec.dataspecs import unknown_dataspec
from tests.specs import JRA


def test_every_data_spec_delivers_known_record_types():
    assert len(JRA.dataspecs) == 38
    for dataspec in JRA.dataspecs.values():
        assert set(dataspec.record_types) <= set(JRA.layouts.types)
        assert bool(dataspec.options) != bool(dataspec.key_forms) == dataspec.is_realtime


def test_every_record_type_is_delivered_by_some_data_spec():
    delivered = {record for dataspec in JRA.dataspecs.values() for record in dataspec.record_types}
    assert delivered == set(JRA.layouts.types)


def test_older_data_specs_name_their_successor():
    successors = {spec.id: spec.replaced_by for spec in JRA.dataspecs.values() if spec.replaced_by}
    assert successors == {
        "DIFF": "DIFN", "BLOD": "BLDN", "SNAP": "SNPN", "HOSE": "HOSN", "TCOV": "TCVN", "RCOV": "RCVN",
    }  # fmt: skip


def test_stored_ones_come_first_and_some_take_no_end():
    order = [spec.is_realtime for spec in JRA.dataspecs.values()]
    assert order == sorted(order)
    assert (JRA.dataspecs["RACE"].end_allowed, JRA.dataspecs["TOKU"].end_allowed) == (True, False)


@pytest.mark.parametrize(("name", "is_realtime"), [("0BXX", True), ("XXXX", False), ("B0XX", False)])
def test_an_unknown_data_spec_takes_everything_of_its_family(name, is_realtime):
    one = unknown_dataspec(name, record_types=("RA",))
    assert (one.id, one.record_types, one.is_realtime, one.end_allowed) == (name, ("RA",), is_realtime, not is_realtime)
    assert one.options == (() if is_realtime else (1, 2, 3, 4))
    assert bool(one.key_forms) == is_realtime
    assert (one.replaced_by, dict(one.about)) == (None, {})
