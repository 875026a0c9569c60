"""Jobs: what takes longer than a client wants to wait for goes on without it, and can be asked after.

A job is an answer on its way, known by the question it answers, so that equal jobs are one.  It outlives its client;
its result is kept for a while after it is done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, Literal, TypeVar

from jvgate.errors import SourceBusy
from jvgate.jvlink.request import Progress

__all__ = ["Job", "Jobs", "eta_s"]

Result = TypeVar("Result")
# A timer may come a tick of the clock too early.
_LATE_S = 0.1

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(eq=False, slots=True)
class Job(Generic[Result]):
    """One answer on its way.  question: its text.  progress: of each read that it needs, as far as they have begun.

    began, ended: monotonic seconds; ended: None while it runs.  weight: of its result, bytes.
    """

    id: str
    question: str
    task: asyncio.Task[Result]
    progress: Callable[[], Sequence[Progress]]
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    weight: int = 0

    @property
    def state(self) -> State:
        """How it stands."""
        if not self.task.done():
            return "running"
        if self.task.cancelled():
            return "cancelled"
        return "failed" if self.task.exception() is not None else "done"


class Jobs(Generic[Result]):
    """The jobs of one server.

    limit: how many may run at once.  keep_s: how long an ended one is kept; keep, keep_bytes: how many of them, and
    how much of results, as *weigh* tells; the one that ended last is kept however heavy it is.
    """

    def __init__(
        self,
        *,
        limit: int,
        keep_s: float,
        keep: int = 100,
        keep_bytes: int = 256 << 20,
        weigh: Callable[[Result], int] = lambda result: 0,
    ) -> None:
        self._limit = limit
        self._keep_s = keep_s
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._weigh = weigh
        self._jobs: dict[str, Job[Result]] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def all(self) -> list[Job[Result]]:
        """Return every job, the oldest first."""
        self._forget()
        return list(self._jobs.values())

    def get(self, job_id: str) -> Job[Result] | None:
        """Return the job of that id, None when there is none (any more)."""
        self._forget()
        return self._jobs.get(job_id)

    def adopt(
        self, question: str, task: asyncio.Task[Result], progress: Callable[[], Sequence[Progress]], *, era: int = 0
    ) -> Job[Result]:
        """Make *task*, which answers *question*, a job; where there is one already, return that and cancel *task*.

        era: what was begun in another one is another job.
        Raises SourceBusy when too many run; *task* is cancelled then.
        """
        self._forget()
        job_id = blake2b(f"{era}|{question}".encode(), digest_size=8).hexdigest()
        known = self._jobs.get(job_id)
        if known is not None and known.state == "running":
            task.cancel()
            return known
        running = sum(job.state == "running" for job in self._jobs.values())
        if running >= self._limit:
            task.cancel()
            raise SourceBusy(running + 1, full="as many jobs run as may (JVGATE_JOBS)")
        self._jobs.pop(job_id, None)
        job = self._jobs[job_id] = Job(job_id, question, task, progress)
        task.add_done_callback(lambda done: self._end(job))
        return job

    def cancel(self, job: Job[Result]) -> None:
        """Stop the job, or throw away its result."""
        job.task.cancel()
        self._jobs.pop(job.id, None)

    async def close(self) -> None:
        """Cancel every job and wait for its end."""
        tasks: list[Awaitable[Result]] = [job.task for job in self._jobs.values()]
        for job in self._jobs.values():
            job.task.cancel()
        self._jobs.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, job: Job[Result]) -> None:
        job.ended = time.monotonic()
        if job.state == "failed":
            job.task.exception()  # seen here: it is told to whoever asks after the job
        elif job.state == "done":
            job.weight = self._weigh(job.task.result())
        self._forget()
        # Nobody may come to ask, and a result is large.
        asyncio.get_running_loop().call_later(self._keep_s + _LATE_S, self._forget)

    def _forget(self) -> None:
        """Let go of what ended long ago, and of the oldest when they are many or heavy."""
        oldest = time.monotonic() - self._keep_s
        ended = [job for job in self._jobs.values() if job.ended is not None]
        kept_bytes = 0
        for at, job in enumerate(sorted(ended, key=lambda job: job.ended or 0.0, reverse=True)):
            kept_bytes += job.weight
            is_surplus = at >= self._keep or (at and kept_bytes > self._keep_bytes)
            if is_surplus or (job.ended or 0.0) < oldest:
                del self._jobs[job.id]


def eta_s(progress: Sequence[Progress], elapsed_s: float) -> float | None:
    """Return the seconds that are left, judged by the files downloaded and read so far; None when nobody can tell."""
    wanted = sum(read.downloads + read.files for read in progress)
    done = sum(read.downloaded + read.files_read for read in progress)
    return elapsed_s * (wanted - done) / done if done and wanted else None
