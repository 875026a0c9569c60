"""Packs finished answers by content codings: quickly for who waits, and once more, smaller, for those who come later.

Theory of operation.  Who waits for an answer had better get it soon than small.  One that is large, lives long and is
asked for again is worth more work: its first hit has it packed anew, while nobody waits (`Gateway`), and from then on
it is sent small.  That is another representation, with another ETag.  A coding whose level the settings name is packed
at that level alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Final

from jvgate.render.compression import CODINGS, levels_with
from jvgate.render.forms import packed
from jvgate.sessions.threads import DaemonThread
from jvgate.values import Answer, Entry

__all__ = ["AGAIN_BYTES", "AGAIN_S", "Packer"]

# From this size on, and while it lives so much longer, an answer is worth to be packed twice.
AGAIN_BYTES: Final = 1 << 16
AGAIN_S: Final = 120.0


class Packer:
    """Packs on threads.  workers: for who waits.  overrides: levels by coding.  Raises SettingsError for no level."""

    def __init__(self, workers: Executor, overrides: Mapping[str, int]) -> None:
        self.levels = levels_with(overrides)
        self._again = frozenset(name for name, coding in CODINGS.items() if coding.squeeze) - overrides.keys()
        self._workers = workers
        self._thread = DaemonThread("jvgate-pack")  # one: what nobody waits for takes one processor at most

    def pays_again(self, plain: Entry[Answer], coding: str) -> bool:
        """Whether *plain*, an answer without a coding, is worth to be packed once more when it is asked for again."""
        is_worth = len(plain.value.body) >= AGAIN_BYTES and plain.fresh_until - time.monotonic() >= AGAIN_S
        return is_worth and coding in self._again

    async def pack(self, answer: Answer, coding: str) -> Answer:
        """Return *answer*, packed quickly."""
        packing = partial(packed, answer, coding, level=self.levels[coding])
        return await asyncio.get_running_loop().run_in_executor(self._workers, packing)

    async def pack_again(self, answer: Answer, coding: str) -> Answer:
        """Return *answer*, packed small: a second for each 8 MB, behind what else is packed so."""
        return await asyncio.wrap_future(self._thread.submit(partial(packed, answer, coding, is_small=True)))

    def close(self) -> None:
        """End the thread; what it is at is given up with the process."""
        self._thread.stop()
