"""The application: what the routing refuses, what nobody expected, and purges that other processes ask for."""

import asyncio

import pytest

from jvgate.gateway.gateway import Gateway, PurgeNews
from jvgate.settings import Settings
from jvgate.values import Message
from jvgate.web.app import create_app
from tests.waiting import LIMIT_S

BOTH = "GET, HEAD, DELETE"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/v1/cache", BOTH),
        ("DELETE", "/healthz", "GET, HEAD"),
        ("GET", "/api/v1/batch", "POST"),
    ],
)
def test_another_method_is_refused_with_those_that_the_path_takes(web, method, path, allow):
    answer = web.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json()["type"] == "/problems/method-not-allowed"
    assert allow in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/cache/", "/docs/../secret"])
def test_a_path_that_is_not_there_is_a_problem_that_leads_to_the_docs(web, path):
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "see /docs" in answer.json()["detail"]


def test_what_nobody_expected_is_told_without_a_word_of_our_insides(web, monkeypatch):
    async def fails(self):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Gateway, "describe_cache", fails)
    answer = web.get("/api/v1/cache", headers={"x-request-id": "mine"})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "mine"
    assert "secret" not in answer.text


class Siblings:
    """The other processes: what they were told, and how they are heard."""

    def __init__(self):
        self.told, self.listeners = [], {}

    def tell(self, message):
        self.told.append(message)

    def add_listener(self, kind, listener):
        self.listeners[kind] = listener


def test_a_purge_of_another_process_is_done_here_and_not_told_again(folder, monkeypatch):
    siblings, forgotten = Siblings(), asyncio.Event()
    monkeypatch.setattr(Gateway, "forget", lambda self, tags, stamp: forgotten.set())

    async def live():
        edge = create_app(Settings(source=f"archive:{folder}", prefetch=False), siblings=siblings)
        inbox, outbox = asyncio.Queue(), asyncio.Queue()
        living = asyncio.create_task(edge({"type": "lifespan", "app": None}, inbox.get, outbox.put))
        await inbox.put({"type": "lifespan.startup"})
        assert (await asyncio.wait_for(outbox.get(), LIMIT_S))["type"] == "lifespan.startup.complete"
        siblings.listeners["purge"](PurgeNews(("RACE",), 1).to_message())
        await asyncio.wait_for(forgotten.wait(), LIMIT_S)
        assert siblings.told == []
        await inbox.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(living, LIMIT_S)

    asyncio.run(live())


def test_a_purge_that_is_asked_for_here_is_told_to_the_others(folder):
    siblings = Siblings()

    async def live():
        edge = create_app(Settings(source=f"archive:{folder}", prefetch=False), siblings=siblings)
        inbox, outbox = asyncio.Queue(), asyncio.Queue()
        living = asyncio.create_task(edge({"type": "lifespan", "app": None}, inbox.get, outbox.put))
        await inbox.put({"type": "lifespan.startup"})
        await asyncio.wait_for(outbox.get(), LIMIT_S)
        scope = {"type": "http", "method": "DELETE", "path": "/api/v1/cache", "raw_path": b"/api/v1/cache",
                 "query_string": b"dataspec=RACE", "headers": []}  # fmt: skip
        await edge(scope, asyncio.Event().wait, outbox.put)
        await inbox.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(living, LIMIT_S)

    asyncio.run(live())
    (message,) = siblings.told
    assert isinstance(message, Message)
    assert message.kind == "purge"
