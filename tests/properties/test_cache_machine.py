"""Two processes with memories of their own, one tier and one source: whatever happens, nobody is given the wrong.

Their clocks do not agree: neither the monotonic ones nor those of the wall.

The promise, of what a `get` returns:
- it is the dataset of that query, or the wider one that holds all of it;
- fresh: the read ended at most `fresh` seconds ago; stale and fallback: at most so long after that as was judged, the
  first only to who takes something stale, the second only when the source failed, and never of both what is not newer
  than he wants it;
- its read began after every purge of it that its process knew of when the `get` began, its own or one it was told of.
What a process has not been told yet it cannot know: of purges that lie in its ears' way nothing is promised.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jvgate.cache.datasets import Datasets
from jvgate.cache.entries import Judged
from jvgate.cache.memory import Memory
from jvgate.errors import JVLinkError, ReadCancelled, SourceBusy, SourceError
from jvgate.freshness import policy
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.tags import has_any
from jvgate.values import Dataset, Query
from tests.cache.clocks import STOPPED, Clock, without_threads
from tests.cache.shared_fake import Board, BoardTier
from tests.specs import JRA

WIDE = Query("RACE", from_time="20261101000000", option=1)
QUERIES = [WIDE, Query("RACE", from_time="20261101000000", option=1, records=("RA",)), Query("0B12", key="20261115")]
TAGS = ["RACE", "0B12", "all"]
STALE_S, ERROR_S = 20.0, 60.0
ERRORS = [JVLinkError(-504, "JVOpen"), SourceBusy(3), JVLinkError(-301, "JVOpen"), ReadCancelled("a prefetch")]
EXAMPLES, STEPS = 40, 100
TURNS = 25  # of the loop, until nothing goes on without a rule

nodes = st.integers(0, 1)
indices = st.integers(0, 9)
seconds = st.sampled_from([0.5, 2.0, 6.0, 30.0, 42.0, 70.0])


@dataclass(eq=False)
class Read:
    """One read of the source.  step: of the machine, when it began; ended_at: by the clock."""

    query: Query
    step: int
    end: asyncio.Future
    fresh_s: float = 10.0
    ended_at: float = 0.0

    @property
    def windows(self):
        return self.fresh_s, min(STALE_S, self.fresh_s), ERROR_S


@dataclass
class Source:
    """Reads stand until the machine ends them.  One for all processes; the body is the number of the read."""

    clock: Clock
    step: int = 0
    reads: list[Read] = field(default_factory=list)
    failed: set[Query] = field(default_factory=set)

    async def read(self, query, urgency):
        read = Read(query, self.step, asyncio.get_running_loop().create_future())
        self.reads.append(read)
        number = len(self.reads) - 1
        await read.end
        read.ended_at = self.clock()
        read_at = self.clock() + 1e4  # by the clock of wherever it was read
        return Dataset.landed(query, b"%d" % number, read_at=read_at, layouts=JRA.layouts)

    def hasten(self, query):
        pass

    def is_being_read(self, query):
        return True

    def is_nearly_read(self, query):
        return False

    @property
    def standing(self):
        return [read for read in self.reads if not read.end.done()]

    def judge(self, dataset, before):
        return Judged(*self.reads[int(dataset.body)].windows, frozenset({dataset.query.dataspec}))

    def after(self, query):
        return STALE_S, ERROR_S

    def is_passing(self, error):
        return freshness.is_passing(error)


freshness = policy.Judge(JRA, Lifetimes(JRA), clock=STOPPED)


class Node:
    """One process.  began_s: when its clock was 0, by the source's."""

    def __init__(self, board, source, clock, *, began_s):
        self.began_s = began_s
        self.tier = BoardTier(board, clock=clock, ahead_s=began_s, on_purge=self.forget)
        self.datasets = Datasets(
            Memory(max_entries=2, max_bytes=1 << 20, clock=self.clock), source, judge=source, shared=self.tier,
            monotonic=self.clock, most_waiters=100,
        )  # fmt: skip
        self._clock = clock

    def clock(self):
        return self._clock() - self.began_s

    def forget(self, tags):
        self.datasets.purge(lambda found: has_any(found, tags))


@dataclass(eq=False)
class Asking:
    """One `get` on its way.  least: the step after which its reads must have begun, by tag."""

    node: int
    query: Query
    newer_than: float
    stale_ok: bool
    task: asyncio.Task
    least: dict[str, int]


class CacheMachine(RuleBasedStateMachine):
    """Rules are what may happen; `check` looks at every answer as it comes."""

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        without_threads(self.loop)
        self.clock = Clock()
        self.source = Source(self.clock)
        self.asking: list[Asking] = []
        self.known: list[Counter[str]] = [Counter(), Counter()]  # by tag, the newest purge that a process knows of
        self.unheard: list[list[tuple[str, int]]] = [[], []]
        self.nodes = self._run(self._make)

    @rule(node=nodes, query=st.sampled_from(QUERIES), answer=st.sampled_from(["", "", "given", "given", "failed"]),
          later_s=st.sampled_from([0.0, 0.0, 6.0, 42.0]))  # fmt: skip
    def get(self, node, query, answer, later_s):
        """Ask as most do.  answer: how all reads that stand end at once, "" for not at all."""
        self.clock.now_s += later_s
        self._ask(node, query, float("-inf"), stale_ok=True, urgency="now")
        for _ in self.source.standing if answer else ():
            self.end_read(which=0, fresh_s=40.0, error=None if answer == "given" else ERRORS[0])

    @rule(node=nodes, query=st.sampled_from(QUERIES))
    def get_at_once(self, node, query):
        self._ask(node, query, float("-inf"), stale_ok=True, urgency="now")

    @rule(node=nodes, query=st.sampled_from(QUERIES), age=st.none() | seconds, stale_ok=st.booleans(),
          urgency=st.sampled_from(["now", "refresh", "prefetch"]))  # fmt: skip
    def get_some_other_way(self, node, query, age, stale_ok, urgency):
        newer_than = float("-inf") if age is None else self.clock() - age
        self._ask(node, query, newer_than, stale_ok=stale_ok, urgency=urgency)

    @precondition(lambda self: self.asking)
    @rule(which=indices)
    def leave(self, which):
        asking = self.asking.pop(which % len(self.asking))
        self._run(asking.task.cancel)

    @rule(node=nodes, query=st.sampled_from(QUERIES), age=seconds)
    def refresh(self, node, query, age):
        self._run(lambda: self.nodes[node].datasets.refresh(query, newer_than=self.nodes[node].clock() - age))

    @precondition(lambda self: self.source.standing)
    @rule(which=indices, fresh_s=st.sampled_from([5.0, 40.0]), error=st.sampled_from([None, None, None, *ERRORS]))
    def end_read(self, which, fresh_s, error):
        read = self.source.standing[which % len(self.source.standing)]
        read.fresh_s = fresh_s
        if error is None:
            self._run(lambda: read.end.set_result(None))
        else:
            self.source.failed.add(read.query)
            self._run(lambda: read.end.set_exception(error))

    @rule(node=nodes, tag=st.sampled_from(TAGS))
    def purge(self, node, tag):
        """As the gateway does: memory first, then the tier, which tells the others."""
        made, other = self.source.step, 1 - node
        self.known[node][tag] = made

        async def purge():
            self.nodes[node].forget((tag,))
            await self.nodes[node].tier.purge(tag)

        self.unheard[other].append((tag, made))
        if not self.nodes[other].tier.is_deaf:
            self._told(other)
        self._run(purge)

    @rule(node=nodes, is_deaf=st.sampled_from([False, False, True]))
    def turn(self, node, is_deaf):
        """Cut a process off from the news, or let it hear again, and first what it missed."""
        self.nodes[node].tier.is_deaf = is_deaf
        if not is_deaf:
            self._told(node)
            self._run(self.nodes[node].tier.hear)

    @rule(node=nodes, is_open=st.sampled_from([True, True, False]))
    def hold(self, node, is_open):
        """Keep replies of the tier on the wire, or let them come."""
        gate = self.nodes[node].tier.gate
        self._run(gate.set if is_open else gate.clear)

    @invariant()
    def check(self):
        for asking in [asking for asking in self.asking if asking.task.done()]:
            self.asking.remove(asking)
            if not asking.task.cancelled():
                self._check(asking)

    def teardown(self):
        if hasattr(self, "loop"):
            self._run(self._end)
            self.loop.close()

    def _ask(self, node, query, newer_than, *, stale_ok, urgency):
        async def ask():
            asked, newer = self.nodes[node], newer_than - self.nodes[node].began_s
            getting = asked.datasets.get(query, newer_than=newer, stale_ok=stale_ok, urgency=urgency)
            return asyncio.create_task(getting)

        known = dict(self.known[node])
        self.asking.append(Asking(node, query, newer_than, stale_ok, self._run(ask), known))

    def _check(self, asking):
        if (error := asking.task.exception()) is not None:
            assert isinstance(error, SourceError), repr(error)
            return
        got = asking.task.result()
        read, now = self.source.reads[int(got.entry.value.body)], self.clock()
        assert read.query in {asking.query, WIDE if asking.query.dataspec == "RACE" else asking.query}
        fresh_s, stale_s, error_s = read.windows
        allowed_s = fresh_s + {"stale": stale_s, "fallback": error_s}.get(got.how, 0.0)
        assert now < read.ended_at + allowed_s, (got.how, now - read.ended_at)
        assert read.ended_at > asking.newer_than
        assert asking.stale_ok or got.how not in ("stale", "fallback")
        assert got.how != "fallback" or asking.query in self.source.failed
        least = max(asking.least.get("all", 0), asking.least.get(read.query.dataspec, 0))
        assert read.step > least or not least, "it was purged before it was asked for"

    async def _make(self):
        board = Board()
        clocks = [{"began_s": 500.0}, {"began_s": -70.0}]
        return [Node(board, self.source, self.clock, **off) for off in clocks]

    async def _end(self):
        for node in self.nodes:
            node.tier.gate.set()
        for asking in self.asking:
            asking.task.cancel()  # or it would begin another read, which nobody ends
        for node in self.nodes:
            await node.datasets.close()
        await asyncio.gather(*(asking.task for asking in self.asking), return_exceptions=True)

    def _told(self, node):
        for tag, made in self.unheard[node]:
            self.known[node][tag] = max(made, self.known[node][tag])
        self.unheard[node].clear()

    def _run(self, do):
        """Do *do* in the loop, and let everything go on that can."""
        self.source.step += 1

        async def act():
            done = do()
            if asyncio.iscoroutine(done):
                done = await done
            before = sum(node.tier.counts.total() for node in getattr(self, "nodes", ()))
            for _ in range(TURNS):
                await asyncio.sleep(0)
            after = sum(node.tier.counts.total() for node in getattr(self, "nodes", ()))
            assert after - before < TURNS, "it asks over and over"
            return done

        return self.loop.run_until_complete(act())


TestCache = CacheMachine.TestCase
TestCache.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=100, deadline=None, derandomize=True, database=None
)
