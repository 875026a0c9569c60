"""`jvgate serve` as a user starts it: a process of its own on a free port."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.waiting import LIMIT_S

__all__ = ["COMMAND", "children", "is_running", "serving"]

COMMAND = Path(sys.executable).with_name("jvgate")


@contextmanager
def serving(
    source: str, *arguments: str, limit_s: float = LIMIT_S
) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """Serve *source* until the block ends; yield the process and a client that waits *limit_s* for an answer."""
    command = [COMMAND, "serve", "--port", "0", "--source", source, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            url = next(found[1] for line in server.stderr if (found := re.search(r"url=(\S+)", line)))
            with httpx2.Client(base_url=url, timeout=limit_s) as client:
                yield server, client
        finally:
            server.kill()


def is_running(pid: int) -> bool:
    """Whether the process *pid* runs (Linux): one that has ended but was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def children(pid: int | str = "self") -> set[int]:
    """Return the processes that *pid* has started and not waited for, ended ones too (Linux)."""
    return {int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()}
