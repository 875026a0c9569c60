"""The command as a user runs it: its version, its help, and the completion of the shell."""

import re
import subprocess
import sys

import pytest

from jvgate import __version__
from tests.commands.command import OK, USAGE, fails, runner

pytestmark = pytest.mark.process


@pytest.fixture
def jvgate(tmp_path):
    return runner(tmp_path)


def test_the_version_is_told(jvgate):
    done = jvgate("--version")
    assert (done.returncode, done.stdout) == (OK, f"jvgate {__version__}\n")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(jvgate, flag):
    done = jvgate(flag)
    assert done.returncode == OK
    assert all(re.search(rf"\b{name}\b", done.stdout) for name in ("serve", "fetch", "decode", "spec"))


@pytest.mark.parametrize("name", ["serve", "fetch", "decode", "spec"])
def test_help_of_a_command_teaches_it_in_both_languages(jvgate, name):
    done = jvgate(name, "--help")
    assert (done.returncode, f"jvgate {name}" in done.stdout) == (OK, True)
    assert re.search("[぀-ヿ一-鿿]", done.stdout)


@pytest.mark.parametrize("words", [["nonsense"], ["fetch"], ["decode"], ["serve", "extra"], ["--nonsense"]])
def test_wrong_use_is_told_without_a_traceback(jvgate, words):
    fails(jvgate(*words), USAGE, "Usage: jvgate")


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
def test_the_shell_can_complete_the_command(jvgate):
    alone = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = jvgate("--show-completion", "bash", **alone).stdout
    assert "complete -o default -F _jvgate_completion jvgate" in script
    words = {"_JVGATE_COMPLETE": "complete_bash", "COMP_WORDS": "jvgate s", "COMP_CWORD": "1"}
    assert jvgate(**words).stdout.split() == ["serve", "spec"]


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
@pytest.mark.parametrize(("flag", "values"), [("--format p", ["parquet"]), ("--charset s", ["shift_jis"])])
def test_the_shell_completes_formats_and_charsets(jvgate, flag, values):
    words = {"_JVGATE_COMPLETE": "complete_bash", "COMP_WORDS": f"jvgate fetch RACE {flag}", "COMP_CWORD": "4"}
    assert jvgate(**words).stdout.split() == values


def test_help_is_quick_because_a_command_loads_only_its_own_rooms():
    code = "import sys, jvgate.cli; print([name for name in sys.modules if name in %r])"
    heavy = ("fastapi", "uvicorn", "numpy", "jvgate.web.app", "jvgate.season.shelf")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
