"""What the routes for pictures and videos share: bytes of what was fetched become an answer like that of data."""

import asyncio
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from jvgate.gateway.calls import Fetched
from jvgate.values import Entry
from jvgate.web.clients import ClientGone
from jvgate.web.routes.calls import answer, fetch

NOW = 1000.0


def request(receive=None, **gateway):
    app = SimpleNamespace(state=SimpleNamespace(gateway=SimpleNamespace(clock=lambda: NOW, **gateway)))
    return Request({"type": "http", "app": app, "headers": []}, receive)


def fetched(*, outcome="miss", is_kept=True):
    return Fetched(Entry({"found": True}, NOW, NOW + 600, 7), outcome, is_kept, {"wait": 0.001})


def sent(response, *headers):
    """The status, headers and body that *response* sends."""
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(response({"type": "http", "headers": list(headers)}, None, send))
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


def test_an_answer_has_the_headers_of_data():
    status, headers, body = sent(answer(request(), fetched(), b"GIF89a", "image/gif"))
    assert (status, body, headers[b"content-type"]) == (200, b"GIF89a", b"image/gif")
    assert headers[b"cache-control"] == b"max-age=600"
    assert headers[b"cache-status"] == b"jvgate; fwd=miss; ttl=600; stored"
    assert headers[b"server-timing"] == b"wait;dur=1.000"


def test_the_etag_is_that_of_the_bytes():
    etags = [sent(answer(request(), fetched(), body, "image/gif"))[1][b"etag"] for body in (b"a", b"a", b"b")]
    assert etags[0] == etags[1] != etags[2]
    assert sent(answer(request(), fetched(), b"a", "image/gif"), (b"if-none-match", etags[0]))[0] == 304


def test_what_is_not_kept_is_not_told_to_be():
    _, headers, _ = sent(answer(request(), fetched(is_kept=False), b"", "image/gif"))
    assert b"stored" not in headers[b"cache-status"]


@pytest.mark.parametrize("leaves", [False, True])
def test_a_call_is_made_for_a_client_that_is_there(leaves):
    ended = []

    async def call(errand, *arguments, keep_s):
        try:
            await (asyncio.Event().wait() if leaves else asyncio.sleep(0))
            return errand, arguments, keep_s(None)
        finally:
            ended.append(errand)

    async def receive():
        await (asyncio.sleep(0) if leaves else asyncio.Event().wait())
        return {"type": "http.disconnect"}

    work = fetch(request(receive, call=call), "course", "key", keep_s=lambda found: 600.0)
    if leaves:
        with pytest.raises(ClientGone):
            asyncio.run(work)
    else:
        assert asyncio.run(work) == ("course", ("key",), 600.0)
    assert ended == ["course"]
