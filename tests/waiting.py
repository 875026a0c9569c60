"""The two wait helpers.  Both poll: the condition changes in another thread or process and sends no event.

The limit only ends a broken test.  It is no measure of speed: a loaded machine must not reach it.
"""

import asyncio
import time

__all__ = ["LIMIT_S", "until", "wait_until"]

LIMIT_S = 90
_PAUSE_S = 0.001  # long enough to leave the core to the process that is waited for


async def until(condition, seen=lambda: "nothing more"):
    """Let the event loop run until *condition* returns something true; return that.

    seen: describes the state for the message of a test that waits in vain.
    """
    give_up = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {LIMIT_S} s; seen: {seen()}"
        await asyncio.sleep(_PAUSE_S)
    return found


def wait_until(condition, seen=lambda: "nothing more"):
    """Block this thread until *condition* returns something true; return that.  seen: as in `until`."""
    give_up = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {LIMIT_S} s; seen: {seen()}"
        time.sleep(_PAUSE_S)
    return found
