"""The client at the other end of a request: whether it is still there, and how long it wants to wait."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

__all__ = ["ClientGone", "preferred_wait_s", "while_connected"]

Result = TypeVar("Result")
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,6})\"?", re.IGNORECASE)


class ClientGone(Exception):
    """The client has closed the connection: there is nobody to answer."""


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what *work* gives; cancel it when the client leaves.  Raises ClientGone."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def preferred_wait_s(request: Request) -> float | None:
    """Return how long the client wants to wait before it gets a job instead; None when it did not say.

    `Prefer: respond-async`, with `wait=SECONDS` or without it (RFC 7240, sections 4.1 and 4.3).
    """
    given = [item.strip() for item in ",".join(request.headers.getlist("prefer")).split(",")]
    if not any(item.lower() == "respond-async" for item in given):
        return None
    waits = [found[1] for item in given if (found := _WAIT.fullmatch(item))]
    return float(waits[0]) if waits else 0.0


async def _left(request: Request) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        continue
