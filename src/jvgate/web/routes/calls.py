"""What the routes for pictures and videos share: the asking, the answer."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from jvgate.gateway.answers import Served
from jvgate.gateway.calls import Fetched, Found
from jvgate.gateway.gateway import Gateway
from jvgate.values import Answer, Entry
from jvgate.web.answers import AnswerResponse
from jvgate.web.clients import while_connected

__all__ = ["answer", "fetch"]


async def fetch(request: Request, errand: str, *arguments: str, keep_s: Callable[[Found], float]) -> Fetched:
    """Return what an errand gives, as long as the client is there.  Raises ClientGone, and as `Errands.fetch`."""
    gateway: Gateway = request.app.state.gateway
    return await while_connected(request, gateway.call(errand, *arguments, keep_s=keep_s))


def answer(request: Request, fetched: Fetched, body: bytes, content_type: str) -> Response:
    """Return *body*, made of what was fetched, under the headers that data has."""
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    found = fetched.entry
    entry = Entry(Answer(body, content_type, etag), found.read_at, found.fresh_until, found.weight)
    gateway: Gateway = request.app.state.gateway
    return AnswerResponse(Served(entry, fetched.outcome, fetched.is_kept, fetched.stages), clock=gateway.clock)
