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


def test_an_ended_job_keeps_its_result_when_an_equal_one_begins():
    async def scene(jobs, adopt, gate):
        gate.set()
        first = adopt("RACE")
        await first.task
        again = adopt("RACE")
        return again is not first, jobs.get(first.id) is first, jobs.get(again.id) is again

    assert play(scene) == (True, True, True)


def test_nobody_joins_a_job_that_was_cancelled():
    async def scene(jobs, adopt, gate):
        first = adopt("RACE")
        jobs.cancel(first)
        return adopt("RACE") is not first, len(jobs)

    assert play(scene, limit=1) == (True, 1)


def test_jobs_of_two_eras_are_two():
    async def scene(jobs, adopt, gate):
        tasks = [asyncio.create_task(gate.wait()) for _ in range(2)]
        return len({jobs.adopt("RACE", task, list, era=era).id for era, task in enumerate(tasks)})

    assert play(scene) == 2


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


def ended(adopt, question, *, seconds):
    """Adopt a job that took *seconds*, and wait for its end."""

    async def wait():
        job = adopt(question)
        job.began -= seconds
        await job.task
        await asyncio.sleep(0)
        return job

    return wait()


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        ([("10", 1), ("20", 2), ("30", 3)], ["20", "30"]),
        ([("30", 3), ("20", 2), ("10", 1)], ["30", "20"]),
        ([("10", 9), ("90", 1)], ["10"]),
        ([("10", 1), ("90", 9)], ["90"]),
        ([("90", 1)], ["90"]),
        ([("20", 5), ("0", 1), ("20", 3), ("20", 4)], ["20", "20"]),
    ],
)
def test_of_too_many_bytes_of_results_those_of_the_quickest_jobs_go_first(made, kept):
    async def scene(jobs, adopt, gate):
        gate.set()
        jobs_made = [await ended(adopt, name, seconds=seconds * 100) for name, seconds in made]
        gone = [job.id for job in jobs_made if jobs.get(job.id) is None]
        return [job.question for job in jobs.all()], all(map(jobs.is_evicted, gone))

    assert play(scene, keep_bytes=50, weigh=int) == (kept, True)


def test_a_hundred_small_jobs_do_not_cost_a_long_one_its_result():
    async def scene(jobs, adopt, gate):
        gate.set()
        long = await ended(adopt, "40", seconds=600)
        small = [await ended(adopt, "1", seconds=1) for _ in range(200)]
        return jobs.get(long.id) is long, [jobs.is_evicted(job.id) for job in small].count(False)

    assert play(scene, keep_bytes=50, weigh=int) == (True, 10)


def test_a_hundred_small_jobs_are_all_kept_where_there_is_room():
    async def scene(jobs, adopt, gate):
        gate.set()
        small = [await ended(adopt, "1", seconds=1) for _ in range(300)]
        return all(jobs.get(job.id) is job for job in small)

    assert play(scene, keep_bytes=300, weigh=int) is True


def test_a_job_that_was_thrown_away_or_forgotten_in_time_was_not_evicted(monkeypatch):
    async def scene(jobs, adopt, gate):
        gate.set()
        thrown_away = await ended(adopt, "1", seconds=1)
        jobs.cancel(thrown_away)
        evicted, old = [await ended(adopt, "40", seconds=seconds) for seconds in (100, 200)]
        before = [jobs.is_evicted(job.id) for job in (thrown_away, evicted, old)]
        monkeypatch.setattr(jobs_module.time, "monotonic", lambda now=jobs_module.time.monotonic: now() + 61)
        return before, [jobs.is_evicted(job.id) for job in (evicted, old)], jobs.get(old.id)

    assert play(scene, keep_bytes=50, weigh=int) == ([False, True, False], [False, False], None)


def test_an_ended_job_tells_until_when_it_is_kept():
    async def scene(jobs, adopt, gate):
        job = adopt("a")
        before = job.kept_until
        gate.set()
        await job.task
        await asyncio.sleep(0)
        return before, job.kept_until - jobs_module.time.time()

    before, left_s = play(scene, keep_s=600)
    assert before is None
    assert 590 < left_s <= 600


def test_a_look_at_one_job_does_not_look_at_the_others(monkeypatch):
    async def scene(jobs, adopt, gate):
        gate.set()
        made = [await ended(adopt, "1", seconds=1) for _ in range(50)]
        monkeypatch.setattr(jobs_module.Job, "state", property(lambda job: pytest.fail("it was looked at")))
        return jobs.get(made[25].id) is made[25], jobs.get("0"), jobs.is_evicted("0")

    assert play(scene) == (True, None, False)


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


def test_the_id_of_a_job_does_not_follow_from_its_question():
    async def scene(jobs, adopt, gate):
        return adopt("RACE").id, adopt("DIFF").id

    ids = {job_id for _ in range(3) for job_id in play(scene)}
    assert len(ids) == 6
    assert all(len(bytes.fromhex(job_id)) == 16 for job_id in ids)


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
