"""The Protocol is JV-Link's own interface, as the data file of the type library has it."""

import inspect

import pytest

from jvgate.jvlink import interface
from jvgate.spec.files import read_json

METHODS = {method["name"]: method for method in read_json("interface.json")["methods"]}
NEEDED = [
    *("JVInit", "JVOpen", "JVRTOpen", "JVStatus", "JVCancel", "JVClose"),
    *("JVRead", "JVGets", "JVSkip", "JVFiledelete"),
]


@pytest.mark.parametrize("name", NEEDED)
def test_a_method_takes_the_parameters_of_the_type_library_in_their_order(name):
    parameters = list(inspect.signature(getattr(interface.JVLink, name)).parameters)
    assert parameters == ["self", *(parameter["name"] for parameter in METHODS[name]["parameters"])]


@pytest.mark.parametrize("name", NEEDED)
def test_a_result_has_as_many_values_as_late_binding_gives(name):
    wanted = METHODS[name]["pywin32_late_bound"]["result"]
    given = str(inspect.signature(getattr(interface.JVLink, name)).return_annotation)
    assert given.count(",") == wanted.count(",")


def test_the_protocol_has_nothing_that_jvlink_has_not():
    public = {name for name in dir(interface.JVLink) if not name.startswith("_")}
    properties = {entry["name"] for entry in read_json("interface.json")["properties"]}
    assert public <= set(METHODS) | properties
    assert set(NEEDED) <= public


def test_no_part_of_the_protocol_has_more_than_six_members():
    for part in (interface.Opens, interface.Reads, interface.Position, interface.Setup):
        assert len([name for name in vars(part) if name.startswith(("JV", "m_"))]) <= 6
