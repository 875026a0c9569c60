"""`jvlink:` and `nvlink:`: the Python that JV-Link is loaded into, and how the package is found there."""

import subprocess
import sys
from pathlib import Path

import pytest

from jvgate.errors import NotInstalled, SettingsError
from jvgate.sessions.sources.com import com_command, python_command
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.source import Means


def test_jvlink_is_loaded_by_this_python_unless_another_is_named():
    assert com_command("jvlink", Means())[:2] == (sys.executable, "-c")


def test_the_python_of_jvlink_may_be_another_one():
    means = Means(worker_python="py -3.12-32", press_dialogs=True)
    command = com_command("jvlink", means)
    assert command[:3] == ("py", "-3.12-32", "-c")
    assert command[4:] == ("jvlink", "--press-dialogs")
    assert "sys.path.append(" in command[3]  # behind its own packages, so that its own pywin32 is found first


@pytest.mark.parametrize("python", ["wine python.exe", "wine64 python.exe", "/opt/wine/bin/wine 'C:/my py/python.exe'"])
def test_under_wine_the_package_is_found_on_the_drive_of_this_machine(python):
    assert "append('Z:/" in com_command("nvlink", Means(worker_python=python))[3]


@pytest.mark.parametrize(
    ("platform", "python", "words"),
    [
        ("linux", "'/opt/my py/python' -X utf8", ("/opt/my py/python", "-X", "utf8")),
        ("win32", r'"C:\Program Files\Python\python.exe" -E', (r"C:\Program Files\Python\python.exe", "-E")),
        ("win32", r"C:\py\python.exe", (r"C:\py\python.exe",)),
    ],
)
def test_a_path_with_spaces_stands_in_quotes(monkeypatch, platform, python, words):
    monkeypatch.setattr(sys, "platform", platform)
    assert com_command("jvlink", Means(worker_python=python))[: len(words)] == words


@pytest.mark.parametrize("is_windows", [True, False])
@pytest.mark.parametrize("python", ['"C:/Program Files/python.exe', "'/opt/my py/python", 'py "-3'])
def test_a_quote_that_is_not_closed_is_told_in_clear_words(python, is_windows):
    with pytest.raises(SettingsError, match=r"JVGATE_WORKER_PYTHON .*not closed") as error:
        python_command(python, is_windows=is_windows)
    assert "in quotes" in error.value.allowed


@pytest.mark.process
def test_the_package_comes_last_on_the_path_of_the_other_python():
    python, _, code, _ = com_command("jvlink", Means())
    shown = code.partition("; from jvgate")[0] + "; print(sys.path[-1])"
    told = subprocess.check_output([python, "-S", "-c", shown], text=True).strip()
    assert (Path(told) / "jvgate" / "errors.py").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="there JV-Link may be installed")
@pytest.mark.process
def test_the_worker_of_jvlink_runs_in_a_bare_python_and_says_what_is_missing():
    worker = parse_source("jvlink:", Means(worker_python=f"{sys.executable} -S")).start()
    with pytest.raises(NotInstalled, match="pythoncom"):
        worker.open()
    worker.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("jvlink:here", "takes nothing behind it"),
        ("nvlink:?x=1", "takes nothing behind it"),
    ],
)
def test_a_url_with_more_than_its_scheme_is_refused(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)
