"""The outermost layer: finished answers before any routing, request ids, counting, the last resort for errors.

Theory of operation.  A request for data is known by its own bytes: path, query string and Accept.  Once a
route has answered such a request, the edge remembers which question it was; as long as that question's answer is
kept in memory, the next equal request is answered from its finished bytes without parsing anything.
"""

from __future__ import annotations

import re
import time
from itertools import count
from os import urandom
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jvgate.gateway import Gateway
from jvgate.values import MISSING, Answer, Entry
from jvgate.web.answers import RawHeaders, fixed_headers, send_answer
from jvgate.web.metrics import Metrics
from jvgate.web.problems import Problem, problem_response

__all__ = ["ANSWERED", "Edge"]

ANSWERED = "jvgate.answered"  # where a route leaves the text of the question it answered
MAX_URL_BYTES = 8192
MAX_REMEMBERED = 4096
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.web")

_Request = tuple[bytes, bytes, bytes]
# The question's text, when its answer was read, the fixed headers of that answer.  Never the answer itself: what
# memory lets go must not be held here.
_Remembered = tuple[str, float, RawHeaders]
CLIENT_LEFT = 499  # the status that logs and metrics use for it; no response was sent


class Edge:
    """Wraps the application.  gateway: set when the server starts."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.gateway: Gateway | None = None
        self._app = app
        self._metrics = metrics
        self._remembered: dict[_Request, _Remembered] = {}
        self._id_prefix = urandom(4).hex()
        self._ids = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        if scope["method"] == "HEAD":  # RFC 9110, section 9.3.2: as GET, without the content
            scope, send = {**scope, "method": "GET"}, _without_content(send)
        accept = if_none_match = request_id = b""
        wants_refresh = False
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = accept + b"," + value if accept else value
            elif name == b"if-none-match":
                if_none_match = value
            elif name == b"x-request-id":
                request_id = value
            elif name == b"cache-control":
                wants_refresh = b"no-cache" in value.lower()
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"{self._id_prefix}-{next(self._ids)}".encode()
        request = (scope["raw_path"], scope["query_string"], accept)
        if scope["method"] == "GET" and not wants_refresh and request in self._remembered:
            kept = self._look(request)
            if kept is not None:
                await self._send_kept(
                    scope, send, kept, began=began, request_id=request_id, if_none_match=if_none_match
                )
                return
        await self._route(scope, receive, send, request, request_id)

    def _look(self, request: _Request) -> tuple[Entry[Answer], RawHeaders] | None:
        """Return the kept answer of a remembered request and its fixed headers, made once for each answer."""
        assert self.gateway is not None
        key, read_at, fixed = self._remembered[request]
        entry = self.gateway.kept(key)
        if entry is MISSING:
            del self._remembered[request]
            return None
        if entry.read_at != read_at:
            fixed = fixed_headers(entry)
            self._remembered[request] = (key, entry.read_at, fixed)
        return entry, fixed

    async def _send_kept(self, scope: Scope, send: Send, kept: tuple[Entry[Answer], RawHeaders], *,
                         began: float, request_id: bytes, if_none_match: bytes) -> None:  # fmt: skip
        assert self.gateway is not None
        entry, fixed = kept
        self.gateway.cache_requests["l1", "hit"] += 1
        spent = time.perf_counter() - began
        status = await send_answer(
            send,
            entry,
            outcome="hit",
            is_kept=True,
            fixed=[*fixed, (b"x-request-id", request_id)],
            timing=b"edge;dur=%.3f" % (spent * 1000),
            if_none_match=if_none_match,
        )
        self._metrics.observe({"edge": spent})
        self._metrics.requests["/api/v1/data/{dataspec}", status] += 1

    async def _route(self, scope: Scope, receive: Receive, send: Send, request: _Request, request_id: bytes) -> None:
        """Let the routes answer; remember data requests, count, and turn what nobody caught into a problem."""
        status = 0

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        try:
            if len(request[0]) + len(request[1]) > MAX_URL_BYTES:
                detail = f"The URL has {len(request[0]) + len(request[1])} bytes. Allowed: {MAX_URL_BYTES}"
                await problem_response(Problem("uri-too-long", detail), scope["path"][:256])(
                    scope, receive, send_counted
                )
            else:
                await self._app(scope, receive, send_counted)
        except Exception as exc:  # the boundary: logged whole, told as a problem, never swallowed
            log.exception("request failed", path=scope["path"], request_id=request_id.decode(), error=repr(exc))
            if status:  # the answer has begun: end it so that it cannot be taken for whole
                raise
            problem = Problem("internal-error", "Something went wrong here; the log of the server says what.",
                              members={"request_id": request_id.decode()})  # fmt: skip
            await problem_response(problem, scope["path"])(scope, receive, send_counted)
        self._metrics.requests[_route_name(scope), status or CLIENT_LEFT] += 1
        self._remember(scope, request)

    def _remember(self, scope: Scope, request: _Request) -> None:
        key: Any = scope.get(ANSWERED)
        if key is None:
            return
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[request] = (key, -1.0, [])


def _route_name(scope: Scope) -> str:
    """Return the route's template, so that metrics do not grow with what clients ask."""
    path: str = getattr(scope.get("route"), "path", "")
    return path or "none"


def _without_content(send: Send) -> Send:
    """Return what sends the headers of a response and none of its content."""

    async def send_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_headers
