"""The source as the cache reads it, over a real pool."""

import asyncio

from jvgate.gateway.source_reader import SourceReader
from tests.sessions.gated import LIMIT_S, GatedShelf, Links, pool, reached, realtime


def test_what_has_a_session_is_being_read_and_what_waits_for_one_is_not():
    shelf = GatedShelf()

    async def scene():
        async with pool(Links(shelf), sessions=1) as lanes:
            reader = SourceReader(lanes, limit_s=LIMIT_S)
            shelf.gate(realtime(1).key)
            first = asyncio.create_task(reader.read(realtime(1), "prefetch"))
            await reached(shelf, realtime(1))
            second = asyncio.create_task(reader.read(realtime(2), "prefetch"))
            await asyncio.sleep(0)
            shown = [reader.is_being_read(realtime(day)) for day in (1, 2, 3)]
            shelf.gates[realtime(1).key].set()
            await asyncio.gather(first, second)
            return shown, reader.is_being_read(realtime(1))

    assert asyncio.run(scene()) == ([True, False, False], False)
