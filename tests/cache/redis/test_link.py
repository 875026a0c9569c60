"""Commands: each has a deadline, a slot and a task of its own, and a stalled event loop is no fault of Redis."""

import asyncio
import time

import pytest
import structlog

from jvgate.cache.shared import Miss, Packed
from tests.cache.redis_server import RedisServer
from tests.cache.scenes import QUERY, entry, is_back, is_left_alone, kept, play, queries
from tests.waiting import until

pytestmark = pytest.mark.process

DEADLINE_S = 0.2


def short(scene, *urls, **options):
    return play(scene, *urls, **{"deadline_s": DEADLINE_S} | options)


@pytest.fixture
def server():
    """A server of its own: it is frozen and killed."""
    with RedisServer() as server:
        yield server


def test_a_command_that_hangs_is_cancelled_in_the_end_and_its_connection_is_closed(server):
    async def scene(one):
        await asyncio.gather(*map(one.get, queries(4)))  # as many connections
        link = one._link
        server.freeze()
        asking = [asyncio.create_task(link.ask("GET", "a", limit_s=DEADLINE_S)) for _ in range(4)]
        await asyncio.gather(*asking, return_exceptions=True)
        assert link._slots.locked()
        await until(lambda: not link._tasks)
        assert link._slots._value == 4
        server.thaw()
        await is_back(one)
        return [await one.get(query) for query in queries(4)]

    assert play(scene, server.url, connections=4) == [Miss("absent")] * 4


def test_many_inspections_at_once_find_a_connection_each(server):
    async def scene(one):
        await kept(one, entry())  # so that there is something to look at, by pipelines
        await asyncio.gather(*map(one.get, queries(8)))
        looks = await asyncio.gather(*(one.inspect() for _ in range(24)))
        return one.state.state, [look.entries for look in looks]

    assert play(scene, server.url, connections=8) == ("closed", [1] * 24)


def test_an_event_loop_that_stands_still_is_no_fault_of_redis(server):
    async def scene(one):
        await kept(one, entry())
        for _ in range(5):
            task = asyncio.create_task(one.get(QUERY))
            await asyncio.sleep(0)
            time.sleep(DEADLINE_S * 3)  # noqa: ASYNC251
            assert isinstance(await task, Packed)
        return one.state.state

    assert short(scene, server.url) == "closed"


def sent(link):
    """Return the commands that tasks of the link carry out and have sent."""
    commands = [task.get_coro().cr_frame.f_locals["command"] for task in link._tasks]
    return [command for command in commands if command.is_sent]


def test_who_waits_is_given_one_more_deadline_and_not_another(server):
    async def scene(one):
        link, loop = one._link, asyncio.get_running_loop()
        server.freeze()
        asking = asyncio.create_task(link.ask("PING", limit_s=600.0))
        await until(lambda: sent(link))
        (command,) = sent(link)
        for _ in range(2):
            command.due_at = loop.time() - 1000.0  # the loop stood still
            command.timer.cancel()
            link._is_due(command)
        (answer,) = await asyncio.gather(asking, return_exceptions=True)
        server.thaw()
        return answer.reason

    assert play(scene, server.url) == "timeout"


def test_a_fault_of_ours_in_the_recovery_does_not_end_the_probes(server):
    failures = []

    async def scene(one):
        async def recover(client):
            failures.append(1)
            if len(failures) < 3:
                raise TypeError("Integer exceeds 64-bit range")

        one._link._on_recovery = recover
        server.restart()
        await is_left_alone(one)
        await is_back(one)

    with structlog.testing.capture_logs() as logs:
        short(scene, server.url)
    assert [log["event"] for log in logs if log["log_level"] == "error"] == [
        "what Redis missed could not be made good"
    ] * 2
