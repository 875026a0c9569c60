"""The command as a user runs it, in a folder of its own and without settings of the machine's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.served.processes import COMMAND

__all__ = ["DAMAGED", "LIMIT_S", "OK", "SOURCE", "USAGE", "fails", "runner"]

LIMIT_S = 120
OK, DAMAGED, USAGE, SOURCE = 0, 1, 2, 3  # its exit status


def runner(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs `jvgate` with the words given to it in *folder*."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("JVGATE_")}

    def run(*words, **environment):
        own = {"COLUMNS": "200", "TERM": "dumb", "PYTHONUTF8": "1", **environment}
        return subprocess.run(
            [COMMAND, *map(str, words)],
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
            cwd=folder,
            env=clean | own,
        )

    return run


def fails(done, status, *said):
    """Check that the command ended with *status*, said everything of *said* on stderr, and showed no traceback."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr
