"""A clock that stands until it is moved, and an event loop's turn that is not waited for."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
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


class _Inline(ThreadPoolExecutor):
    def submit(self, work, /, *args, **kwargs):
        done = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as exc:  # noqa: BLE001  (it belongs to who waits)
            done.set_exception(exc)
        return done


def without_threads(loop=None):
    """Let what the event loop (the running one) gives to its threads be done at once, so that `settled` means so."""
    (loop or asyncio.get_running_loop()).set_default_executor(_Inline(1))
