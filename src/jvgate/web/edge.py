"""The edge: finished answers before any routing, request ids, counting, the last resort for errors.

Theory of operation.  A request for data is known by its own bytes: path, query string, Accept and Accept-Encoding.
Once a route has answered such a request, the edge remembers which question it was; as long as that question's answer
is kept in memory, the next equal request is answered from its finished bytes without parsing anything.  A plain
GET is answered even before it becomes an ASGI request (`lane.py`); the rest (HEAD, 304, a server without the lane)
comes through here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from itertools import count
from os import urandom
from typing import NamedTuple
from weakref import ref

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jvgate.gateway.answers import Outcome, outcome_of_kept
from jvgate.gateway.gateway import Gateway
from jvgate.values import MISSING, Answer, Entry, Question
from jvgate.web.answers import RawHeaders, asks_for_refresh, fixed_headers, moving_headers, send_answer
from jvgate.web.metrics import Metrics
from jvgate.web.problems import Problem, problem_response

__all__ = ["ABORT", "ANSWERED", "IS_HEAD", "MAX_URL_BYTES", "REQUEST_ID", "TOO_LONG", "Edge"]

ANSWERED = "jvgate.answered"  # where a route leaves the question it answered
REQUEST_ID = "jvgate.request_id"
IS_HEAD = "jvgate.is_head"  # tells a route, which sees a GET, that nobody will see its content
ABORT = "jvgate.abort"  # where the lane leaves what ends the connection at once
MAX_URL_BYTES = 8192
MAX_REMEMBERED = 4096
TOO_LONG = Problem("uri-too-long", f"The URL is too long. Allowed: {MAX_URL_BYTES} bytes")
DATA_ROUTE = "/api/v1/data/{dataspec}"
_MOVING = b"age: %d\r\ncache-status: jvgate; hit; ttl=%d\r\nserver-timing: edge;dur=%.3f\r\nx-request-id: %b\r\n"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.web")

_Request = tuple[bytes, bytes, bytes, bytes]


class _Remembered(NamedTuple):
    """A request that was answered, and the question it asked.  key: its text.

    entry: weak, since what memory lets go must not be held here.
    fixed, head: the headers that stay as long as the entry is kept, also as the bytes from the status line on.
    """

    question: Question
    key: str
    entry: Callable[[], Entry[Answer] | None]
    fixed: RawHeaders
    head: bytes


class _Asked(NamedTuple):
    """What the headers of a request say that the edge goes by."""

    accept: bytes
    encoding: bytes
    request_id: bytes
    if_none_match: bytes
    wants_refresh: bool


class Edge:
    """Wraps the application.  gateway: set when the server starts."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.gateway: Gateway | None = None
        self._app = app
        self._metrics = metrics
        self._remembered: dict[_Request, _Remembered] = {}
        self._id_prefix = urandom(4).hex().encode()
        self._ids = count(1)

    def finished(self, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | None:
        """Return head (from the status line on, without its last empty line) and body of a plain GET's answer.

        None when there is no fresh one in memory, or when the request asks for more than the bytes: the routes know.
        """
        began = time.perf_counter()
        asked = _asked(headers)
        if asked.if_none_match or asked.wants_refresh:
            return None
        path, _, query = url.partition(b"?")
        kept = self._look((path, query, asked.accept, asked.encoding))
        if kept is None:
            return None
        entry, remembered = kept
        assert self.gateway is not None
        now = self.gateway.clock()
        if entry.fresh_until <= now:
            return None
        spent_s = time.perf_counter() - began
        self._count_hit(remembered, "hit", 200, spent_s)
        ages = (now - entry.read_at, entry.fresh_until - now, spent_s * 1000)
        moving = _MOVING % (*ages, self._request_id(asked.request_id))
        return remembered.head + moving, entry.value.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        if scope["method"] == "HEAD":  # RFC 9110, section 9.3.2: as GET, without the content
            scope, send = {**scope, "method": "GET", IS_HEAD: True}, _without_content(send)
        asked = _asked(scope["headers"])
        request_id = self._request_id(asked.request_id)
        request = (scope["raw_path"], scope["query_string"], asked.accept, asked.encoding)
        kept = self._look(request) if scope["method"] == "GET" and not asked.wants_refresh else None
        if kept is None:
            await self._route(scope, receive, send, request, request_id)
            return
        entry, remembered = kept
        assert self.gateway is not None
        now = self.gateway.clock()
        outcome = outcome_of_kept(entry, now=now)
        spent_s = time.perf_counter() - began
        moving = [*moving_headers(entry, outcome, now=now), (b"server-timing", b"edge;dur=%.3f" % (spent_s * 1000))]
        headers = [*remembered.fixed, *moving, (b"x-request-id", request_id)]
        status = await send_answer(send, entry, headers, if_none_match=asked.if_none_match)
        self._count_hit(remembered, outcome, status, spent_s)

    def _look(self, request: _Request) -> tuple[Entry[Answer], _Remembered] | None:
        """Return the kept answer of a remembered request and its headers, made once for each answer."""
        remembered = self._remembered.get(request)
        if remembered is None or self.gateway is None:
            return None
        entry = self.gateway.kept(remembered.question, remembered.key)
        if entry is MISSING:
            del self._remembered[request]
            return None
        if remembered.entry() is not entry:
            fixed = fixed_headers(entry)
            head = b"".join([b"HTTP/1.1 200 OK\r\n", *(b"%b: %b\r\n" % header for header in fixed)])
            remembered = self._remembered[request] = remembered._replace(entry=ref(entry), fixed=fixed, head=head)
        return entry, remembered

    def _count_hit(self, asked: _Remembered, outcome: Outcome, status: int, spent_s: float) -> None:
        assert self.gateway is not None
        self.gateway.count_hit(asked.question, asked.key, outcome)
        self._metrics.observe("edge", spent_s)
        self._metrics.requests[DATA_ROUTE, status] += 1

    def _request_id(self, given: bytes) -> bytes:
        """Return the client's own id where it is harmless, else a new one."""
        if given and _REQUEST_ID.fullmatch(given):
            return given
        return b"%b-%d" % (self._id_prefix, next(self._ids))

    async def _route(self, scope: Scope, receive: Receive, send: Send, request: _Request, request_id: bytes) -> None:
        """Let the routes answer; remember data requests, count, and log what nobody caught."""
        status, is_complete = 0, False
        scope[REQUEST_ID] = request_id.decode()

        async def send_counted(message: Message) -> None:
            nonlocal status, is_complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)
            is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await (_refuse_long_url if _is_too_long(request) else self._app)(scope, receive, send_counted)
        except asyncio.CancelledError:  # the server ends before the answer came; nothing runs after this task
            if status:
                raise
            problem = Problem("shutting-down", "The server is shutting down.", headers={"retry-after": "5"})
            await problem_response(problem, scope["path"])(scope, receive, send_counted)
        except Exception as exc:  # the boundary: logged whole; the application has told it as a problem
            log.exception("request failed", path=scope["path"], request_id=request_id.decode(), error=repr(exc))
            if not is_complete:  # the answer has begun: end it so that it cannot be taken for whole
                raise
        finally:
            self._metrics.requests[_route_name(scope), status or 500] += 1
        self._remember(scope, request)

    def _remember(self, scope: Scope, request: _Request) -> None:
        question: Question | None = scope.get(ANSWERED)
        if question is None or len(request[2]) + len(request[3]) > MAX_URL_BYTES:
            return
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[request] = _Remembered(question, str(question), _no_entry, [], b"")


def _asked(headers: Iterable[tuple[bytes, bytes]]) -> _Asked:
    accept = encoding = request_id = if_none_match = b""
    wants_refresh = False
    for name, value in headers:
        if name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"accept-encoding":
            encoding = encoding + b"," + value if encoding else value
        elif name == b"if-none-match":
            if_none_match = if_none_match + b"," + value if if_none_match else value
        elif name == b"x-request-id":
            request_id = value
        elif name == b"cache-control":
            wants_refresh = wants_refresh or asks_for_refresh(value)
    return _Asked(accept, encoding, request_id, if_none_match, wants_refresh)


def _no_entry() -> None:
    """Stand in for the weak reference of a request whose answer was not looked up yet."""


def _is_too_long(request: _Request) -> bool:
    return len(b"?".join(filter(None, request[:2]))) > MAX_URL_BYTES


async def _refuse_long_url(scope: Scope, receive: Receive, send: Send) -> None:
    await problem_response(TOO_LONG, scope["path"][:256])(scope, receive, send)


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
