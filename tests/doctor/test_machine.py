"""The machine and the settings, as far as they can be seen from any system."""

import socket

import pytest

from jvgate.doctor.machine import check_desktop, check_port, check_settings, check_versions
from jvgate.settings import Settings
from tests.web.conftest import running


def test_the_versions_name_this_python_and_its_bits():
    told = check_versions().en
    assert "bits" in told
    assert "jvgate" in told


def test_a_misspelt_setting_is_a_warning_that_names_it():
    assert check_settings({"JVGATE_PROT": "1"}).state == "warn"
    assert "JVGATE_PROT" in check_settings({"JVGATE_PROT": "1"}).ja
    assert check_settings({"JVGATE_PORT": "1", "PATH": "x"}).state == "ok"


@pytest.mark.parametrize(
    ("system", "environment", "state"),
    [
        ("Linux", {}, "skip"),
        ("Windows", {"SESSIONNAME": "Console"}, "ok"),
        ("Windows", {"SESSIONNAME": "RDP-Tcp#1"}, "ok"),
        ("Windows", {"SESSIONNAME": "Services"}, "warn"),
        ("Windows", {}, "warn"),
        ("Windows", {"SESSIONNAME": "Console", "SSH_CONNECTION": "1"}, "warn"),
    ],
)
def test_only_windows_needs_a_desktop(system, environment, state):
    assert check_desktop(system, environment).state == state


def test_a_port_in_use_is_told_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = check_port(Settings(port=other.getsockname()[1]))
    assert found.state == "fail"
    assert "JVGATE_PORT" in found.advice_en


def test_a_free_port_is_free():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    assert check_port(Settings(port=port)).state == "ok"


@pytest.mark.process
def test_a_jvgate_that_answers_there_is_no_fault(tmp_path):
    with running(Settings(source=f"archive:{tmp_path}")) as client:
        assert "already" in check_port(Settings(port=client.base_url.port)).en
