"""`POST /api/v1/batch`: up to a hundred questions at once, each with its own status, headers and body.

Theory of operation.  Every entry is asked of the gateway by a task of its own, so the sessions, the memory and the
joining of equal questions work as for requests that come at the same time.  Whatever goes wrong with an entry becomes
that entry's problem, so no task ever fails, and only the client's leaving ends them all.  Bodies are finished bytes
and go as they are between the words that make one document of them; what is packed is the whole, piece by piece as it
is sent.  How much is held at once is bounded: only a few large datasets are read or rendered at the same time, and an
answer that no longer fits, in the order in which they are ready, is given up for a problem at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jvgate.errors import JvgateError, QueryError, SourceError
from jvgate.gateway.answers import Served
from jvgate.gateway.gateway import Gateway
from jvgate.gateway.jobs import Job
from jvgate.gateway.streams import Streams
from jvgate.question.parsing import parse_question
from jvgate.render.compression import pays
from jvgate.render.formats import ndjson_format
from jvgate.render.formats.json_format import CONTENT_TYPE
from jvgate.render.formats.registry import FORMATS, charsets
from jvgate.render.negotiation import check, choose
from jvgate.values import MISSING, Question
from jvgate.web.answers import asks_for_refresh, fixed_headers, moving_headers
from jvgate.web.asking import coding_of
from jvgate.web.clients import ClientGone, ClientStalled, cut_off, sent, while_connected
from jvgate.web.metrics import Metrics
from jvgate.web.parameters import describe_entry, given_parameters
from jvgate.web.problems import Problem, problem_of, problem_response
from jvgate.web.routes.jobs import job_accepted

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])

ENTRIES = "requests"
_FORMATS = ("json",)
MAX_BODY_BYTES = 1 << 20
MAX_ENTRIES = 100
MAX_ENTRY_BYTES = 8192  # as long as a URL may be
_SHAPE = f'{{"{ENTRIES}": [{{"dataspec": "RACE", "from_time": "20261101"}}, …]}} with 1 to {MAX_ENTRIES} entries'
_VALUES = "a text, a whole number, true or false, or a list of texts"
LINES = ndjson_format.FORMAT.media_types
CHUNK_BYTES = 1 << 16
_MOST_AT_ONCE = 8  # datasets of one batch that are read or wait to be rendered
_NOT_TOLD = {"content-length", "vary"}  # those of the batch itself count

_EXAMPLE = {
    "requests": [
        {"dataspec": "RACE", "from_time": "20261101", "record": "RA"},
        {"dataspec": "0B12", "key": "20261115"},
    ]
}
_BODY = {
    "required": True,
    "content": {
        CONTENT_TYPE: {
            "schema": {
                "type": "object",
                "required": [ENTRIES],
                "additionalProperties": False,
                "properties": {
                    ENTRIES: {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_ENTRIES,
                        "items": describe_entry({"format": _FORMATS, "charset": ("utf-8",)}),
                    }
                },
            },
            "example": _EXAMPLE,
        }
    },
}

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.web")


@router.post(
    "/batch",
    summary="Several questions at once / まとめて問い合わせる",
    operation_id="batch",
    response_class=Response,
    responses={
        200: {
            "description": "A status, headers and a body for each, in order; as NDJSON each as it is ready. "
            "それぞれの状態・ヘッダ・本文を順に。NDJSON ならできた順に。",
            "content": {media: {} for media in (CONTENT_TYPE, *LINES)},
        }
    },
    openapi_extra={"requestBody": _BODY},
)
async def post_batch(request: Request) -> Response:
    """Ask up to 100 questions; the members of each are the parameters of data. 最大100件をまとめて返します。"""
    given_parameters(request)
    accept = ", ".join(request.headers.getlist("accept"))
    chosen = choose(accept, (CONTENT_TYPE, *LINES))
    if chosen is None:
        return _not_acceptable(request, accept)
    coding, takes_plain = coding_of(request)
    streams = request.app.state.gateway.streams
    batch = _Batch(request, _requests_of(await _body(request, within_s=streams.stall_s)))
    if chosen in LINES:
        return _BatchResponse(_lines(batch), streams, media_type=chosen, coding=coding)
    replies = await while_connected(request, batch.in_order())
    return _as_document(replies, streams, coding=coding, takes_plain=takes_plain)


@dataclass(frozen=True, slots=True)
class _Reply:
    """What one entry gets.  body: a JSON text."""

    status: int
    headers: dict[str, str]
    body: bytes

    def pieces(self, **first: int) -> Iterator[bytes]:
        """Yield it as a JSON object, with the members of *first* before its own."""
        told = orjson.dumps({**first, "status": self.status, "headers": self.headers})
        yield b'%b,"body":' % told[:-1]
        yield self.body
        yield b"}"


class _Batch:
    """The entries of one batch on their way to being replies."""

    def __init__(self, request: Request, entries: Sequence[Any]) -> None:
        self._entries = entries
        self._path = request.url.path
        self._gateway: Gateway = request.app.state.gateway
        self._metrics: Metrics = request.app.state.metrics
        self._refresh = asks_for_refresh(",".join(request.headers.getlist("cache-control")).encode())
        self._limit_bytes: int = request.app.state.batch_bytes
        self._left_bytes = self._limit_bytes
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._ends_at = asyncio.get_running_loop().time() + self._gateway.deadline_s

    async def in_order(self) -> list[_Reply]:
        """Return all replies, in the order of their entries."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._reply(index)) for index in range(len(self._entries))]
        return [task.result() for task in tasks]

    async def as_ready(self) -> AsyncGenerator[tuple[int, _Reply]]:
        """Yield the replies as they come, each with the index of its entry."""
        ready: asyncio.Queue[tuple[int, _Reply]] = asyncio.Queue()

        async def tell(index: int) -> None:
            ready.put_nowait((index, await self._reply(index)))

        tasks = [asyncio.create_task(tell(index)) for index in range(len(self._entries))]
        try:
            for _ in tasks:
                yield await ready.get()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _reply(self, index: int) -> _Reply:
        """Return the reply to one entry, whatever happens to it."""
        where, spec = f"{self._path}#/{ENTRIES}/{index}", self._gateway.spec
        try:
            dataspec, parameters = _entry_parameters(self._entries[index])
            question = check(
                parse_question(dataspec, parameters, spec, formats=_FORMATS, charsets=charsets(FORMATS)), spec
            )
            served = await self._ask(question)
        except JvgateError as exc:
            if isinstance(exc, SourceError):
                log.warning("the source failed", path=where, error=str(exc))
            return _reply_of(problem_response(problem_of(exc, spec), where))
        except Exception as exc:  # the boundary: logged whole, and the other entries go on
            log.exception("an entry of a batch failed", entry=index, error=repr(exc))
            problem = Problem("internal-error", "Something went wrong here; the log of the server says what.")
            return _reply_of(problem_response(problem, where))
        if isinstance(served, Job):
            return _reply_of(job_accepted(served, spec))
        return self._finished(served, where)

    async def _ask(self, question: Question) -> Served | Job[Served]:
        """Ask for one answer; at most _MOST_AT_ONCE of stored data that memory does not have, since those are large.

        The entries of a batch have one deadline, so that waiting for a turn makes no batch take longer.
        """
        ask = partial(self._gateway.ask, question, refresh=self._refresh)
        is_kept = not self._refresh and self._gateway.kept(question, str(question)) is not MISSING
        if is_kept or question.queries[0].is_realtime:
            return await ask()
        try:
            async with asyncio.timeout_at(self._ends_at):
                await self._turns.acquire()
        except TimeoutError:
            return await ask(deadline_s=0)
        try:
            return await ask(deadline_s=max(0.0, self._ends_at - asyncio.get_running_loop().time()))
        finally:
            self._turns.release()

    def _finished(self, served: Served, where: str) -> _Reply:
        if served.outcome != "collapsed":  # one read, counted once however many waited for it
            self._metrics.observe_all(served.stages)
        body = served.entry.value.body
        if len(body) > self._left_bytes:
            why = f"This answer of {len(body)} bytes no longer fits into the batch. Allowed: {self._limit_bytes} bytes"
            problem = Problem(
                "batch-too-large",
                f"{why} for all answers together; ask for it by itself.",
                members={"limit_bytes": self._limit_bytes},
            )
            return _reply_of(problem_response(problem, where))
        self._left_bytes -= len(body)
        headers = [
            *fixed_headers(served.entry),
            *moving_headers(served.entry, served.outcome, now=self._gateway.clock(), is_kept=served.is_kept),
        ]
        return _Reply(200, _told(headers), body)


class _BatchResponse(Response):
    """A batch on its way to a client, packed by *coding* if there is one.  length: of *body*, where known."""

    def __init__(
        self,
        body: AsyncGenerator[bytes],
        streams: Streams,
        *,
        media_type: str,
        coding: str,
        length: int | None = None,
    ) -> None:
        headers = {"cache-control": "no-store", "vary": "Accept, Accept-Encoding"}
        if coding:
            headers["content-encoding"] = coding
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]
        if length is not None and not coding:
            self.headers["content-length"] = str(length)
        self._parts = streams.packed(body, coding) if coding else body
        self._stall_s = streams.stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI), as long as the client is there."""
        request = Request(scope, receive)
        try:
            await while_connected(request, self._send_all(partial(sent, send, within_s=self._stall_s)))
        except ClientGone:
            return  # the headers are out; what was not sent is for nobody
        except ClientStalled:
            cut_off(request)

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._parts):  # whatever ends this, no task goes on
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for part in self._parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def _as_document(replies: Sequence[_Reply], streams: Streams, *, coding: str, takes_plain: bool) -> Response:
    """Return all replies as one document, packed where that pays or must be; the large bodies in it are not copied."""
    chunks = list(_chunks(_document(replies)))
    length = sum(map(len, chunks))

    async def body() -> AsyncGenerator[bytes]:
        for chunk in chunks:
            yield chunk

    if takes_plain and not pays(length, CONTENT_TYPE):
        coding = ""
    return _BatchResponse(body(), streams, media_type=CONTENT_TYPE, coding=coding, length=length)


async def _lines(batch: _Batch) -> AsyncGenerator[bytes]:
    """Yield each reply as a line as soon as it is ready; a last line says that there are no more."""
    count = 0
    async with aclosing(batch.as_ready()) as replies:
        async for index, reply in replies:
            for chunk in _chunks([*reply.pieces(index=index), b"\n"]):
                yield chunk
            count += 1
    yield b'{"end":{"responses":%d}}\n' % count


async def _body(request: Request, *, within_s: float) -> bytes:
    """Return the body of the request.  Raises QueryError unless it is JSON, not too long, and comes in time."""
    for name, allowed in (("content-type", CONTENT_TYPE), ("content-encoding", "identity")):
        sent = request.headers.get(name, "" if name == "content-type" else allowed)
        if sent.partition(";")[0].strip().lower() != allowed:
            why = f"The {name} of the body is {sent[:100]!r}."
            raise QueryError("unsupported-media-type", why, parameter=name, value=sent[:100], allowed=allowed)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    why, allowed = "The body is too large.", f"{MAX_BODY_BYTES} bytes"
                    raise QueryError("request-too-large", why, parameter="body", value=None, allowed=allowed)
    except TimeoutError as exc:
        why, allowed = "The body did not come to its end.", f"{within_s:g} s"
        raise QueryError("request-timeout", why, parameter="body", value=None, allowed=allowed) from exc
    except ClientDisconnect as exc:
        raise ClientGone from exc
    return bytes(body)


def _not_acceptable(request: Request, accept: str) -> Response:
    allowed = ", ".join((CONTENT_TYPE, *LINES))
    detail = f"Nothing that can be given is accepted by {accept!r}. Allowed: {allowed}"
    problem = Problem("not-acceptable", detail, members={"parameter": "Accept", "value": accept, "allowed": allowed})
    return problem_response(problem, request.url.path)


def _reply_of(response: Response) -> _Reply:
    return _Reply(response.status_code, _told(response.raw_headers), bytes(response.body))


def _told(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers that matter to one entry."""
    shown = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return {name: value for name, value in shown if name not in _NOT_TOLD}


def _document(replies: Sequence[_Reply]) -> Iterator[bytes]:
    yield b'{"responses":['
    for number, reply in enumerate(replies):
        if number:
            yield b","
        yield from reply.pieces()
    yield b"]}"


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes with small pieces put together: each is a call of the transport."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > CHUNK_BYTES and small:
            yield b"".join(small)
            small, size = [], 0
        small.append(piece)
        size += len(piece)
    if small:
        yield b"".join(small)


def _requests_of(body: bytes) -> list[Any]:
    """Return the entries of a batch, not looked into yet.

    Raises QueryError: `not-json`, or `invalid-batch` for JSON that is none.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise QueryError(
            "not-json", f"The body is no JSON: {exc}.", parameter="body", value=None, allowed=_SHAPE
        ) from exc
    if not isinstance(document, dict):
        raise _invalid("The body is no object.", parameter="body", allowed=_SHAPE)
    for name in document:
        if name != ENTRIES:
            raise _invalid(f"A batch has no member {name[:40]!r}.", parameter=name[:40], allowed=_SHAPE)
    entries = document.get(ENTRIES)
    if not isinstance(entries, list):
        raise _invalid(f"There is no list {ENTRIES!r}.", parameter=ENTRIES, allowed=_SHAPE)
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise _invalid(f"There are {len(entries)} entries.", parameter=ENTRIES, allowed=f"1 to {MAX_ENTRIES} entries")
    return entries


def _entry_parameters(entry: object) -> tuple[str, dict[str, Sequence[str]]]:
    """Return the data spec of one entry and its parameters, as a URL would have them.

    A member that is null is left out.  Raises QueryError (`invalid-batch`).
    """
    if not isinstance(entry, dict):
        raise _invalid("The entry is no object.", parameter=ENTRIES, allowed='{"dataspec": …, …}')
    try:
        size = len(orjson.dumps(entry))
    except orjson.JSONEncodeError as exc:  # what can be read is written too, but for its depth
        raise _invalid("The entry is nested too deep.", parameter=ENTRIES, allowed=_VALUES) from exc
    if size > MAX_ENTRY_BYTES:
        raise _invalid("The entry is too long.", parameter=ENTRIES, allowed=f"{MAX_ENTRY_BYTES} bytes of JSON")
    parameters = {name: _texts(name, value) for name, value in entry.items() if value is not None}
    dataspec = parameters.pop("dataspec", [])
    if len(dataspec) != 1:
        raise _invalid("The entry names no data spec.", parameter="dataspec", allowed="one data spec, such as RACE")
    return dataspec[0], parameters


def _texts(name: str, value: object) -> Sequence[str]:
    """Return the values of a member, as texts; at least one."""
    values = value if isinstance(value, list) else [value]
    texts = [_text(one) for one in values]
    if not texts or None in texts:
        raise _invalid(f"{name[:40]} has a value that is none.", parameter=name[:40], allowed=_VALUES)
    return [text for text in texts if text is not None]


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, str | int) else None


def _invalid(why: str, *, parameter: str, allowed: str) -> QueryError:
    return QueryError("invalid-batch", why, parameter=parameter, value=None, allowed=allowed)
