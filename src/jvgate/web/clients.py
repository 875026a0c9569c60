"""The client at the other end of a request: is it still there, does it take anything, how long does it want to wait?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
from starlette.requests import Request
from starlette.types import Message, Send

from jvgate.web.edge import ABORT, REQUEST_ID

__all__ = ["ClientGone", "ClientStalled", "cut_off", "preferred_wait_s", "sent", "while_connected"]

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.web")

Result = TypeVar("Result")
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,6})\"?", re.IGNORECASE)


class ClientGone(Exception):
    """The client has closed the connection: there is nobody to answer."""


class ClientStalled(Exception):
    """The client is there and takes nothing."""


async def sent(send: Send, message: Message, *, within_s: float) -> None:
    """Send *message*, which waits until the client has taken what was sent before.  Raises ClientStalled."""
    try:
        async with asyncio.timeout(within_s):
            await send(message)
    except TimeoutError as exc:
        raise ClientStalled from exc


def cut_off(request: Request) -> None:
    """Close the connection now, whatever was not taken yet: what is in the socket's buffer would never arrive."""
    about = {"path": request.url.path, "request_id": request.scope.get(REQUEST_ID)}
    log.warning("a client that took nothing was cut off", **about)
    abort = request.scope.get(ABORT)  # not there under a server without our lane: that one closes as it can
    if abort is not None:
        abort()


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
