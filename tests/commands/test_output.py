"""Where commands write to: a file is there only when it is whole, and what is no file stays what it is."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from jvgate.commands.output import output_format, writing
from jvgate.errors import SettingsError
from tests.commands.command import LIMIT_S, OK
from tests.raceday import record
from tests.served.processes import COMMAND


@pytest.mark.parametrize(
    ("output", "given", "word"),
    [
        (None, None, "ndjson"),
        ("a", None, "ndjson"),
        ("a.csv", None, "csv"),
        ("a.CSV", None, "csv"),
        ("a.csv", "json", "json"),
        ("a.yaml", "json", "json"),
        (None, "nonsense", "nonsense"),  # refused later, with the words that there are
    ],
)
def test_the_format_is_the_given_one_or_that_of_the_name(output, given, word):
    assert output_format(output and Path(output), given, default="ndjson") == word


def test_an_unknown_ending_says_which_are_known():
    with pytest.raises(SettingsError, match=r"\.yaml.*\.csv"):
        output_format(Path("a.yaml"), None, default="ndjson")


@pytest.mark.parametrize("word", ["parquet", "raw"])
def test_a_terminal_is_shown_text_alone(monkeypatch, word):
    assert output_format(None, word, default="ndjson") == word
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert output_format(None, "csv", default="ndjson") == "csv"
    with pytest.raises(SettingsError, match=word):
        output_format(None, word, default="ndjson")


def test_a_file_gets_its_name_only_when_all_went_well(tmp_path):
    output = tmp_path / "a.csv"
    output.write_bytes(b"older")
    with pytest.raises(ZeroDivisionError), writing(output) as file:
        file.write(b"%d" % (1 // 0))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]
    with writing(output) as file:
        file.write(b"whole")
        assert output.read_bytes() == b"older"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


@pytest.mark.parametrize("name", [".", "no/such/folder/a.csv"])
def test_what_cannot_be_written_is_told_before_anything_is_read(tmp_path, name):
    with pytest.raises(SettingsError, match="cannot be written"), writing(tmp_path / name):
        pytest.fail("it was not refused")


def test_two_that_write_the_same_file_do_not_meet_before_its_name(tmp_path):
    with writing(tmp_path / "a.csv") as one, patch("os.getpid", return_value=1), writing(tmp_path / "a.csv") as other:
        one.write(b"one")
        other.write(b"other")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.parametrize("words", [["decode", "a.jvd"], ["fetch", "RACE", "--from", "20261101"]])
def test_a_full_disk_is_told_in_plain_words(tmp_path, source, words):
    (tmp_path / "a.jvd").write_bytes(record("RA") * 2000)
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [COMMAND, *words], cwd=tmp_path, env={**os.environ, "JVGATE_SOURCE": source}, stdout=full, stderr=-1,
            text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    assert done.returncode
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr
    assert "a.jvd: cannot be read" not in done.stderr


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names in the folder there")
def test_fetch_writes_into_what_is_no_file_without_replacing_it(jvgate, source, tmp_path):
    """`-o /dev/stdout`, a named pipe, a device: it must still be one afterwards."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=-1) as reader:
        done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "pipe")
        is_pipe = (tmp_path / "pipe").is_fifo()
        if not is_pipe:
            reader.kill()
        body = reader.communicate()[0]
    assert (done.returncode, is_pipe) == (OK, True)
    assert json.loads(body)["meta"]["total"] == 6
