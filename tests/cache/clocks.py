"""A clock that stands until it is moved, and an event loop's turn that is not waited for."""

import asyncio
from datetime import datetime

from jvgate.values import SourceClock

# A source's clock that stands still at the epoch.
STOPPED = SourceClock(datetime(1970, 1, 1, 9), speed=0.0)


class Clock:
    """Seconds, as a clock gives them when it is called."""

    def __init__(self, now_s=1000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


async def settled():
    """Let everything that can go on without waiting for anything go on."""
    for _ in range(20):
        await asyncio.sleep(0)
