"""A finished answer -> the response: its headers, and 304.  The same for the edge and for the route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jvgate.gateway.answers import Outcome, Served
from jvgate.question.parsing import parameters_of
from jvgate.values import Answer, Entry, Question

__all__ = [
    "AnswerResponse",
    "RawHeaders",
    "asks_for_refresh",
    "fixed_headers",
    "is_known",
    "moving_headers",
    "send_answer",
    "server_timing",
]

RawHeaders = list[tuple[bytes, bytes]]

# RFC 9211: what happened, in its own words.
_CACHE_STATUS: dict[Outcome, str] = {
    "hit": "hit",
    "dataset": "hit; detail=dataset",
    "shared": "hit; detail=shared",
    "stale": "hit; detail=stale",
    "fallback": "fwd=stale; detail=source-failed",
    "miss": "fwd=miss",
    "collapsed": "fwd=miss; collapsed",
    "refresh": "fwd=request",
}


class AnswerResponse(Response):
    """A finished answer on its way out.  clock: of the entries."""

    def __init__(self, served: Served, *, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        served = self._served
        if_none_match = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
        headers = [
            *fixed_headers(served.entry),
            *moving_headers(served.entry, served.outcome, now=self._clock(), is_kept=served.is_kept),
            (b"server-timing", server_timing(served.stages)),
        ]
        await send_answer(send, served.entry, headers, if_none_match=if_none_match)


def fixed_headers(entry: Entry[Answer]) -> RawHeaders:
    """Return the headers that stay the same as long as *entry* is kept."""
    answer = entry.value
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        (b"etag", answer.etag.encode()),
        (b"cache-control", _cache_control(entry)),
        (b"vary", b"Accept, Accept-Encoding"),
    ]
    if answer.coding:
        headers.append((b"content-encoding", answer.coding.encode()))
    if links := _links(answer):
        headers.append((b"link", ", ".join(links).encode()))
    if answer.file_name:
        headers.append((b"content-disposition", f'attachment; filename="{answer.file_name}"'.encode()))
    return headers


def _cache_control(entry: Entry[Answer]) -> bytes:
    """Return for how long a cache on the way may use it as this one does (RFC 9111, section 5.2.2.1; RFC 5861)."""
    windows = (
        ("max-age", entry.fresh_until - entry.read_at),
        ("stale-while-revalidate", entry.stale_until - entry.fresh_until),
        ("stale-if-error", entry.error_until - entry.fresh_until),
    )
    first, *stale = [(name, max(0, round(seconds))) for name, seconds in windows]
    shown = [first, *(window for window in stale if window[1] > 0)]
    return ", ".join(f"{name}={seconds}" for name, seconds in shown).encode()


def _links(answer: Answer) -> list[str]:
    """Return where to go from here (RFC 8288)."""
    links = [f'<{_url(page)}>; rel="{name}"' for name, page in answer.pages]
    if answer.successor:
        links.append(f'</api/v1/data/{answer.successor}>; rel="successor-version"')
    return links


def _url(question: Question) -> str:
    return f"/api/v1/data/{question.dataspec}?{urlencode(parameters_of(question), safe=',.:=')}"


def moving_headers(entry: Entry[Answer], outcome: Outcome, *, now: float, is_kept: bool = True) -> RawHeaders:
    """Return the headers that tell how old the answer is and where it came from.

    now: by the clock of the entries.  is_kept: whether it is in memory now for the next one who asks.
    """
    ttl_s = int(entry.fresh_until - now)  # below zero it is stale since
    stored = "; stored" if is_kept and outcome in ("miss", "refresh") else ""
    return [
        (b"age", b"%d" % max(0.0, now - entry.read_at)),
        (b"cache-status", f"jvgate; {_CACHE_STATUS[outcome]}; ttl={ttl_s}{stored}".encode()),
    ]


def is_known(if_none_match: bytes, etag: str) -> bool:
    """Whether the client has the representation already (RFC 9110, section 13.1.2: weak comparison)."""
    if if_none_match.strip() == b"*":
        return True
    tags = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return etag.encode() in tags


def asks_for_refresh(cache_control: bytes) -> bool:
    """Whether the client insists on a new read (RFC 9111, section 5.2.1.4)."""
    return any(directive.strip().lower() == b"no-cache" for directive in cache_control.split(b","))


def server_timing(stages: Mapping[str, float]) -> bytes:
    """Return the Server-Timing header: stages in milliseconds."""
    return ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in stages.items()).encode()


async def send_answer(send: Send, entry: Entry[Answer], headers: RawHeaders, *, if_none_match: bytes) -> int:
    """Send the answer under *headers*, or 304 when the client has it; return the status."""
    answer = entry.value
    if if_none_match and is_known(if_none_match, answer.etag):
        kept = [header for header in headers if header[0] not in (b"content-type", b"content-length")]
        await send({"type": "http.response.start", "status": 304, "headers": kept})
        await send({"type": "http.response.body", "body": b""})
        return 304
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
    return 200
