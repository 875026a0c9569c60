"""What the registry tells of JV-Link on machines as people have them; the service key is nowhere in it."""

from dataclasses import asdict

import pytest

from jvgate.doctor.installation import JV_LINK_CLSID
from jvgate.doctor.jvlink_setup import PLACE, check_setup, file_behind
from jvgate.doctor.registry import refuse_secret
from jvgate.settings import Settings

CLASS = rf"SOFTWARE\Classes\CLSID\{JV_LINK_CLSID}\InprocServer32"
KEY = "SECRET0123456789X"


class Machine:
    """The registry of a made-up machine: values by (hive, bits, path, name).  Some names may not be looked at."""

    def __init__(self, values, *, denied=()):
        self.values, self.denied = values, denied

    def read(self, hive, path, name, *, bits):
        refuse_secret(name)
        return self.values.get((hive, bits, path, name))

    def is_set(self, hive, path, name, *, bits):
        if name in self.denied:
            raise PermissionError
        return bool(self.values.get((hive, bits, path, name)))


@pytest.fixture
def dll(tmp_path):
    path = tmp_path / "JVDTLab.dll"
    path.touch()
    return str(path)


def installed(dll, folder, *, bits=32, service="JVLinkAgent"):
    """The values of a machine on which all is well; the service's stand in the registry of 64 bits alone."""
    return {
        ("HKLM", bits, CLASS, ""): dll,
        ("HKLM", bits, PLACE, "servicekey"): KEY,
        ("HKLM", bits, PLACE, "savepath"): str(folder),
        ("HKLM", 64, rf"SYSTEM\CurrentControlSet\Services\{service}", "ImagePath"): "agent.exe",
    }


def check(values, source="jvlink:", **how):
    return check_setup(Settings(source=source), Machine(values, **how), python_bits=64)


def states(findings):
    return {finding.check: finding.state for finding in findings}


WELL = {"service": "ok", "service key": "ok", "save folder": "ok"}


@pytest.mark.parametrize(("bits", "service"), [(32, "JVLinkAgent"), (64, "JVLink64Agent")])
def test_a_machine_on_which_all_is_well(dll, tmp_path, bits, service):
    assert states(check(installed(dll, tmp_path, bits=bits, service=service))) == WELL


@pytest.mark.parametrize(("key", "state"), [(KEY, "ok"), ("", "warn")])
def test_the_service_key_is_there_or_not_and_never_shown(dll, tmp_path, key, state):
    found = check(installed(dll, tmp_path) | {("HKLM", 32, PLACE, "servicekey"): key})
    assert states(found) == WELL | {"service key": state}
    assert KEY not in str([asdict(finding) for finding in found])


def test_a_key_that_this_user_may_not_look_for_is_not_called_missing(dll, tmp_path):
    found = check(installed(dll, tmp_path), denied=("servicekey",))
    assert "may not look" in next(finding.en for finding in found if finding.check == "service key")


def test_the_key_of_the_other_bitness_does_not_count(dll, tmp_path):
    values = installed(dll, tmp_path)
    values["HKLM", 64, PLACE, "servicekey"] = values.pop(("HKLM", 32, PLACE, "servicekey"))
    assert states(check(values))["service key"] == "warn"


@pytest.mark.parametrize("folder", ["nowhere", "JVDTLab.dll"])
def test_a_save_folder_that_is_none_is_named_with_what_to_do(dll, tmp_path, folder):
    (found,) = (one for one in check(installed(dll, tmp_path / folder)) if one.state == "warn")
    assert (found.check, folder in found.en, folder in found.ja) == ("save folder", True, True)
    assert found.advice_en
    assert found.advice_ja


def test_a_save_folder_that_cannot_be_written_to_is_told(dll, tmp_path, monkeypatch):
    """Who runs the tests may be allowed everything, so the refusal is played."""

    def refuse(**where):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert states(check(installed(dll, tmp_path)))["save folder"] == "warn"


def test_a_missing_service_is_told(dll, tmp_path):
    assert states(check(installed(dll, tmp_path, service="Spooler")))["service"] == "warn"


def test_a_left_over_registration_without_its_file_is_told(dll, tmp_path):
    found = check(installed(dll, tmp_path) | {("HKCU", 32, CLASS, ""): r"D:\trial\JVDTLab.dll"})
    assert states(found) == WELL | {"dll": "warn"}
    assert r"D:\trial\JVDTLab.dll" in found[0].ja


@pytest.mark.parametrize("source", ["demo:", "archive:/data", "agent://here:8900", "nvlink:"])
def test_other_sources_have_no_such_setup(dll, tmp_path, source):
    assert check(installed(dll, tmp_path), source=source) == []


def test_nothing_is_told_where_nothing_is_registered_or_there_is_no_registry():
    assert check({}) == []
    assert check_setup(Settings(source="jvlink:"), None, python_bits=64) == []


@pytest.mark.parametrize(
    ("dll", "bits", "python_bits", "found"),
    [
        (r"C:\Windows\System32\JVDTLAB\JVDTLab.dll", 32, 64, r"C:\Windows\SysWOW64\JVDTLAB\JVDTLab.dll"),
        (r"C:\WINDOWS\system32\JVDTLab.dll", 64, 32, r"C:\WINDOWS\Sysnative\JVDTLab.dll"),
        (r"C:\Windows\System32\JVDTLab.dll", 64, 64, r"C:\Windows\System32\JVDTLab.dll"),
        ('"C:\\Program Files\\JRA-VAN\\JVDTLab.dll"', 64, 32, "C:\\Program Files\\JRA-VAN\\JVDTLab.dll"),
    ],
)
def test_windows_shows_programs_of_32_bits_another_folder(dll, bits, python_bits, found):
    assert file_behind(dll, bits=bits, python_bits=python_bits) == found
