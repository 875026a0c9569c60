"""Machines as people have them: what the doctor finds on each, and what it advises."""

import pytest

from jvgate.doctor import installation
from jvgate.doctor.installation import JV_LINK_CLSID, NV_LINK_CLSID, check_installation
from jvgate.settings import Settings

PYTHON = r"C:\Program Files (x86)\Python312-32\python.exe"
DLL = r"C:\Windows\SysWOW64\JVDTLab.dll"


class Registrations:
    """The registry of a made-up machine: (class, bits) of the machine's and of the user's registrations."""

    def __init__(self, *machine, user=(), pythons=()):
        self.machine, self.user, self.found = machine, user, pythons

    def server(self, clsid, *, bits, is_user):
        return DLL if (clsid, bits) in (self.user if is_user else self.machine) else None

    def pythons(self, *, bits):
        return list(self.found)


def launcher(pythons, listed=""):
    """What runs commands: each Python of *pythons* (by its command) tells its bits, if it has pywin32."""

    def run(command):
        if command == ["py", "-0"]:
            return listed
        bare = "pythoncom" not in command[-1]
        return pythons.get(" ".join(command[:-2]) + " (bare)" * bare)

    return run


def check(registry, run=lambda command: None, source="jvlink:", **given):
    settings = Settings(source=source, **given)
    found = check_installation(settings, system="Windows", registry=registry, run=run, python_bits=64)
    return {finding.check: finding for finding in found}


def test_a_64_bit_jvlink_works_from_a_64_bit_python():
    found = check(Registrations((JV_LINK_CLSID, 64)), launcher({"py -3.13": "64\n"}), worker_python="py -3.13")
    assert (found["registration"].state, found["python"].state) == ("ok", "ok")


def test_a_32_bit_jvlink_needs_a_32_bit_python_which_is_looked_for():
    run = launcher(
        {"py -3.12-32": "32\n", "py -3.13": "64\n"}, listed=" -V:3.13 *  Python 3.13\n -V:3.12-32  Python 3.12"
    )
    found = check(Registrations((JV_LINK_CLSID, 32)), run)
    assert found["python"].state == "fail"
    assert found["python"].advice_en == "Set JVGATE_WORKER_PYTHON to: py -3.12-32"
    assert "py -3.12-32" in found["python"].advice_ja


def test_without_a_fitting_python_it_says_which_to_install():
    found = check(Registrations((JV_LINK_CLSID, 32)))
    assert "32 bits" in found["python"].advice_en
    assert "py -3.12-32 -m pip install pywin32" in found["python"].advice_ja


def test_nothing_installed_is_told_with_what_to_do():
    found = check(Registrations())
    assert (found["registration"].state, list(found)) == ("fail", ["registration"])
    assert "Install JV-Link" in found["registration"].advice_en


def test_nvlink_is_another_class():
    assert check(Registrations((JV_LINK_CLSID, 32)), source="nvlink:")["registration"].state == "fail"
    assert check(Registrations((NV_LINK_CLSID, 32)), source="nvlink:")["registration"].state == "ok"


def test_a_registration_of_the_user_that_hides_the_machines_is_a_warning():
    registry = Registrations((JV_LINK_CLSID, 32), user=((JV_LINK_CLSID, 32),))
    registry.server = lambda clsid, *, bits, is_user: {32: "D:\\trial.dll" if is_user else DLL}.get(bits)
    settings = Settings(source="jvlink:")
    run = launcher({})
    found = check_installation(settings, system="Windows", registry=registry, run=run, python_bits=64)
    assert [finding.state for finding in found] == ["ok", "warn", "fail"]
    assert JV_LINK_CLSID in found[1].advice_en


@pytest.mark.parametrize("source", ["demo:", "archive:/data", "agent://here:8900"])
def test_other_sources_need_no_jvlink(source):
    assert check(Registrations(), source=source)["JV-Link"].state == "skip"


def test_elsewhere_than_on_windows_it_says_which_ways_there_are():
    (found,) = check_installation(
        Settings(source="jvlink:"), system="Linux", registry=None, run=lambda command: None, python_bits=64
    )
    assert found.state == "fail"
    assert "jvgate agent" in found.advice_en
    assert "jvgate agent" in found.advice_ja


def test_a_registration_of_the_user_alone_is_one():
    found = check(Registrations(user=((JV_LINK_CLSID, 32),)))
    assert (found["registration"].state, "hides" in found["registration"].en) == ("ok", False)


def test_a_python_that_the_launcher_does_not_know_is_found_in_the_registry():
    path = r"C:\Python312-32\python.exe"
    found = check(Registrations((JV_LINK_CLSID, 32), pythons=(path,)), launcher({path: "32\n"}))
    assert found["python"].advice_en == f"Set JVGATE_WORKER_PYTHON to: {path}"


def test_a_python_of_the_registry_whose_path_has_blanks_is_named_in_quotes(monkeypatch):
    class Values:
        def read(self, hive, path, name, *, bits):
            return PYTHON if (hive, bits) == ("HKLM", 32) else None

        def keys(self, hive, path, *, bits):
            return ["3.12"]

    monkeypatch.setattr(installation, "WindowsValues", Values)
    pythons = installation.WindowsRegistry().pythons(bits=32)
    found = check(Registrations((JV_LINK_CLSID, 32), pythons=pythons), launcher({PYTHON: "32\n"}))
    assert found["python"].advice_en == f'Set JVGATE_WORKER_PYTHON to: "{PYTHON}"'


def test_what_it_says_to_set_is_what_it_then_finds():
    found = check(Registrations((JV_LINK_CLSID, 32)), launcher({PYTHON: "32\n"}), worker_python=f'"{PYTHON}"')
    assert found["python"].state == "ok"


def test_a_fitting_python_without_pywin32_is_told_what_it_lacks():
    run = launcher({"py -3.12-32 (bare)": "32\n"}, listed=" -V:3.12-32  Python 3.12")
    found = check(Registrations((JV_LINK_CLSID, 32)), run)
    assert "py -3.12-32 -m pip install pywin32" in found["python"].advice_en


@pytest.mark.parametrize(("answer", "state"), [("64\n", "ok"), (None, "fail")])
def test_under_wine_the_python_of_the_settings_is_started(answer, state):
    settings = Settings(source="jvlink:", worker_python="wine 'C:/my py/python.exe'")
    asked = []
    (found,) = check_installation(
        settings, system="Linux", registry=None, run=lambda command: asked.append(command) or answer, python_bits=64
    )
    assert (found.check, found.state, asked[0][:2]) == ("python", state, ["wine", "C:/my py/python.exe"])


@pytest.mark.parametrize(
    ("listed", "command"),
    [
        (" -V:3.14[-32] *  Python 3.14", "py -3.14"),
        (" -3.12-32 *", "py -3.12-32"),
        (" -V:Astral/CPython3.12 Python", "py -V:Astral/CPython3.12"),
    ],
)
def test_the_launcher_lists_in_several_ways(listed, command):
    found = check(Registrations((JV_LINK_CLSID, 32)), launcher({command: "32\n"}, listed=listed))
    assert found["python"].advice_en == f"Set JVGATE_WORKER_PYTHON to: {command}"
