"""The edge: request ids, counting, HEAD, URLs that are too long, and what nobody caught."""

import asyncio
from types import SimpleNamespace

import pytest

from jvgate.web.edge import IS_HEAD, MAX_URL_BYTES, REQUEST_ID, Edge
from jvgate.web.metrics import Metrics


class App:
    """An application that answers everything the same, or fails.  seen: the scopes that came."""

    def __init__(self, *, fails=None, begins=True):
        self.fails, self.begins, self.seen = fails, begins, []

    async def __call__(self, scope, receive, send):
        self.seen.append(scope)
        scope["route"] = SimpleNamespace(path="/api/v1/records/{type}")
        if self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        if self.fails:
            raise self.fails
        await send({"type": "http.response.body", "body": b"content"})


def ask(app, *, method="GET", path=b"/api/v1/records/RA", query=b"", headers=()):
    """Ask through an edge -> status, headers, body, and what was counted."""
    metrics, messages = Metrics(), []
    edge = Edge(app, metrics)

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": method, "path": path.decode(), "raw_path": path, "query_string": query,
             "headers": list(headers)}  # fmt: skip
    asyncio.run(edge(scope, None, send))
    body = b"".join(message["body"] for message in messages[1:])
    return messages[0]["status"], dict(messages[0]["headers"]), body, dict(metrics.requests)


def test_an_answer_passes_with_an_id_and_is_counted_by_its_route():
    app = App()
    status, headers, body, counted = ask(app)
    assert (status, headers[b"x"], body) == (200, b"y", b"content")
    assert headers[b"x-request-id"].decode() == app.seen[0][REQUEST_ID]
    assert counted == {("/api/v1/records/{type}", 200): 1}


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        (b"race-11.5_x", True),
        (b"a" * 64, True),
        (b"a" * 65, False),
        (b"", False),
        (b"a b", False),
        (b"a\r\nb", False),
    ],
)
def test_only_a_harmless_id_of_the_client_is_kept(given, is_kept):
    _, headers, _, _ = ask(App(), headers=[(b"x-request-id", given)])
    assert (headers[b"x-request-id"] == given) is is_kept


def test_ids_of_our_own_differ():
    edge, seen = Edge(app := App(), Metrics()), set()

    async def send(message):
        pass

    for _ in range(3):
        scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
        asyncio.run(edge(scope, None, send))
        seen.add(app.seen[-1][REQUEST_ID])
    assert len(seen) == 3


def test_head_is_answered_as_get_without_the_content():
    status, _, body, _ = ask(app := App(), method="HEAD")
    assert (status, body) == (200, b"")
    assert (app.seen[0]["method"], app.seen[0][IS_HEAD]) == ("GET", True)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 414)])
def test_a_url_may_be_so_long_and_no_longer(more, status):
    path = b"/api/v1/records/RA"
    query = b"a" * (MAX_URL_BYTES - len(path) - 1 + more)
    assert ask(app := App(), path=path, query=query)[0] == status
    assert len(app.seen) == (status == 200)


def test_what_fails_before_it_began_was_answered_by_the_application_and_is_raised():
    with pytest.raises(ZeroDivisionError):
        ask(App(fails=ZeroDivisionError(), begins=False))


def test_a_server_that_ends_says_so_to_a_client_without_an_answer():
    status, headers, body, counted = ask(App(fails=asyncio.CancelledError(), begins=False))
    assert (status, headers[b"retry-after"]) == (503, b"5")
    assert b"shutting-down" in body
    assert counted == {("/api/v1/records/{type}", 503): 1}


def test_nothing_is_finished_before_the_server_has_started():
    edge = Edge(App(), Metrics())
    assert edge.finished(b"/api/v1/data/RACE?from_time=20261101", []) is None


def test_what_is_no_request_passes_untouched():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)

    asyncio.run(Edge(app, Metrics())(scope := {"type": "lifespan"}, None, None))
    assert seen == [scope]
