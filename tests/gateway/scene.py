"""A gateway over a real pool and the simulator, on a small shelf whose gate opens when a test says so."""

import asyncio
import json
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Event

from jvgate.cache.shared import NoTier
from jvgate.gateway.gateway import Gateway
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.simulator import Simulator
from jvgate.question.parsing import parse_question
from jvgate.sessions.holders import ThreadWorker
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.settings import Settings
from jvgate.values import SourceClock
from tests.jvlink.memory_shelf import NOW, RULES, MemoryShelf
from tests.specs import JRA

__all__ = ["GatedShelf", "at_the_gate", "gateway", "kinds", "play", "race"]

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
