"""The try, with real sources; and the command as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jvgate.doctor import trying
from jvgate.doctor.findings import is_well
from jvgate.doctor.trying import check_source
from jvgate.errors import JVLinkError, SessionHung, WorkerFailed
from jvgate.sessions.sources.registry import source_of
from jvgate.settings import Settings
from tests.raceday import archive, race_day
from tests.specs import JRA

pytestmark = pytest.mark.process

COMMAND = Path(sys.executable).with_name("jvgate")
LIMIT_S = 90


def checked(settings):
    return check_source(source_of(settings), JRA, settings)


def test_the_demo_is_well():
    found = checked(Settings(source="demo:?date=2026-11-18"))
    assert [finding.state for finding in found] == ["ok", "ok", "skip"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    (found,) = checked(Settings(source=f"archive:{tmp_path / 'nowhere'}"))
    assert (found.state, "no such folder" in found.en) == ("fail", True)


def test_the_files_of_an_archive_are_counted(tmp_path):
    found = checked(Settings(source=f"archive:{archive(tmp_path, *race_day())}"))
    assert (found[0].check, found[0].state, found[0].en) == ("archive", "ok", "1 files of JV-Data.")


def test_files_that_are_passed_over_are_told_with_the_reason(tmp_path):
    (archive(tmp_path, *race_day()) / os.fsdecode(b"\x83.txt")).write_text("no data")
    done = run("--source", f"archive:{tmp_path}", "--json")
    told = next(finding for finding in json.loads(done.stdout)["findings"] if finding["check"] == "archive")
    assert (done.returncode, told["state"]) == (0, "warn")
    assert "1 are passed over or cannot be read: \ufffd.txt (it holds no JV-Data)." in told["en"]
    assert "\ufffd.txt" in told["ja"]


@pytest.mark.parametrize("code", [-2, -211, -301, -302, -303, -305, -411, -502, -504, -999])
def test_what_needs_a_person_is_told_in_both_languages(monkeypatch, code):
    async def fail(source, spec, settings):
        raise JVLinkError(code, "JVOpen")

    monkeypatch.setattr(trying, "_try", fail)
    (found,) = checked(Settings(source="demo:"))
    assert found.state == "fail"
    assert str(code) in found.en
    assert found.advice_en
    assert found.advice_ja
    assert found.advice_en != found.advice_ja
    assert not found.en.endswith((": ", ": ."))


@pytest.mark.parametrize(
    ("error", "said"), [(SessionHung("JVOpen", limit_s=60), "dialog"), (WorkerFailed("gone"), "JVGATE_WORKER_PYTHON")]
)
def test_each_kind_of_error_has_advice_of_its_own(monkeypatch, error, said):
    async def fail(source, spec, settings):
        raise error

    monkeypatch.setattr(trying, "_try", fail)
    (found,) = checked(Settings(source="demo:"))
    assert (found.state, said in found.advice_en) == ("fail", True)


def run(*arguments, **environment):
    return subprocess.run(
        [COMMAND, "doctor", *arguments], capture_output=True, text=True, timeout=LIMIT_S,
        env={**os.environ, "JVGATE_PORT": "0", **environment}, check=False,
    )  # fmt: skip


def test_the_command_says_that_nothing_is_wrong():
    done = run("--source", "demo:?date=2026-11-18", "--lang", "ja")
    assert (done.returncode, "問題は見つかりませんでした" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_command_gives_data_and_a_status():
    done = run("--source", "archive:/nowhere", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (1, False)
    assert {"check", "state", "en", "ja", "advice_en", "advice_ja"} == set(document["findings"][0])


@pytest.mark.parametrize("source", ["jvlink:", "nvlink:", "agent://127.0.0.1:1", "foo:"])
def test_what_cannot_be_is_told_in_clear_words_and_never_the_secret(source):
    done = run("--source", source, "--lang", "en", JVGATE_AGENT_TOKEN="hush-hush")
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_language_that_is_not_spoken_is_refused():
    assert run("--lang", "fr").returncode == 2


def test_warnings_are_no_failure():
    assert is_well([])
