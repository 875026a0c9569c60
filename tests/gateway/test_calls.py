"""Errands: what goes on when whoever asked has gone, and what is given up."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager

import pytest

from jvgate.cache.memory import Memory
from jvgate.cache.traffic import Traffic
from jvgate.errors import SessionTimeout, SourceBusy
from jvgate.gateway.calls import Errands
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.values import Query, SourceClock
from tests.sessions.scripted import LIMIT_S, Workers, hangs
from tests.specs import JRA
from tests.waiting import until

DEADLINE_S = 0.01


@asynccontextmanager
async def errands_of(workers, **given):
    """Errands through one session, whose deadline passes at once."""
    source = Source("test:", start=workers, check=lambda spec: None, clock=SourceClock())
    async with asyncio.timeout(LIMIT_S), Pool(source, JRA, sessions=1, limit_bytes=1, queue_limit=9) as pool:
        memory, given = Memory(max_entries=9, max_bytes=9999), {"deadline_s": DEADLINE_S} | given
        errands = Errands(pool, memory, Traffic(), **given)
        yield errands, pool
        await errands.close()


def silks(errands):
    return errands.fetch("silks", "赤", keep_s=lambda found: 60.0)


def test_a_call_that_waits_too_long_for_a_session_leaves_the_queue():
    async def scene():
        async with errands_of(Workers(hangs)) as (errands, pool):
            reading = asyncio.create_task(pool.read(Query("0B12", key="20261115")))
            await until(lambda: pool.sessions()[0].doing == "JVGets")
            with pytest.raises(SourceBusy, match="no session became free") as error:
                await silks(errands)
            await until(lambda: not pool.waiting)
            reading.cancel()
            return error.value.place, error.value.retry_after_s

    assert asyncio.run(scene()) == (1, 5)


def test_a_call_that_has_its_session_goes_on_for_the_next_one_who_asks():
    go, calls = threading.Event(), []

    def called(*given):
        calls.append(given)
        assert go.wait(LIMIT_S)

    async def scene():
        async with errands_of(Workers(called, called)) as (errands, pool):
            with pytest.raises(SessionTimeout, match="the call for silks"):
                await silks(errands)
            go.set()
            await until(lambda: pool.idle)
            return (await silks(errands)).entry.value["errand"], len(calls)

    assert asyncio.run(scene()) == ("silks", 1)


@pytest.mark.parametrize("is_purged", [False, True])
def test_what_was_purged_while_it_was_called_for_is_not_kept(is_purged):
    called = []

    async def scene():
        workers, given = Workers(*[lambda *_: None] * 2), {"is_purged": lambda since: called.append(since) or is_purged}
        async with errands_of(workers, deadline_s=LIMIT_S, **given) as (errands, _):
            return [(await silks(errands)).outcome for _ in range(2)]

    began = time.monotonic()
    assert asyncio.run(scene()) == (["miss", "miss"] if is_purged else ["miss", "hit"])
    assert began < called[0] < time.monotonic()
