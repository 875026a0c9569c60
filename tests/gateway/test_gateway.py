"""The one path from a question to its answer, over a real pool and the simulator on a small shelf."""

import asyncio
import json
from threading import current_thread

import pytest

from jvgate.cache.shared import ALL
from jvgate.errors import SourceBusy
from jvgate.freshness import policy
from jvgate.freshness.tags import EVERYTHING
from jvgate.gateway.opening import open_gateway
from jvgate.question.parsing import parse_question
from jvgate.records.framing import Framer
from jvgate.sessions.archive.rawfile import split
from jvgate.settings import Settings
from jvgate.values import MISSING
from tests.gateway.scene import at_the_gate, gateway, kinds, play, race
from tests.jvlink.memory_shelf import MemoryFile
from tests.raceday import GARBAGE, PROVIDED, RACE_KEY, archive, race_day, record
from tests.specs import JRA


@pytest.fixture
def traced(monkeypatch):
    """What frames and judges datasets, in the order of the calls, and on which thread."""
    seen = []

    def trace(owner, name):
        original = getattr(owner, name)

        def call(*args, **kwargs):
            seen.append((name, current_thread()))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    for owner, name in ((Framer, "__init__"), (policy.Judge, "judge"), (policy, "tags_of")):
        trace(owner, name)
    return seen


def test_a_question_is_read_once_and_then_answered_from_memory(shelf):
    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)]

    first, second = play(shelf, scene)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert kinds(first) == ["RA", "SE", "SE", "SE", "HR", "O1"]
    assert second.entry is first.entry
    assert shelf.opens == ["RACE"]


def test_a_thousand_equal_questions_open_jvlink_once(shelf):
    shelf.gate.clear()

    async def scene(opened):
        tasks = [asyncio.create_task(opened.ask(race())) for _ in range(1000)]
        await at_the_gate(shelf)
        shelf.gate.set()
        return await asyncio.gather(*tasks), opened._pool.opens

    answers, opens = play(shelf, scene)
    assert opens == {"RACE": 1}
    assert {served.entry.value.body for served in answers} == {answers[0].entry.value.body}
    assert [served.outcome for served in answers] == ["miss"] + ["collapsed"] * 999


def test_a_client_that_leaves_does_not_cancel_the_read(shelf):
    shelf.gate.clear()

    async def scene(opened):
        first, second = (asyncio.create_task(opened.ask(race())) for _ in range(2))
        await at_the_gate(shelf)
        first.cancel()
        shelf.gate.set()
        return await second

    assert len(kinds(play(shelf, scene))) == 6
    assert shelf.opens == ["RACE"]


def test_what_everybody_left_is_ended_and_begun_anew_for_the_next_one(shelf):
    shelf.gate.clear()

    async def scene(opened):
        task = asyncio.create_task(opened.ask(race()))
        await at_the_gate(shelf)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        shelf.gate.set()
        return await opened.ask(race())

    assert play(shelf, scene).outcome == "miss"
    assert shelf.opens == ["RACE"] * 2


@pytest.mark.parametrize("wanted", ["SE", "HR,O1"])
def test_a_narrower_question_is_answered_from_the_wider_dataset(shelf, wanted):
    shelf.files["RACE"] = [MemoryFile(f"{n}.jvd", PROVIDED, [one]) for n, one in enumerate(race_day())]

    async def scene(opened):
        await opened.ask(race())
        return await opened.ask(race(record=wanted))

    assert play(shelf, scene, one_type_per_file=True).outcome == "dataset"
    assert shelf.opens == ["RACE"]


def damaged(inside):
    """A runner with *inside* in the middle of its bytes."""
    raw = bytearray(record("SE", Umaban=5))
    raw[300 : 300 + len(inside)] = inside
    return bytes(raw)


@pytest.mark.parametrize("one_type_per_file", [False, True])
@pytest.mark.parametrize("asked", ["SE", "RA,HR", "O1"])
@pytest.mark.parametrize(
    "damage",
    [
        [],
        [GARBAGE],
        [damaged(b"\r\n")],
        [damaged(b"\xff\xff")],
        [damaged(b"\r\nRA7")],
        [record("SE")[:-2]],
        [record("SE")[:200] + b"\r\n"],
        [b"ZZ120261115 unknown\r\n"],
        [b"SE7 not a record\r\n"],
        [b"\0\0" + record("SE")],
    ],
    ids=["none", "garbage", "line break", "bytes", "other type", "no CR LF", "cut", "unknown type", "no head", "NULs"],
)
def test_a_narrower_answer_holds_the_records_of_the_whole_one(shelf, damage, asked, one_type_per_file):
    """Whatever is damaged, and whether it was read for itself or taken from the wider dataset in memory."""
    day = race_day()
    files = [[day[0], *damage, day[4]], [*day[1:3], *damage, day[3]], [day[5]]]
    if one_type_per_file:
        files = [[day[0]], [*day[1:3], *damage, day[3]], [day[4]], [day[5]]]
    lines = [split(b"".join(records), JRA.layouts)[0] for records in files]  # as a file is read: up to each CR LF
    shelf.files["RACE"] = [MemoryFile(f"{n}.jvd", PROVIDED, records) for n, records in enumerate(lines)]

    async def whole_first(opened):
        return [await opened.ask(race()), await opened.ask(race(record=asked))]

    async def alone(opened):
        return [await opened.ask(race(record=asked))]

    whole, after, read = (
        json.loads(served.entry.value.body)
        for scene in (whole_first, alone)
        for served in play(shelf, scene, one_type_per_file=one_type_per_file)
    )
    assert after == read
    assert read["data"] == [shown for shown in whole["data"] if shown["RecordSpec"] in asked.split(",")]


@pytest.mark.parametrize("first", [GARBAGE, b"ZZ120261115 unknown\r\n"], ids=["garbage", "unknown type"])
def test_a_file_is_not_passed_over_for_what_stands_strangely_at_its_beginning(shelf, first):
    """Only a known record of an unwanted type tells that its whole file is unwanted."""
    shelf.files["RACE"] = [MemoryFile("a.jvd", PROVIDED, [first, *race_day()[1:4]])]

    async def scene(opened):
        return await opened.ask(race(record="SE"))

    assert kinds(play(shelf, scene, one_type_per_file=True)) == ["SE", "SE", "SE"]


def test_what_outlasts_the_deadline_goes_on_as_a_job(shelf):
    shelf.gate.clear()

    async def scene(opened):
        job = await opened.ask(race(), deadline_s=0.01)
        shelf.gate.set()
        return await job.task, job.state, await opened.ask(race())

    result, state, later = play(shelf, scene)
    assert (state, result.outcome, later.outcome) == ("done", "miss", "hit")
    assert shelf.opens == ["RACE"]


def test_equal_jobs_are_one_and_too_many_are_refused(shelf):
    shelf.gate.clear()

    async def scene(opened):
        jobs = [await opened.ask(race(), deadline_s=0) for _ in range(2)]
        with pytest.raises(SourceBusy) as error:
            await opened.ask(race(from_time="20261002"), deadline_s=0)
        shelf.gate.set()
        await jobs[0].task
        return jobs, error.value.place

    jobs, place = play(shelf, scene, jobs=1)
    assert (jobs[0] is jobs[1], place) == (True, 2)
    assert shelf.opens == ["RACE"]


def test_a_full_queue_refuses_the_next_question_at_once(shelf):
    shelf.gate.clear()

    async def scene(opened):
        tasks = [asyncio.create_task(opened.ask(race(from_time=f"2026100{day}"))) for day in (1, 2)]
        await at_the_gate(shelf)
        with pytest.raises(SourceBusy):
            await opened.ask(race(from_time="20261003"))
        shelf.gate.set()
        return len(await asyncio.gather(*tasks))

    assert play(shelf, scene, queue=1) == 2


def test_closing_ends_those_who_wait(shelf):
    shelf.gate.clear()

    async def scene():
        async with gateway(shelf) as opened:
            task = asyncio.create_task(opened.ask(race()))
            await at_the_gate(shelf)
        return await asyncio.gather(task, return_exceptions=True)

    (ended,) = asyncio.run(scene())
    assert isinstance(ended, BaseException)


def test_look_ups_are_counted_by_tier_and_result(shelf):
    async def scene(opened):
        for _ in range(3):
            await opened.ask(race())
        return opened._traffic.totals(), opened.kept(race(), "nothing")

    assert play(shelf, scene) == ({("l1", "miss"): 1, ("l1", "hit"): 2}, MISSING)


def test_who_asks_after_a_purge_is_not_given_the_job_that_reads_since_before_it(shelf):
    shelf.gate.clear()

    async def scene(opened):
        job = await opened.ask(race(), deadline_s=0)
        await opened.purge(EVERYTHING)
        after = await opened.ask(race(), deadline_s=0)
        return job is not after, after is await opened.ask(race(), deadline_s=0), job.state, job.question

    assert play(shelf, scene) == (True, True, "running", str(race()))


@pytest.mark.parametrize("purge", [lambda opened: opened.purge(EVERYTHING), lambda opened: opened.forget((ALL,))])
def test_who_asks_after_a_purge_is_not_given_what_was_being_read_before_it(shelf, purge):
    async def scene(opened):
        shelf.gate.clear()
        before = asyncio.create_task(opened.ask(race()))
        await at_the_gate(shelf)
        await asyncio.gather(*filter(None, [purge(opened)]))
        after = asyncio.create_task(opened.ask(race()))
        await asyncio.sleep(0)
        shelf.gate.set()
        return [(await asking).outcome for asking in (before, after)], shelf.opens

    assert play(shelf, scene) == (["miss", "miss"], ["RACE", "RACE"])


@pytest.mark.process
def test_a_cold_answer_is_framed_once_and_nothing_of_that_is_done_by_the_event_loop(traced, tmp_path):
    archive(tmp_path, *[record("O1")] * 3, dataspec="0B31", name=f"{RACE_KEY}.jvd")
    questions = [parse_question("0B31", {"key": [RACE_KEY], **given}, JRA, formats=("json", "ndjson"))
                 for given in ({}, {"where": ["JyoCD=05"]}, {"format": ["ndjson"]})]  # fmt: skip

    async def scene():
        async with open_gateway(Settings(source=f"archive:{tmp_path}?date=2026-11-18")) as opened:
            return [(await opened.ask(question)).entry.value.body for question in questions], current_thread()

    answers, loop_thread = asyncio.run(scene())
    assert [answer.count(b'"RecordSpec":"O1"') for answer in answers] == [3, 3, 3]
    assert [name for name, _ in traced] == ["__init__", "judge", "tags_of"]
    assert loop_thread not in {thread for _, thread in traced}
