"""Scenes with tiers on a real Redis: what the tests of the second tier share."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from jvgate.cache.redis.keys import Keys
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Packed
from jvgate.values import Dataset, Query, SourceFile
from tests.specs import JRA
from tests.waiting import LIMIT_S, until

__all__ = [
    "IDENTITY",
    "KEYS",
    "QUERY",
    "entry",
    "freeze",
    "is_back",
    "is_left_alone",
    "kept",
    "kill",
    "play",
    "queries",
    "settled",
    "timed",
]

IDENTITY = "demo.test"
KEYS = Keys(IDENTITY)
QUERY = Query("RACE", from_time="20261101000000", option=1)


def queries(count):
    return [Query("0B15", key=f"{number:08}") for number in range(count)]


def entry(query=QUERY, body=b"RA7 records\r\n", *, tags=("RACE", "20261115"), stamp=0, keep_s=60.0, now=None):
    now = time.time() if now is None else now
    files = (SourceFile("RAVM2026111520261114180000.jvd", "20261114180000", 0),)
    dataset = Dataset.landed(query, body, files, "20261114180000", now, layouts=JRA.layouts)
    return Packed(dataset, now + keep_s / 2, now + keep_s, tags, stamp)


def play(scene, *urls, is_up=True, **options):
    """Run *scene* with a tier for each of *urls*, and return what it returns.

    is_up: it begins when all of them are connected.
    """

    async def on_stage():
        async with AsyncExitStack() as end:
            tiers = [
                await end.enter_async_context(
                    RedisTier(url, JRA.layouts, **{"deadline_s": 5.0, "identity": IDENTITY} | options)
                )
                for url in urls
            ]
            if is_up:
                await until(lambda: all(tier.state.is_listening and tier.state.state == "closed" for tier in tiers))
            async with asyncio.timeout(LIMIT_S):
                return await scene(*tiers)

    return asyncio.run(on_stage())


async def settled(tier):
    """Wait until all that was put is written or dropped."""
    await tier._backlog.drain(limit_s=LIMIT_S)
    return tier


async def kept(tier, packed):
    """Put *packed* and wait until it lies in Redis."""
    tier.put(packed)
    await settled(tier)
    return packed


def kill(server):
    """Kill a Redis; return what brings it back."""
    server.kill()
    return server.start


def freeze(server):
    """Stop a Redis in whatever it does; return what lets it go on."""
    server.freeze()
    return server.thaw


async def timed(answer):
    began = time.perf_counter()
    return await answer, time.perf_counter() - began


async def is_left_alone(tier):
    """Ask until the breaker is open; return every answer, and how long the slowest took."""
    answers = []
    while tier.state.state == "closed":
        answers.append(await timed(tier.get(QUERY)))
    return answers


async def is_back(tier):
    await until(lambda: tier.state.state == "closed" and tier.state.is_listening)
