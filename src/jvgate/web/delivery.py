"""A stream on its way to its client: when the answer begins, and every way in which it can end.

Theory of operation.  The status is sent with the first piece: until then an error is an ordinary problem document,
however long the open takes.  Afterwards an error can only be told inside the body, where the form can, and by leaving
out the end of the body: the application returns without its last message, and the server then closes the connection
without the last chunk (RFC 9112, section 8: the client knows that the message is incomplete).  A client that takes
nothing is cut off hard, be it before the status, in the midst, or at the end.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from jvgate.errors import JvgateError
from jvgate.gateway.streams import End, Stream, Streams
from jvgate.render.answers import content_type, file_name, successor
from jvgate.spec.spec import Spec
from jvgate.values import Question
from jvgate.web.answers import RawHeaders
from jvgate.web.clients import ClientGone, ClientStalled, cut_off, sent, while_connected
from jvgate.web.edge import REQUEST_ID
from jvgate.web.problems import Problem, problem_of

__all__ = ["StreamResponse"]

LAST_WORDS_S = 0.5  # for a client to take them when the server ends

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.web")


class StreamResponse(Response):
    """The stream of *question*; the headers alone for a HEAD."""

    def __init__(self, streams: Streams, question: Question, spec: Spec, *, is_head: bool = False) -> None:
        super().__init__()
        self._streams = streams
        self._question = question
        self._spec = spec
        self._is_head = is_head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        body, request = (
            _Body(send, _headers(self._question, self._spec), stall_s=self._streams.stall_s),
            Request(scope, receive),
        )
        if self._is_head:
            await _send_head(body, request)
            return
        end: End = "broken"
        try:
            async with self._streams.open(self._question) as stream:
                end = await _deliver(stream, body, request, self._spec)
            if end == "left" and not body.has_begun:
                raise ClientGone
        finally:
            self._streams.count(end)


class _Body:
    """Sends pieces, and the status before the first one."""

    def __init__(self, send: Send, headers: RawHeaders, *, stall_s: float) -> None:
        self.has_begun = False
        self._send = send
        self._headers = headers
        self._stall_s = stall_s

    async def send_all(self, stream: Stream) -> None:
        """Send the stream to its end.  Raises ClientStalled, and what reading raises."""
        async for piece in stream.pieces:
            await self.send(piece)
        await self.end()

    async def send(self, piece: bytes, *, within_s: float | None = None) -> None:
        """Send one piece; nothing says that it is the last.  Raises ClientStalled."""
        await self._sent({"type": "http.response.body", "body": piece, "more_body": True}, within_s or self._stall_s)

    async def end(self) -> None:
        """Say that this was all.  Raises ClientStalled."""
        await self._sent({"type": "http.response.body", "body": b""}, self._stall_s)

    async def _sent(self, message: Message, within_s: float) -> None:
        if not self.has_begun:
            self.has_begun = True
            start = {"type": "http.response.start", "status": 200, "headers": self._headers}
            await sent(self._send, start, within_s=within_s)  # the answer before this one may not have been taken
        await sent(self._send, message, within_s=within_s)


async def _send_head(body: _Body, request: Request) -> None:
    try:
        await body.end()
    except ClientStalled:
        cut_off(request)


async def _deliver(stream: Stream, body: _Body, request: Request, spec: Spec) -> End:
    """Send the stream as far as it goes; return how it ended.  Raises what goes wrong before the first byte."""
    try:
        await while_connected(request, body.send_all(stream))
    except ClientGone:
        return "left"
    except ClientStalled:
        cut_off(request)
        return "stalled"
    except (Exception, asyncio.CancelledError) as exc:
        if not body.has_begun:
            raise
        await _break_off(stream, body, request, exc, spec)
        if not isinstance(exc, JvgateError | asyncio.CancelledError):  # nobody expected it: the edge logs it whole
            raise
        return "broken"
    return "whole"


async def _break_off(stream: Stream, body: _Body, request: Request, error: BaseException, spec: Spec) -> None:
    """Tell the client and the log why there is no more."""
    problem, within_s = _problem_of(error, spec)
    log.warning("a stream broke off", **_about(request), why=problem.detail)
    try:
        await body.send(stream.fail(problem.document(request.url.path)), within_s=within_s)
    except ClientStalled:
        cut_off(request)


def _problem_of(error: BaseException, spec: Spec) -> tuple[Problem, float | None]:
    """Return what *error* means to a client, and how long it may take to be told."""
    if isinstance(error, JvgateError):
        return problem_of(error, spec), None
    if isinstance(error, asyncio.CancelledError):
        return Problem("shutting-down", "The server is shutting down."), LAST_WORDS_S
    return Problem("internal-error", "Something went wrong here; the log of the server says what."), None


def _about(request: Request) -> dict[str, Any]:
    return {"path": request.url.path, "request_id": request.scope.get(REQUEST_ID)}


def _headers(question: Question, spec: Spec) -> RawHeaders:
    headers = [
        (b"content-type", content_type(question).encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept, Accept-Encoding"),
    ]
    if name := file_name(question):
        headers.append((b"content-disposition", f'attachment; filename="{name}"'.encode()))
    if question.coding:
        headers.append((b"content-encoding", question.coding.encode()))
    if newer := successor(question, spec):
        headers.append((b"link", f'</api/v1/stream/{newer}>; rel="successor-version"'.encode()))
    return headers
