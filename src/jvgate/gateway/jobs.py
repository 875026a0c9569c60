"""Jobs: what takes longer than a client wants to wait for goes on without it, and can be asked after.

A job is an answer on its way; equal questions that run at the same time are one job.  It outlives its client.  Its
result is kept for a promised time.  Only when the results together pass their limits are some dropped earlier: those
that took the least time to make, since they are the cheapest to make again.  So many quick jobs never cost a long one
its result.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from jvgate.errors import SourceBusy
from jvgate.jvlink.request import Progress

__all__ = ["Job", "Jobs", "eta_s"]

Result = TypeVar("Result")
# A timer may come a tick of the clock too early.
_LATE_S = 0.1
_ID_BYTES = 16
_MOST_EVICTED = 10_000  # ids of dropped jobs that are remembered

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(eq=False, slots=True)
class Job(Generic[Result]):
    """One answer on its way.  question: its text.  progress: of each read that it needs, as far as they have begun.

    began, ended: monotonic seconds; ended: None while it runs.  kept_until: seconds since the epoch, None while it
    runs.  weight: of its result, bytes.
    """

    id: str
    question: str
    task: asyncio.Task[Result]
    progress: Callable[[], Sequence[Progress]]
    era: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    kept_until: float | None = None
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

    limit: how many may run at once.  keep_s: how long an ended one is kept.  keep, keep_bytes: limits of the number of
    ended jobs and of the bytes of their results together, as *weigh* tells; a single result is kept however heavy.
    """

    def __init__(
        self,
        *,
        limit: int,
        keep_s: float,
        keep: int = 10_000,
        keep_bytes: int = 256 << 20,
        weigh: Callable[[Result], int] = lambda result: 0,
    ) -> None:
        self._limit = limit
        self._keep_s = keep_s
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._weigh = weigh
        self._jobs: dict[str, Job[Result]] = {}
        self._running: dict[tuple[int, str], Job[Result]] = {}  # by era and question
        self._ended: dict[str, Job[Result]] = {}  # in the order in which they ended
        self._ended_bytes = 0
        self._evicted: dict[str, float] = {}  # until when each was promised, monotonic seconds

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

    def is_evicted(self, job_id: str) -> bool:
        """Whether that job was dropped before its promised time, which has not passed yet."""
        self._forget()
        return job_id in self._evicted

    def adopt(
        self, question: str, task: asyncio.Task[Result], progress: Callable[[], Sequence[Progress]], *, era: int = 0
    ) -> Job[Result]:
        """Make *task*, which answers *question*, a job; where one runs already, return that and cancel *task*.

        era: what was begun in another one is another job.
        Raises SourceBusy when too many run; *task* is cancelled then.
        """
        known = self._running.get((era, question))
        if known is not None and known.state == "running":
            task.cancel()
            return known
        running = sum(job.state == "running" for job in self._running.values())
        if running >= self._limit:
            task.cancel()
            raise SourceBusy(running + 1, full="as many jobs run as may (JVGATE_JOBS)")
        # Random, so that nobody comes to a job by its question or by the ids of other jobs.
        job = Job(secrets.token_hex(_ID_BYTES), question, task, progress, era)
        self._jobs[job.id] = self._running[era, question] = job
        task.add_done_callback(lambda done: self._end(job))
        return job

    def cancel(self, job: Job[Result]) -> None:
        """Stop the job, or throw away its result."""
        job.task.cancel()
        self._drop(job)

    async def close(self) -> None:
        """Cancel every job and wait for its end."""
        tasks: list[Awaitable[Result]] = [job.task for job in self._jobs.values()]
        for job in list(self._jobs.values()):
            self.cancel(job)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, job: Job[Result]) -> None:
        self._run_no_more(job)
        job.ended, job.kept_until = time.monotonic(), time.time() + self._keep_s
        if job.state == "failed":
            job.task.exception()  # seen here: it is told to whoever asks after the job
        elif job.state == "done":
            job.weight = self._weigh(job.task.result())
        if job.id not in self._jobs:
            return  # thrown away while it ran
        self._ended[job.id] = job
        self._ended_bytes += job.weight
        self._forget()
        self._evict()
        # Nobody may come to ask, and a result is large.
        asyncio.get_running_loop().call_later(self._keep_s + _LATE_S, self._forget)

    def _forget(self) -> None:
        """Let go of what ended long ago.  Costs nothing where there is nothing to forget: the oldest stand first."""
        now = time.monotonic()
        while (job := next(iter(self._ended.values()), None)) is not None and now - (job.ended or 0.0) > self._keep_s:
            self._drop(job)
        while (evicted := next(iter(self._evicted), None)) is not None and self._evicted[evicted] < now:
            del self._evicted[evicted]

    def _evict(self) -> None:
        """Drop the ended jobs that are the cheapest to repeat while there are too many, or too heavy ones."""
        while len(self._ended) > max(1, self._keep) or (len(self._ended) > 1 and self._ended_bytes > self._keep_bytes):
            job = min(self._ended.values(), key=lambda job: (job.ended or 0.0) - job.began)
            self._drop(job)
            self._evicted[job.id] = (job.ended or 0.0) + self._keep_s
            if len(self._evicted) > _MOST_EVICTED:
                del self._evicted[next(iter(self._evicted))]

    def _run_no_more(self, job: Job[Result]) -> None:
        """Let nobody join *job*."""
        if self._running.get((job.era, job.question)) is job:
            del self._running[job.era, job.question]

    def _drop(self, job: Job[Result]) -> None:
        self._run_no_more(job)
        self._jobs.pop(job.id, None)
        if self._ended.pop(job.id, None) is not None:
            self._ended_bytes -= job.weight


def eta_s(progress: Sequence[Progress], elapsed_s: float) -> float | None:
    """Return the seconds that are left, judged by the files downloaded and read so far; None when nobody can tell."""
    wanted = sum(read.downloads + read.files for read in progress)
    done = sum(read.downloaded + read.files_read for read in progress)
    return elapsed_s * (wanted - done) / done if done and wanted else None
