"""The fast lane: a plain GET whose finished answer is in memory never becomes an ASGI request.

Theory of operation.  uvicorn's protocol turns every request into a scope, a task and a cycle before the application
sees it; for a finished answer that is most of the work.  This protocol looks first, as soon as the headers are
complete: HTTP/1.1, GET, keep-alive, no other answer under way, the client reads what it is sent, and the edge has
the bytes.  Then head and body go to the transport at once and the connection is ready for its next request.
Everything else falls through to uvicorn.  It leans on the inside of `HttpToolsProtocol` (uvicorn 0.3x-0.5x):
`tests/web/test_lane.py` holds it to behave like the slow way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from jvgate.web.edge import ABORT, MAX_URL_BYTES, TOO_LONG, Edge
from jvgate.web.problems import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["fast_lane"]


class _Answered:
    """Stands in for the cycle of a request that is answered already."""

    response_complete = True
    disconnected = False

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


def fast_lane(edge: Edge) -> type[HttpToolsProtocol]:
    """Return the protocol (for `uvicorn.Config(http=…)`) that asks *edge* first."""

    class FastLane(HttpToolsProtocol):
        def on_headers_complete(self) -> None:
            answer = edge.finished(self.url, self.headers) if self._may_answer_at_once() else None
            if answer is None:
                self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]  # a key of our own
                super().on_headers_complete()
                return
            head, body = answer
            lines = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
            self.cycle = _stand_in
            self.transport.writelines([head, *lines, b"\r\n", body])
            self.on_response_complete()

        def send_400_response(self, msg: str) -> None:
            """Refuse what is no HTTP with a problem document too, and close."""
            problem = TOO_LONG if len(self.url) > MAX_URL_BYTES else Problem("bad-request", f"{msg} Allowed: HTTP/1.1.")
            document = problem.document("")
            body, status = orjson.dumps(document), STATUS_LINE[document["status"]]
            head = b"%bcontent-type: %b\r\ncontent-length: %d\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, CONTENT_TYPE.encode(), len(body)) + body)
            self.transport.close()

        def _may_answer_at_once(self) -> bool:
            return (
                (self.cycle is None or self.cycle.response_complete)
                and self.parser.get_method() == b"GET"
                and self.parser.get_http_version() == "1.1"
                and self.parser.should_keep_alive()
                and not self.parser.should_upgrade()
                and not self.flow.write_paused
            )

    _stand_in: RequestResponseCycle | Any = _Answered()
    return FastLane
