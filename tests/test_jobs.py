"""Jobs: equal ones are one, they outlive who asked, and are forgotten in time."""

import asyncio

import pytest

from jvgate import jobs as jobs_module
from jvgate.errors import SourceBusy
from jvgate.jobs import Jobs, eta_s
from jvgate.jvlink.request import Progress


def play(scene, *, limit=2, keep_s=60.0, keep=100):
    async def on_stage():
        jobs = Jobs(limit=limit, keep_s=keep_s, keep=keep)
        gate = asyncio.Event()

        def adopt(question, error=None):
            async def work():
                await gate.wait()
                if error:
                    raise error
                return question

            return jobs.adopt(question, asyncio.create_task(work()), list)

        try:
            return await scene(jobs, adopt, gate)
        finally:
            await jobs.close()

    return asyncio.run(on_stage())


def test_a_job_runs_and_then_has_its_result():
    async def scene(jobs, adopt, gate):
        job = adopt("RACE")
        states = [job.state]
        gate.set()
        result = await job.task
        await asyncio.sleep(0)
        return states, result, job.state, job.ended is not None, jobs.get(job.id) is job

    assert play(scene) == (["running"], "RACE", "done", True, True)


def test_equal_jobs_are_one():
    async def scene(jobs, adopt, gate):
        return adopt("RACE") is adopt("RACE"), len(jobs)

    assert play(scene) == (True, 1)


def test_an_ended_job_makes_room_for_a_new_one_of_its_kind():
    async def scene(jobs, adopt, gate):
        gate.set()
        first = adopt("RACE")
        await first.task
        return adopt("RACE") is not first, len(jobs)

    assert play(scene) == (True, 1)


def test_too_many_are_refused_with_their_place():
    async def scene(jobs, adopt, gate):
        adopt("a"), adopt("b")
        with pytest.raises(SourceBusy) as error:
            adopt("c")
        return error.value.place, len(jobs)

    assert play(scene) == (3, 2)


def test_a_failed_job_says_so():
    async def scene(jobs, adopt, gate):
        gate.set()
        job = adopt("a", ValueError("no"))
        await asyncio.wait([job.task])
        return job.state

    assert play(scene) == "failed"


def test_a_cancelled_job_is_gone():
    async def scene(jobs, adopt, gate):
        job = adopt("a")
        jobs.cancel(job)
        await asyncio.wait([job.task])
        return job.state, jobs.get(job.id), jobs.all()

    assert play(scene) == ("cancelled", None, [])


def test_results_are_kept_for_a_while_and_not_too_many(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(jobs_module.time, "monotonic", lambda: float(next(clock)))

    async def scene(jobs, adopt, gate):
        gate.set()
        for name in "abcdef":
            await adopt(name).task
            await asyncio.sleep(0)
        few = len(jobs.all())
        for _ in range(100):
            next(clock)
        return few, len(jobs.all())

    assert play(scene, keep=3) == (3, 0)


@pytest.mark.parametrize(
    ("progress", "left_s"),
    [
        ([], None),
        ([Progress()], None),
        ([Progress(files=10)], None),
        ([Progress(files=10, files_read=5)], 60.0),
        ([Progress(files=10, downloads=10, downloaded=10)], 60.0),
        ([Progress(files=10, files_read=10)], 0.0),
        ([Progress(files=10, files_read=10), Progress(files=10)], 60.0),
    ],
)
def test_what_is_left_is_judged_by_the_files_done(progress, left_s):
    assert eta_s(progress, 60.0) == left_s
