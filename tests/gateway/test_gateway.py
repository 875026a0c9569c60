"""The one path from a question to its answer, over a real pool and the simulator on a small shelf."""

import asyncio
import json
import time
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from threading import Event, current_thread

import pytest
import zstandard

from jvgate.cache.shared import ALL, NoTier
from jvgate.errors import DatasetTooLarge, JVLinkError, SourceBusy
from jvgate.freshness import policy
from jvgate.freshness.tags import EVERYTHING
from jvgate.gateway import answers as answers_module
from jvgate.gateway.gateway import Gateway
from jvgate.gateway.opening import open_gateway
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.simulator import Simulator
from jvgate.question.parsing import parse_question
from jvgate.records.framing import Framer
from jvgate.render.answers import packed
from jvgate.sessions.archive.rawfile import split
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.settings import Settings
from jvgate.values import MISSING, SourceClock
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile, MemoryShelf
from tests.raceday import GARBAGE, PROVIDED, RACE_KEY, archive, race_day, record
from tests.specs import JRA

LIMIT_S = 10


@dataclass
class GatedShelf(MemoryShelf):
    """A shelf whose opens wait for the gate.  opens: what was asked for; reached: somebody stands there."""

    opens: list[str] = field(default_factory=list)
    gate: Event = field(default_factory=Event)
    reached: Event = field(default_factory=Event)

    def stored(self, dataspec, *, now, setup):
        self.opens.append(dataspec)
        self.reached.set()
        assert self.gate.wait(LIMIT_S)
        return super().stored(dataspec, now=now, setup=setup)


@pytest.fixture
def shelf():
    """One race in two files; the gate stands open."""
    records = race_day()
    shelf = GatedShelf(
        {"RACE": [MemoryFile("a.jvd", PROVIDED, records[:4]), MemoryFile("b.jvd", PROVIDED, records[4:])]}
    )
    shelf.gate.set()
    return shelf


@asynccontextmanager
async def gateway(shelf, *, one_type_per_file=False, **given):
    settings = Settings(sessions=1, **given)
    holding = Holding(
        lambda channel: nullcontext(Simulator(shelf, RULES, now=lambda: NOW)), one_type_per_file=one_type_per_file
    )
    source = Source(
        "test:", start=lambda: ThreadWorker(holding), check=lambda spec: None, clock=SourceClock(NOW, speed=0.0)
    )
    pool = Pool(
        source, JRA, sessions=settings.sessions, limit_bytes=settings.dataset_bytes, queue_limit=settings.queue
    )  # fmt: skip
    async with pool, Gateway(source, JRA, pool, settings, shared=NoTier()) as opened:
        yield opened
        shelf.gate.set()  # nobody is left standing there


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


def race(**parameters):
    given = {"from_time": "20261101"} | parameters
    return parse_question("RACE", {name: [value] for name, value in given.items()}, JRA, formats=("json",))


def play(shelf, scene, **given):
    """Run *scene* with a gateway to *shelf* and return what it returns."""

    async def on_stage():
        async with gateway(shelf, **given) as opened:
            return await scene(opened)

    return asyncio.run(on_stage())


async def at_the_gate(shelf):
    assert await asyncio.to_thread(shelf.reached.wait, LIMIT_S)


def kinds(served):
    return [shown["RecordSpec"] for shown in json.loads(served.entry.value.body)["data"]]


def test_a_question_is_read_once_and_then_answered_from_memory(shelf):
    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)]

    first, second = play(shelf, scene)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert kinds(first) == ["RA", "SE", "SE", "SE", "HR", "O1"]
    assert second.entry is first.entry
    assert shelf.opens == ["RACE"]


def test_every_stage_of_a_miss_is_timed_and_of_a_hit_the_look_up_alone(shelf):
    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)]

    first, second = play(shelf, scene)
    assert list(first.stages) == ["l1", "wait", "open", "read", "decode", "render"]
    assert list(second.stages) == ["l1"]
    assert min(first.stages.values()) >= 0


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


def test_questions_that_need_the_same_dataset_share_its_read(shelf):
    shelf.gate.clear()

    async def scene(opened):
        questions = [race(), race(limit="1"), race(labels="ja"), race(fields="RaceNum")]
        tasks = [asyncio.create_task(opened.ask(question)) for question in questions]
        await at_the_gate(shelf)
        shelf.gate.set()
        return await asyncio.gather(*tasks)

    answers = play(shelf, scene)
    assert [len(rows(served)) for served in answers] == [6, 1, 6, 6]
    assert shelf.opens == ["RACE"]


def rows(served):
    return json.loads(served.entry.value.body)["data"]


def test_an_error_is_shared_by_all_who_wait_and_not_kept(shelf):
    shelf.gate.clear()
    shelf.files["RACE"][0].fault = -403

    async def scene(opened):
        tasks = [asyncio.create_task(opened.ask(race())) for _ in range(3)]
        await at_the_gate(shelf)
        shelf.gate.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        shelf.files["RACE"][0].fault = 0
        return errors, await opened.ask(race())

    errors, later = play(shelf, scene)
    assert [error.code for error in errors if isinstance(error, JVLinkError)] == [-403] * 3
    assert (later.outcome, len(shelf.opens)) == ("miss", 5)  # three cures were tried, for all of them together


def test_nothing_of_a_read_that_failed_is_kept(shelf):
    shelf.files["RACE"][1].fault = -402

    async def scene(opened):
        with pytest.raises(JVLinkError):
            await opened.ask(race())
        return len(opened._memory), opened._memory.bytes, opened._pool.errors

    assert play(shelf, scene) == (0, 0, {-402: 1})


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


@pytest.mark.parametrize("parameters", [{"limit": "2"}, {"raw": "1"}, {"fields": "RaceNum"}, {"labels": "ja"}])
def test_another_form_of_the_same_records_is_made_from_the_dataset_in_memory(shelf, parameters):
    async def scene(opened):
        await opened.ask(race())
        return await opened.ask(race(**parameters))

    assert play(shelf, scene).outcome == "dataset"
    assert shelf.opens == ["RACE"]


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


def test_an_empty_dataset_is_kept_like_any_other(shelf):
    shelf.files.clear()

    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)]

    first, second = play(shelf, scene)
    assert (kinds(first), first.outcome, second.outcome) == ([], "miss", "hit")


def test_a_refresh_reads_again_and_replaces_what_was_kept(shelf, monkeypatch):
    monkeypatch.setattr(answers_module, "REFRESH_AFTER_S", 0.0)

    async def scene(opened):
        await opened.ask(race())
        shelf.files["RACE"].pop()
        return await opened.ask(race(), refresh=True), await opened.ask(race())

    refreshed, later = play(shelf, scene)
    assert (refreshed.outcome, later.outcome) == ("refresh", "hit")
    assert kinds(later) == kinds(refreshed) == ["RA", "SE", "SE", "SE"]


def test_a_refresh_comes_no_more_often_than_its_limit(shelf):
    async def scene(opened):
        await opened.ask(race())
        return [(await opened.ask(race(), refresh=True)).outcome for _ in range(5)]

    assert play(shelf, scene) == ["hit"] * 5
    assert shelf.opens == ["RACE"]


def test_a_refresh_of_another_form_comes_no_more_often_either(shelf):
    async def scene(opened):
        await opened.ask(race())
        return (await opened.ask(race(limit="1"), refresh=True)).outcome

    assert play(shelf, scene) == "dataset"


def test_refreshes_join_the_read_that_runs(shelf, monkeypatch):
    monkeypatch.setattr(answers_module, "REFRESH_AFTER_S", 0.0)

    async def scene(opened):
        await opened.ask(race())
        shelf.gate.clear()
        shelf.reached.clear()
        tasks = [asyncio.create_task(opened.ask(race(), refresh=True)) for _ in range(10)]
        await at_the_gate(shelf)
        shelf.gate.set()
        return [served.outcome for served in await asyncio.gather(*tasks)]

    assert play(shelf, scene) == ["refresh"] + ["collapsed"] * 9
    assert len(shelf.opens) == 2


def test_a_refresh_that_fails_leaves_the_kept_answer_in_place(shelf, monkeypatch):
    monkeypatch.setattr(answers_module, "REFRESH_AFTER_S", 0.0)

    async def scene(opened):
        await opened.ask(race())
        shelf.files["RACE"][0].fault = -403
        with pytest.raises(JVLinkError):
            await opened.ask(race(), refresh=True)
        return await opened.ask(race())

    assert play(shelf, scene).outcome == "hit"


def test_while_the_source_fails_it_is_asked_once_for_all_forms_and_for_those_who_insist(shelf, monkeypatch):
    monkeypatch.setattr(answers_module, "REFRESH_AFTER_S", 0.0)

    async def scene(opened):
        forms = [race(), race(limit="1"), race(raw="1")]
        for form in forms:
            await opened.ask(form)
        age(opened, fresh_s=-1.0, error_s=60.0)
        opened._datasets.refreshes.note(str(forms[0].queries[0]), SourceBusy(1))
        served = [await opened.ask(form, refresh=refresh) for form in forms for refresh in (False, True)]
        return {each.outcome for each in served}, len(opened._datasets.refreshes)

    assert play(shelf, scene) == ({"fallback"}, 0)
    assert shelf.opens == ["RACE"]


def test_after_the_rest_one_refresh_asks_the_source_that_failed_and_nobody_waits(shelf):
    async def scene(opened):
        await opened.ask(race())
        age(opened, fresh_s=-1.0, error_s=60.0)
        shelf.gate.clear()
        shelf.reached.clear()
        refreshes = opened._datasets.refreshes
        refreshes._resting[str(race().queries[0])] = (0.0, 1.0)  # failed long ago
        outcomes = [(await opened.ask(race())).outcome for _ in range(3)]
        await at_the_gate(shelf)
        return outcomes

    assert play(shelf, scene) == ["fallback"] * 3
    assert shelf.opens == ["RACE"] * 2


def test_what_is_asked_for_out_of_memory_alone_is_noted_and_followed_when_it_gets_old(shelf):
    async def scene(opened):
        await opened.ask(race())
        noted = []
        opened._asked.add(lambda question: noted.append("asked"))
        opened._datasets.landed.add(lambda news: noted.append("landed"))
        age(opened, fresh_s=-1.0, stale_s=60.0)
        for _ in range(3):
            assert opened.kept(race(), str(race())) is not MISSING
        await asyncio.gather(*opened._datasets.refreshes._running.values())
        return noted

    assert play(shelf, scene) == ["asked", "landed"]


def age(opened, *, fresh_s, stale_s=0.0, error_s=0.0):
    """Give all that is kept other windows, from now on."""
    now = time.monotonic()
    for slot in opened._memory._order:
        windows = {"fresh_until": now + fresh_s, "stale_until": now + stale_s, "error_until": now + error_s}
        slot.entry = replace(slot.entry, **windows)


def test_a_dataset_over_the_limit_is_refused_and_a_smaller_one_is_not(shelf):
    shelf.files["RACE"].append(MemoryFile("c.jvd", PROVIDED, [record("H6")]))

    async def scene(opened):
        with pytest.raises(DatasetTooLarge) as error:
            await opened.ask(race())
        return error.value.limit_bytes, await opened.ask(race(record="SE,RA"))

    limit_bytes, served = play(shelf, scene, dataset_bytes=10_000)
    assert (limit_bytes, len(kinds(served))) == (10_000, 4)


def test_a_rendered_answer_over_its_limit_is_refused_and_a_smaller_part_of_it_is_not(shelf):
    async def scene(opened):
        with pytest.raises(DatasetTooLarge, match="rendered") as error:
            await opened.ask(race())
        return error.value.limit_bytes, len(kinds(await opened.ask(race(fields="RecordSpec"))))

    assert play(shelf, scene, answer_bytes=2000) == (2000, 6)


def test_an_answer_larger_than_the_memory_is_given_and_not_kept(shelf):
    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)], opened._memory.bytes

    answers, kept_bytes = play(shelf, scene, l1_bytes=100)
    assert [(served.outcome, served.is_kept) for served in answers] == [("miss", False)] * 2
    assert kept_bytes == 0


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
def test_of_an_answer_whose_dataset_is_outdated_no_form_is_kept(shelf, coding):
    async def scene(opened):
        opened._datasets.has_newer = lambda query, entry: True
        await opened.ask(replace(race(), coding=coding))
        return [key for key, _ in opened._memory.items()]

    assert play(shelf, scene) == ["jra:RACE:20261101000000-:1"]


@asynccontextmanager
async def packed_twice(opened, coding, monkeypatch):
    """Yield the first answer in *coding*, with which all are worth packing twice; end behind what that begins."""
    monkeypatch.setattr("jvgate.gateway.compressing._LEAST_BYTES", 1024)
    yield await opened.ask(replace(race(), coding=coding))
    await asyncio.gather(*opened._packer._waiting)


@pytest.fixture
def squeezed(monkeypatch):
    """The codings in which something was packed small, which here takes one byte off what was packed quickly."""
    done = []

    def small(answer, coding, *, level=None, is_small=False):
        if not is_small:
            return packed(answer, coding, level=level)
        done.append(coding)
        return replace(packed(answer, coding), body=packed(answer, coding).body[:-1], etag='"small"')

    monkeypatch.setattr("jvgate.gateway.compressing.packed", small)
    return done


@pytest.mark.parametrize(("coding", "times"), [("br", 1), ("zstd", 1), ("gzip", 0)])
def test_what_is_asked_for_again_is_packed_smaller_once_behind_the_answer(shelf, monkeypatch, squeezed, coding, times):
    async def scene(opened):
        async with packed_twice(opened, coding, monkeypatch) as first:
            again = [(await opened.ask(replace(race(), coding=coding))).entry.value for _ in range(3)]
        return first, again, [(await opened.ask(replace(race(), coding=coding))).entry for _ in range(3)]

    first, again, then = play(shelf, scene)
    assert again == [first.entry.value] * 3
    assert squeezed == [coding] * times
    assert then[0] is then[1] is then[2]
    assert len(then[0].value.body) == len(first.entry.value.body) - times
    assert then[0].weight == first.entry.weight - times
    assert (then[0].read_at, then[0].fresh_until) == (first.entry.read_at, first.entry.fresh_until)
    assert then[0].refresh_at > then[0].read_at
    assert shelf.opens == ["RACE"]


def test_what_had_to_be_packed_is_never_unpacked_behind_the_answer(shelf, monkeypatch):
    """Parquet holds compressed data, and is not packed unless the client takes nothing else."""
    selection = replace(race(record="SE").selection, format="parquet")
    question = replace(race(), selection=selection, coding="zstd", takes_plain=False)

    async def scene(opened):
        monkeypatch.setattr("jvgate.gateway.compressing._LEAST_BYTES", 1024)
        first = await opened.ask(question)
        assert (await opened.ask(question)).entry is first.entry
        await asyncio.gather(*opened._packer._waiting)
        plain = await opened.ask(replace(question, takes_plain=True))
        return [first.entry.value, (await opened.ask(question)).entry.value, plain.entry.value]

    *packed, plain = play(shelf, scene)
    assert [answer.coding for answer in packed] == ["zstd"] * 2
    assert [zstandard.decompress(answer.body) for answer in packed] == [plain.body] * 2


def test_what_does_not_get_smaller_stays_as_it_is(shelf, monkeypatch):
    sizes = {False: 100, True: 100}

    def same(answer, coding, *, level=None, is_small=False):
        return replace(answer, body=bytes(sizes[is_small]), coding=coding, etag=f'"{is_small}"')

    async def scene(opened):
        async with packed_twice(opened, "zstd", monkeypatch):
            await opened.ask(replace(race(), coding="zstd"))
        return (await opened.ask(replace(race(), coding="zstd"))).entry

    monkeypatch.setattr("jvgate.gateway.compressing.packed", same)
    assert play(shelf, scene).value.etag == '"False"'


@pytest.mark.parametrize("goes", [("plain",), ("plain", "raw"), ("packed",)])
def test_what_has_left_memory_is_not_read_for_that(shelf, monkeypatch, squeezed, goes):
    """Before the hit, or, of the packed one, while it is being packed."""
    keys = {"plain": str(race()), "raw": "jra:RACE:20261101000000-:1", "packed": str(replace(race(), coding="zstd"))}

    async def scene(opened):
        async with packed_twice(opened, "zstd", monkeypatch):
            if goes == ("packed",):
                await opened.ask(replace(race(), coding="zstd"))
            for name in goes:
                for slot in [slot for slot in opened._memory._order if slot.key == keys[name]]:
                    opened._memory.drop(slot)
            if goes != ("packed",):
                hits = [await opened.ask(replace(race(), coding="zstd")) for _ in range(3)]
                assert [hit.outcome for hit in hits] == ["hit"] * 3
        return keys["packed"] in dict(opened._memory.items())

    assert play(shelf, scene) == (goes != ("packed",))
    assert squeezed == (["zstd"] if goes == ("packed",) else [])
    assert shelf.opens == ["RACE"]


def test_what_is_purged_while_it_is_packed_again_stays_away(shelf, monkeypatch, squeezed):
    async def scene(opened):
        async with packed_twice(opened, "zstd", monkeypatch):
            await opened.ask(replace(race(), coding="zstd"))
            await opened.purge(EVERYTHING)
        return list(opened._memory.items())

    assert play(shelf, scene) == []


def test_no_more_wait_for_that_than_a_few(shelf, monkeypatch, squeezed):
    async def scene(opened):
        monkeypatch.setattr("jvgate.gateway.compressing._MOST_WAITING", 0)
        async with packed_twice(opened, "zstd", monkeypatch):
            await opened.ask(replace(race(), coding="zstd"))
        monkeypatch.setattr("jvgate.gateway.compressing._MOST_WAITING", 1)
        await opened.ask(replace(race(), coding="zstd"))
        await asyncio.gather(*opened._packer._waiting)

    play(shelf, scene)
    assert squeezed == ["zstd"]


@pytest.mark.parametrize(
    "given",
    [
        {"compression_levels": {"zstd": 3}},
        {"lifetimes": {"RACE": dict.fromkeys(("floor", "fresh", "ceiling", "settled"), 100)}},
    ],
)
def test_what_has_a_level_of_its_own_or_lives_short_is_packed_once(shelf, monkeypatch, squeezed, given):
    async def scene(opened):
        async with packed_twice(opened, "zstd", monkeypatch) as first:
            return first, await opened.ask(replace(race(), coding="zstd"))

    first, again = play(shelf, scene, **given)
    assert again.entry is first.entry
    assert squeezed == []


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


@pytest.mark.process
def test_a_joined_question_reads_what_is_missing_and_takes_the_rest_from_memory(tmp_path):
    archive(tmp_path, record("UM"), dataspec="DIFN")
    archive(tmp_path, *race_day())
    joined = parse_question("RACEDIFN", {"from_time": ["20261101"]}, JRA, formats=("json",))

    async def scene():
        async with open_gateway(Settings(source=f"archive:{tmp_path}?date=2026-11-18")) as opened:
            await opened.ask(race())
            return await opened.ask(joined), opened._pool.opens

    served, opens = asyncio.run(scene())
    assert kinds(served) == ["RA", "SE", "SE", "SE", "HR", "O1", "UM"]
    assert opens == {"RACE": 1, "DIFN": 1}


def test_look_ups_are_counted_by_tier_and_result(shelf):
    async def scene(opened):
        for _ in range(3):
            await opened.ask(race())
        return opened._traffic.totals(), opened.kept(race(), "nothing")

    assert play(shelf, scene) == ({("l1", "miss"): 1, ("l1", "hit"): 2}, MISSING)


def test_a_joined_question_is_not_taken_for_a_part_of_it(shelf):
    """RACESLOP&record=HR opens RACE alone, and still says what was asked for."""

    async def scene(opened):
        asked = {"from_time": ["20261101"], "record": ["HR"]}
        return [await opened.ask(parse_question(spec, asked, JRA, formats=("json",))) for spec in ("RACE", "RACESLOP")]

    said = [json.loads(served.entry.value.body)["meta"]["dataspec"] for served in play(shelf, scene)]
    assert said == ["RACE", "RACESLOP"]


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


@pytest.fixture
def joined(tmp_path):
    """An archive with 2382 bytes of RACE and 5782 bytes of DIFN, one record type in a file."""
    for dataspec, kinds in {"RACE": (["SE", "SE"], ["RA"]), "DIFN": (["UM"], ["KS"])}.items():
        for kind, *more in kinds:
            name = f"{kind}VM2026111520261116140000.jvd"
            archive(tmp_path, *[record(kind)] * (1 + len(more)), dataspec=dataspec, name=name)
    return Settings(source=f"archive:{tmp_path}?date=2026-11-18", sessions=1, dataset_bytes=6000)


def stored(dataspec, *records):
    given = {"from_time": ["20261101"]} | ({"record": list(records)} if records else {})
    return parse_question(dataspec, given, JRA, formats=("json",))


@pytest.mark.process
def test_joined_data_specs_count_together_against_the_limit_wherever_they_come_from(joined):
    async def scene():
        async with open_gateway(joined) as opened:
            for _ in range(2):  # read from the source, then found in memory
                with pytest.raises(DatasetTooLarge, match=r"RACE:.* and .*DIFN:") as error:
                    await opened.ask(stored("RACEDIFN"))
            assert [len(kinds(await opened.ask(stored(dataspec)))) for dataspec in ("RACE", "DIFN")] == [3, 2]
            return error.value.limit_bytes, opened._pool.opens

    assert asyncio.run(scene()) == (6000, {"RACE": 1, "DIFN": 1})


@pytest.mark.process
@pytest.mark.parametrize("is_warm", [False, True])
def test_only_the_records_asked_for_count_though_memory_has_more(joined, is_warm):
    async def scene():
        async with open_gateway(joined) as opened:
            for dataspec in ("RACE", "DIFN") if is_warm else ():
                await opened.ask(stored(dataspec))
            with pytest.raises(DatasetTooLarge):
                await opened.ask(stored("RACEDIFN", "SE", "RA", "KS"))
            return kinds(await opened.ask(stored("RACEDIFN", "SE", "KS")))

    assert asyncio.run(scene()) == ["SE", "SE", "KS"]
