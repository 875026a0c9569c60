"""Finished answers: what they are made of, how long they are given, and how they are made anew."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from jvgate.errors import DatasetTooLarge, JVLinkError, SourceBusy
from jvgate.gateway import answers as answers_module
from jvgate.gateway.opening import open_gateway
from jvgate.question.parsing import parse_question
from jvgate.settings import Settings
from jvgate.values import MISSING
from tests.gateway.scene import at_the_gate, kinds, play, race
from tests.jvlink.memory_shelf import MemoryFile
from tests.raceday import PROVIDED, archive, race_day, record
from tests.specs import JRA


def test_every_stage_of_a_miss_is_timed_and_of_a_hit_the_look_up_alone(shelf):
    async def scene(opened):
        return [await opened.ask(race()) for _ in range(2)]

    first, second = play(shelf, scene)
    assert list(first.stages) == ["l1", "wait", "open", "read", "decode", "render"]
    assert list(second.stages) == ["l1"]
    assert min(first.stages.values()) >= 0


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


@pytest.mark.parametrize("parameters", [{"limit": "2"}, {"raw": "1"}, {"fields": "RaceNum"}, {"labels": "ja"}])
def test_another_form_of_the_same_records_is_made_from_the_dataset_in_memory(shelf, parameters):
    async def scene(opened):
        await opened.ask(race())
        return await opened.ask(race(**parameters))

    assert play(shelf, scene).outcome == "dataset"
    assert shelf.opens == ["RACE"]


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


@pytest.fixture
def joined(tmp_path):
    """An archive with 2382 bytes of RACE and 5782 bytes of DIFN, one record type in a file."""
    for dataspec, files in {"RACE": (["SE", "SE"], ["RA"]), "DIFN": (["UM"], ["KS"])}.items():
        for kind, *more in files:
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


def test_a_joined_question_is_not_taken_for_a_part_of_it(shelf):
    """RACESLOP&record=HR opens RACE alone, and still says what was asked for."""

    async def scene(opened):
        asked = {"from_time": ["20261101"], "record": ["HR"]}
        return [await opened.ask(parse_question(spec, asked, JRA, formats=("json",))) for spec in ("RACE", "RACESLOP")]

    said = [json.loads(served.entry.value.body)["meta"]["dataspec"] for served in play(shelf, scene)]
    assert said == ["RACE", "RACESLOP"]
