"""The interface of the tier behind memory, which all processes that point at it share, and its values.

A tier that cannot be reached raises no error.  It answers at once: a `Miss`, a lease of one's own, a purge that is
owed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from types import TracebackType
from typing import Protocol, Self

from jvgate.values import Dataset, Query

__all__ = [
    "ALL",
    "Inspection",
    "KeptKey",
    "Lease",
    "Miss",
    "NoTier",
    "ObservedTier",
    "Packed",
    "SharedPurge",
    "SharedTier",
    "TierState",
]

ALL = "all"
"""The tag that every entry carries."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A dataset with its facts in the cache.

    fresh_until, stale_until, and the dataset's read_at: seconds since the epoch, by the clock of the tier.
    tags: a purge of one of them removes it.  stamp: the last purge that was known when its read began.
    """

    dataset: Dataset
    fresh_until: float
    stale_until: float
    tags: tuple[str, ...] = ()
    stamp: int = 0


@dataclass(frozen=True, slots=True)
class Miss:
    """The absence of a value.  reason: why, in one word."""

    reason: str


@dataclass(frozen=True, slots=True)
class TierState:
    """How the tier is.  state: `off`, `closed` (all is well), `half-open`, `open`.  reason: one word, "" when well.

    writes: the same word for writes alone, "" when the tier takes them.  is_listening: whether purges arrive.
    """

    state: str
    reason: str = ""
    writes: str = ""
    is_listening: bool = False


@dataclass(frozen=True, slots=True)
class SharedPurge:
    """The outcome of a purge.  entries: how many left the tier; is_owed: Redis was out of reach, it is done later."""

    entries: int = 0
    is_owed: bool = False


@dataclass(frozen=True, slots=True)
class KeptKey:
    """An entry of the tier.  bytes: as kept, compressed; expires_in_s: until the tier drops it by itself.

    age_s: since it was read from the source, None where that cannot be told.
    """

    query: str
    bytes: int
    expires_in_s: float
    age_s: float | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the tier holds.  entries: all of them; keys: some of them, those that live longest first.

    bytes: of all entries, as kept, compressed.
    """

    entries: int = 0
    keys: tuple[KeptKey, ...] = ()
    bytes: int = 0


@dataclass(slots=True, eq=False)
class Lease:
    """The right to read a query from the source; used with `with`, around the read and the `put`.

    is_shared: no other process may read it meanwhile.  False when the tier cannot say: everyone for himself.
    stamp: the last purge that was known when it was taken; it belongs into what is put.
    Giving it back is done behind a `put` before it, so that whoever waits finds the value first.
    """

    stamp: int = 0
    is_shared: bool = False
    on_release: Callable[[], None] = field(default=lambda: None, repr=False)
    is_released: bool = field(default=False, init=False)

    def release(self) -> None:
        """Give it back.  A second time does nothing."""
        if not self.is_released:
            self.is_released = True
            self.on_release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class SharedTier(Protocol):
    """A tier behind memory.  No method raises but by cancellation, and cancelling one disturbs no other."""

    @property
    def ahead_s(self) -> float:
        """Seconds by which the tier's clock, which all processes share, is ahead of memory's."""

    async def get(self, query: Query) -> Packed | Miss:
        """Return the entry of *query* within the tier's deadline."""

    def put(self, packed: Packed) -> None:
        """Keep *packed* soon, or not at all: nobody waits for it."""

    async def lease(self, query: Query) -> Lease | None:
        """Return the lease of *query*, or None when somebody else has it.

        It is renewed as long as the task that took it runs; then it expires by itself.
        """

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        """Return the entry of *query* as it lands.  newer_than: when it must have been read later, by its clock.

        A miss comes as soon as nobody reads it (`free`: ask for the lease), at the limit (`late`), or in trouble.
        """

    async def purge(self, *tags: str) -> SharedPurge:
        """Remove what carries any of *tags*, here and for everybody, and what is being read since before."""

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Take here nothing any more that carries any of *tags* and was read before now; return the stamp of that.

        stamp: what another process, which purges them, got here.  A second time does nothing.
        """


class ObservedTier(SharedTier, Protocol):
    """A tier with its figures, for metrics and `jvgate cache`.

    counts: (request, result) -> how often; looks: (data spec, result of a lookup) -> how often; both for reading only.
    """

    counts: Counter[tuple[str, str]]
    looks: Counter[tuple[str, str]]

    @property
    def state(self) -> TierState:
        """The tier's present state."""

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return the entries of the tier, with at most *limit* keys; none when it is out of reach."""


class NoTier:
    """The `SharedTier` without Redis: nothing is found, nothing is kept, and every process reads for itself.

    Its misses are not counted: nothing was asked.
    """

    ahead_s = 0.0
    state = TierState("off")

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.looks: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing."""

    async def get(self, query: Query) -> Packed | Miss:
        """Return a miss."""
        return Miss("off")

    def put(self, packed: Packed) -> None:
        """Do nothing."""

    async def lease(self, query: Query) -> Lease | None:
        """Return a lease that no other process knows."""
        return Lease()

    async def wait(self, query: Query, *, limit_s: float, newer_than: float = -inf) -> Packed | Miss:
        """Return a miss: no other process reads."""
        return Miss("off")

    async def purge(self, *tags: str) -> SharedPurge:
        """Return that no entry was there."""
        return SharedPurge()

    def fence(self, *tags: str, stamp: int = 0) -> int:
        """Return no stamp: there is no entry to reject."""
        return 0

    async def inspect(self, *, limit: int = 1000) -> Inspection:
        """Return that no entry is there."""
        return Inspection()
