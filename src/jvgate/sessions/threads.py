"""A thread for life: what is made on it is used and released on it, and it never holds up the end of the process.

`ThreadPoolExecutor` will not do: the interpreter waits for its threads at exit, and a call to JV-Link cannot be
interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

__all__ = ["DaemonThread"]

Result = TypeVar("Result")


class DaemonThread:
    """Runs jobs one after another on one thread of its own, started by the first one."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def submit(self, job: Callable[..., Result], *arguments: object) -> Future[Result]:
        """Queue *job*; its result or error comes through the future."""
        if not self._thread.is_alive() and self._thread.ident is None:
            self._thread.start()
        future: Future[Result] = Future()
        self._jobs.put((future, lambda: job(*arguments)))
        return future

    def stop(self) -> None:
        """End the thread after the jobs queued so far."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (queued := self._jobs.get()) is not None:
            future, job = queued
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as exc:  # noqa: BLE001  (it belongs to whoever waits for the future)
                future.set_exception(exc)
