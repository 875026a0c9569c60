"""Two servers on one Redis: they read once, outlive each other, and forget together."""

import asyncio
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from tests.cache.redis_proxy import Proxy
from tests.cache.redis_server import RedisServer
from tests.raceday import archive, race_day, record
from tests.served.nodes import ask_at_once, running
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")

HERD = 500  # at each
LEASE_S = 2.0
OLD, NEW = "テスト記念", "新しい記念"


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return archive(tmp_path_factory.mktemp("archive"), *race_day())


@pytest.fixture(scope="module")
def pair(redis, folder):
    """Two servers that take their time to open the source, and listen to each other."""
    with running(f"archive:{folder}?open_ms=300", redis.url, redis.url) as nodes:
        wait_until(lambda: all(node.redis["is_listening"] for node in nodes))
        yield nodes


@pytest.fixture(autouse=True)
def _old_race(redis, folder):
    redis.command("FLUSHALL")
    archive(folder, *race_day())


@contextmanager
def proxy(port):
    """Run a proxy in a thread; yield it and what has it do something in its own loop."""
    begun, loop = Event(), asyncio.new_event_loop()

    async def stand():
        async with Proxy(port) as made:
            stood.append(made)
            loop.call_soon(begun.set)
            await end.wait()

    stood, end = [], asyncio.Event()
    thread = Thread(target=lambda: loop.run_until_complete(stand()))
    thread.start()
    assert begun.wait(LIMIT_S)
    try:
        yield stood[0], loop.call_soon_threadsafe
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(LIMIT_S)
        loop.close()


def name_of_the_race(answer):
    return next(shown["Hondai"] for shown in answer.json()["data"] if shown["RecordSpec"] == "RA")


def lease(redis):
    return next((name for name in redis.names() if ":lease:" in name), "")


def test_a_thousand_equal_requests_at_both_open_the_source_once(pair):
    answers = list(ask_at_once(*pair, count=HERD))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert sum(node.opens for node in pair) == 1


def test_a_purge_at_one_reaches_the_memory_of_the_other(pair, folder):
    one, other = pair
    assert [name_of_the_race(node.get(1)) for node in pair] == [OLD, OLD]
    archive(folder, record("RA", Hondai=NEW))
    assert one.purge(dataspec="RACE")["l2"] == 1
    wait_until(lambda: not other.kept)
    assert name_of_the_race(other.get(1)) == NEW


def test_when_the_one_that_reads_is_killed_the_other_reads_for_all(redis, folder, record_property):
    lasts = ("--redis-lease-s", f"{LEASE_S}")
    with (
        running(f"archive:{folder}?open_ms=60000", redis.url, options=lasts) as (holder,),
        running(f"archive:{folder}", redis.url, options=lasts) as (other,),
        ThreadPoolExecutor(2) as clients,
    ):
        clients.submit(list, ask_at_once(holder, count=1))
        wait_until(lambda: lease(redis) and holder.opens == 1)
        answers = clients.submit(list, ask_at_once(other, count=HERD))
        wait_until(lambda: other.figure("jvgate_cache_requests_total", tier="l2"))
        assert (holder.opens, other.opens) == (1, 0)
        holder.process.send_signal(signal.SIGKILL)
        holder.process.wait(LIMIT_S)
        killed_at = time.monotonic()
        assert redis.command("PTTL", lease(redis)) <= LEASE_S * 1000
        assert [answer.status for answer in answers.result(LIMIT_S)] == [200] * HERD
        record_property("all_answered_after_s", round(time.monotonic() - killed_at, 2))
        record_property("lease_s", LEASE_S)
        assert other.opens == 1  # the second one, after that of the killed


def test_who_was_cut_off_when_it_was_purged_has_nothing_old_when_it_is_back(pair, redis, folder):
    one, _ = pair
    with proxy(redis.port) as (wire, do), running(f"archive:{folder}", wire.url) as (other,):
        wait_until(lambda: other.redis["is_listening"])
        assert name_of_the_race(other.get(2)) == OLD
        wire.is_swallowing = True
        do(wire.cut)
        wait_until(lambda: not other.redis["is_listening"])
        archive(folder, record("RA", Hondai=NEW))
        one.purge(all="1")
        assert name_of_the_race(one.get(2)) == NEW
        assert other.get(2).status_code == 200
        wire.is_swallowing = False
        do(wire.cut)
        wait_until(lambda: other.redis["is_listening"])
        assert name_of_the_race(other.get(2)) == NEW


def test_a_server_that_begins_without_redis_finds_it(folder):
    with RedisServer() as redis:
        redis.kill()
        with running(f"archive:{folder}", redis.url, options=("--l1-entries", "0")) as (node,):
            assert node.get().status_code == 200
            assert node.redis["reason"] == "refused"
            redis.start()
            wait_until(lambda: node.redis["state"] == "closed")
            first = node.get()
            wait_until(lambda: any(":RACE:" in name for name in redis.names() - {lease(redis)}))
            assert node.get().content == first.content
            assert node.figure("jvgate_cache_requests_total", tier="l2", result="hit") == 1
            assert node.opens == 2
