"""The Protocol is JV-Link's own interface, as the data file of the type library has it."""

import inspect

import pytest

from jvgate.jvlink import interface
from jvgate.spec.files import read_json

METHODS = {method["name"]: method for method in read_json("jra/interface.json")["methods"]}
OURS = {"on_event", "pump"}
UNREAD = {"m_servicekey", "ParentHWnd"}  # a secret; and what is only ever written, inside the COM object


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_parameters_of_the_type_library_in_their_order(name):
    parameters = list(inspect.signature(getattr(interface.FullJVLink, name)).parameters)
    assert parameters == ["self", *(parameter["name"] for parameter in METHODS[name]["parameters"])]


@pytest.mark.parametrize("name", METHODS)
def test_a_result_has_as_many_values_as_late_binding_gives(name):
    wanted = METHODS[name]["pywin32_late_bound"]["result"]
    given = str(inspect.signature(getattr(interface.FullJVLink, name)).return_annotation)
    assert given.count(",") == wanted.count(",")


def test_the_protocol_has_all_that_jvlink_has_and_nothing_else():
    public = {name for name in dir(interface.FullJVLink) if not name.startswith("_")} | {"on_event"}
    properties = {entry["name"] for entry in read_json("jra/interface.json")["properties"]}
    assert public == (set(METHODS) | properties | OURS) - UNREAD


def test_no_part_of_the_protocol_has_more_than_six_members():
    parts = ("Opens", "Reads", "Position", "Setup", "Preferences", "Pictures", "Movies", "Watching")
    for part in (getattr(interface, name) for name in parts):
        assert len([name for name in vars(part) if name.startswith(("JV", "m_"))]) <= 6
