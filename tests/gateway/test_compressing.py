"""Answers packed by content codings: quickly for the client that waits, smaller for the next ones."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import zstandard

from jvgate.freshness.tags import EVERYTHING
from jvgate.render.answers import packed
from tests.gateway.scene import play, race


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
