"""Jobs: equal ones are one, they outlive who asked, and are forgotten in time."""

import asyncio
import gc

import pytest

from jvgate.errors import SourceBusy
from jvgate.gateway import jobs as jobs_module
from jvgate.gateway.jobs import Jobs, eta_s
from jvgate.jvlink.request import Progress


def play(scene, *, limit=2, keep_s=60.0, **keeping):
    async def on_stage():
        jobs = Jobs(limit=limit, keep_s=keep_s, **keeping)
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
        return error.value.place, "JVGATE_JOBS" in str(error.value), len(jobs)

    assert play(scene) == (3, True, 2)


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
    ("names", "kept"), [(["10", "20", "30"], ["20", "30"]), (["10", "90"], ["90"]), (["30", "5", "20"], ["5", "20"])]
)
def test_results_are_kept_up_to_so_many_bytes_the_last_one_always(names, kept):
    async def scene(jobs, adopt, gate):
        gate.set()
        for name in names:
            await adopt(name).task
            await asyncio.sleep(0)
        return [job.question for job in jobs.all()]

    assert play(scene, keep_bytes=50, weigh=int) == kept


def test_results_are_forgotten_in_time_though_nobody_asks():
    async def scene(jobs, adopt, gate):
        gate.set()
        adopt("a"), adopt("b", ValueError("no"))
        async with asyncio.timeout(30):
            while len(jobs):  # noqa: ASYNC110  (it comes by itself)
                await asyncio.sleep(0)

    play(scene, keep_s=0.01)


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


def test_the_task_that_is_one_too_many_is_cancelled():
    async def scene(jobs, adopt, gate):
        tasks = [asyncio.create_task(gate.wait()) for _ in range(3)]
        jobs.adopt("a", tasks[0], list)
        jobs.adopt("a", tasks[1], list)  # equal
        with pytest.raises(SourceBusy):
            jobs.adopt("b", tasks[2], list)
        await asyncio.wait(tasks[1:])
        return [task.cancelled() for task in tasks]

    assert play(scene, limit=1) == [False, True, True]


def test_only_running_jobs_count_against_the_limit():
    async def scene(jobs, adopt, gate):
        gate.set()
        for name in "abc":
            await adopt(name).task
        return [job.question for job in jobs.all()]

    assert play(scene, limit=1) == ["a", "b", "c"]


def test_a_job_is_known_by_its_question_today_and_tomorrow():
    async def scene(jobs, adopt, gate):
        return adopt("RACE").id, adopt("DIFF").id

    first, again = play(scene), play(scene)
    assert first == again
    assert len(set(first)) == 2


def test_a_job_that_ended_can_be_thrown_away():
    async def scene(jobs, adopt, gate):
        gate.set()
        job = adopt("a")
        await job.task
        jobs.cancel(job)
        return job.state, jobs.get(job.id)

    assert play(scene) == ("done", None)


def test_running_jobs_are_kept_however_old_they_are(monkeypatch):
    async def scene(jobs, adopt, gate):
        job = adopt("a")
        monkeypatch.setattr(jobs_module.time, "monotonic", lambda: job.began + 1e6)
        return jobs.get(job.id) is job

    assert play(scene, keep=0) is True


def test_progress_is_asked_for_when_somebody_wants_it():
    async def scene(jobs, adopt, gate):
        steps = []
        job = jobs.adopt("a", asyncio.create_task(gate.wait()), lambda: steps)
        before = list(job.progress())
        steps.append(Progress(files=1))
        return before, job.progress()

    assert play(scene) == ([], [Progress(files=1)])


def test_an_error_that_nobody_asks_after_is_not_reported_as_never_retrieved():
    reports = []

    async def scene(jobs, adopt, gate):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context))
        gate.set()
        task = adopt("a", ValueError("no")).task
        await asyncio.wait([task])
        await asyncio.sleep(0)
        jobs.cancel(jobs.all()[0])

    play(scene)
    gc.collect()
    assert reports == []


def test_closing_ends_every_job():
    async def scene(jobs, adopt, gate):
        running = [adopt("a"), adopt("b")]
        await jobs.close()
        return [job.state for job in running], len(jobs)

    assert play(scene) == (["cancelled", "cancelled"], 0)
