"""`jvgate doctor`: its languages and its status."""

import json

import pytest

pytestmark = pytest.mark.process


@pytest.fixture
def doctor(jvgate):
    """Run `jvgate doctor` on a free port."""
    return lambda *words, **environment: jvgate("doctor", *words, JVGATE_PORT="0", **environment)


def test_both_languages_are_told_beside_each_other(doctor):
    done = doctor("--source", "demo:", "--lang", "both")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing is wrong. / 問題は見つかりませんでした。" in done.stdout


@pytest.mark.parametrize(("source", "status"), [("demo:", 0), ("archive:/nowhere", 1), ("jvlink:", 1)])
def test_as_data_both_languages_and_the_status_are_told(doctor, source, status):
    done = doctor("--source", source, "--json")
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == status
    assert ("fail" in {finding["state"] for finding in findings}) == bool(status)
    assert all(finding["en"] and finding["ja"] for finding in findings)
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["--lang", "both"], ["--json"]])
def test_a_console_without_japanese_characters_is_no_obstacle(doctor, words):
    done = doctor("--source", "archive:/nowhere", *words, PYTHONUTF8="0", PYTHONIOENCODING="cp1252")
    assert done.returncode == 1
    assert "archive" in done.stdout
    assert "Traceback" not in done.stderr
