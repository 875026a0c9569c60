"""The registry: secrets are looked for and never read."""

import sys

import pytest

from jvgate.doctor.registry import SECRETS, WindowsValues


@pytest.mark.parametrize("name", [*sorted(SECRETS), "ServiceKey"])
def test_a_secret_is_not_read(name):
    with pytest.raises(ValueError, match="never read"):
        WindowsValues().read("HKLM", "SOFTWARE", name, bits=32)


def test_what_is_not_there_is_none_and_not_set():
    values = WindowsValues()
    assert values.read("HKCU", r"SOFTWARE\no such key of jvgate", "", bits=64) is None
    assert not values.is_set("HKCU", r"SOFTWARE\no such key of jvgate", "servicekey", bits=32)


@pytest.mark.skipif(sys.platform != "win32", reason="there is a registry on Windows only")
def test_what_is_there_is_read_with_its_names_replaced():
    path = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    assert WindowsValues().is_set("HKLM", path, "SystemRoot", bits=64)
    assert "%" not in (WindowsValues().read("HKLM", path, "SystemRoot", bits=64) or "%")
