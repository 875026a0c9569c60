"""The news channel: messages reach the listeners of their kind, and no other bytes do harm."""

import asyncio

import pytest

from jvgate.values import Message
from tests.cache.redis_server import RedisServer
from tests.cache.scenes import play, until


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


def test_a_message_reaches_the_listeners_of_its_kind_in_every_process(server):
    heard, message = [], Message("landing", {"query": "RACE", "records": 3})

    async def scene(one, other):
        await one.tell(message)
        await until(lambda: len(heard) == 4)
        return one.counts["message", "unknown"]

    assert play(scene, server.url, server.url, listeners={"landing": [heard.append, heard.append]}) == 0
    assert {(each.kind, each.text("query"), each.number("records")) for each in heard} == {("landing", "RACE", 3)}


def test_a_message_of_an_unknown_kind_is_ignored_and_counted(server):
    async def scene(one, other):
        await one.tell(Message("from a later version"))
        await until(lambda: other.counts["message", "unknown"])
        return other.state.is_listening

    assert play(scene, server.url, server.url)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"kind":"purge","tags":["x"]}', b'{"kind":"landed","query":7}'])
def test_a_malformed_message_is_ignored_and_counted(server, data):
    async def scene(one):
        server.command("PUBLISH", "jvgate:1:news", data)
        await until(lambda: one.counts["message", "malformed"])
        return one.state.is_listening

    assert play(scene, server.url)


def test_an_error_of_a_listener_does_not_end_the_subscription(server):
    def fails(message):
        failed.append(message)
        raise RuntimeError(message.kind)

    async def scene(one):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        for count in (1, 2):
            await one.tell(Message("topic"))
            await until(lambda count=count: len(failed) == count)
        return one.state.is_listening

    failed = []
    assert play(scene, server.url, listeners={"topic": [fails]})


def test_a_message_without_redis_is_dropped(server):
    async def scene(one):
        await one.tell(Message("topic"))
        return one.state.reason

    assert play(scene, "unix:///nowhere/redis.sock", is_up=False) == "refused"
