"""Where commands write to: a file is there only when it is whole, and what is no file stays what it is."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from jvgate.commands.output import writing
from tests.commands.command import LIMIT_S, OK
from tests.raceday import record
from tests.served.processes import COMMAND


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
