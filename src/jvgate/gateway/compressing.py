"""Packs finished answers by content codings: quickly for who waits, and once more, smaller, for those who come later.

Theory of operation.  Who waits for an answer had better get it soon than small.  One that is large, lives long and is
asked for again is worth more work: its first hit has it packed anew, while nobody waits, and from then on it is sent
small.  That is another representation, with another ETag.  It is done once in an answer's life, out of memory alone,
and a few at a time; what has left memory meanwhile, or did not get smaller, stays as it is.  A coding whose level the
settings name is packed at that level alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from jvgate.cache.entries import ENTRY_OVERHEAD_BYTES
from jvgate.cache.memory import Store
from jvgate.render.answers import packed, unpacked
from jvgate.render.compression import CODINGS, levels_with, pays
from jvgate.sessions.threads import DaemonThread
from jvgate.values import MISSING, Answer, Entry, Missing

__all__ = ["Packer"]

# From this size on, up to that, and while it lives so much longer, an answer is worth packing twice.
_LEAST_BYTES, _MOST_BYTES = 1 << 16, 32 << 20
_LEAST_S = 120.0
_MOST_WAITING = 4  # each keeps a whole answer in memory


class Packer:
    """Packs on threads.  answers: where they are kept.  workers: for who waits.  overrides: levels by coding.

    clock: of the entries.

    Raises SettingsError for what is no level.
    """

    def __init__(
        self, answers: Store[Answer], workers: Executor, overrides: Mapping[str, int], *, clock: Callable[[], float]
    ) -> None:
        self.levels = levels_with(overrides)
        self._twice = frozenset(name for name, coding in CODINGS.items() if coding.squeeze) - overrides.keys()
        self._answers = answers
        self._workers = workers
        self._clock = clock
        self._thread = DaemonThread("jvgate-pack")  # one: what nobody waits for takes one processor at most
        self._waiting: set[asyncio.Task[None]] = set()

    @property
    def is_free(self) -> bool:
        """Whether one more may be packed again; else that is put off until its next hit."""
        return len(self._waiting) < _MOST_WAITING

    async def pack(self, plain: Entry[Answer], coding: str, *, takes_plain: bool = True) -> Entry[Answer]:
        """Return *plain* packed quickly; where that is worth it, so that its first hit has it packed again.

        takes_plain: whether it comes back as it is where packing does not pay.
        """
        if takes_plain and not pays(len(plain.value.body), plain.value.content_type):
            return plain
        packing = partial(packed, plain.value, coding, level=self.levels[coding])
        answer = await asyncio.get_running_loop().run_in_executor(self._workers, packing)
        pays_again = (
            coding in self._twice
            and _LEAST_BYTES <= len(plain.value.body) <= _MOST_BYTES
            and plain.fresh_until - self._clock() >= _LEAST_S
        )
        return replace(_with(plain, answer), packs_again=pays_again)

    async def repack(self, entry: Entry[Answer], coding: str, *, takes_plain: bool) -> Entry[Answer]:
        """Return *entry*, whatever its coding, as `pack` would have made it ("" for no coding)."""
        if entry.value.coding == coding:
            return entry
        plain = entry
        if entry.value.coding:
            unpacking = partial(unpacked, entry.value)
            plain = _with(entry, await asyncio.get_running_loop().run_in_executor(self._workers, unpacking))
        return await self.pack(plain, coding, takes_plain=takes_plain) if coding else plain

    def pack_again(self, key: str, entry: Entry[Answer], plain: Entry[Answer] | Missing) -> None:
        """Have *entry*, which memory keeps under *key*, packed small, if *plain*, which it was made of, is there."""
        once = replace(entry, packs_again=False)
        self._answers.put(key, once)
        if plain is not MISSING:
            task = asyncio.create_task(self._pack_again(key, once, plain.value), name=f"jvgate-pack-{key}")
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Give up what is waiting; what the thread is at is given up with the process."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        self._thread.stop()

    async def _pack_again(self, key: str, entry: Entry[Answer], plain: Answer) -> None:
        packing = partial(packed, plain, entry.value.coding, is_small=True)
        answer = await asyncio.wrap_future(self._thread.submit(packing))
        if len(answer.body) < len(entry.value.body) and self._answers.last(key) is entry:  # neither purged nor replaced
            self._answers.put(key, _with(entry, answer))


def _with(entry: Entry[Answer], answer: Answer) -> Entry[Answer]:
    return replace(entry, value=answer, weight=len(answer.body) + ENTRY_OVERHEAD_BYTES, packs_again=False)
