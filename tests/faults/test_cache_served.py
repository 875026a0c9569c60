"""A real server whose Redis is killed, frozen, filled and garbled while it is asked: no request fails."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event

import httpx2
import pytest

from jvgate.cache.redis.keys import Keys
from tests.cache.redis_server import RedisServer
from tests.cache.scenes import freeze, kill
from tests.raceday import archive, race_day
from tests.served.nodes import path_of, running
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")

CLIENTS = 4
ANSWERS = 100  # to see between two events
EQUAL = 10  # of so many requests one after the other all but the first can come from Redis


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def node(redis, tmp_path_factory):
    """A server without a memory: every answer is made anew, from Redis or the source."""
    folder = archive(tmp_path_factory.mktemp("archive"), *race_day())
    with running(f"archive:{folder}", redis.url, options=("--l1-entries", "0")) as (node,):
        yield node


class Load:
    """Clients that ask one question after another.  statuses: of every answer so far."""

    def __init__(self, node):
        self.statuses = []
        self._url = node.client.base_url
        self._numbers = count()
        self._end = Event()

    def ask(self):
        with httpx2.Client(base_url=self._url, timeout=LIMIT_S) as client:
            while not self._end.is_set():
                self.statuses.append(client.get(path_of(next(self._numbers) // EQUAL % 86_400)).status_code)

    def end(self):
        self._end.set()

    def goes_on(self):
        """Wait until some more requests have been answered."""
        seen = len(self.statuses)
        wait_until(lambda: len(self.statuses) >= seen + ANSWERS)


@contextmanager
def asked(node):
    load = Load(node)
    with ThreadPoolExecutor(CLIENTS) as clients:
        asking = [clients.submit(load.ask) for _ in range(CLIENTS)]
        try:
            yield load
        finally:
            load.end()
    assert [task.exception() for task in asking] == [None] * CLIENTS


def fill(redis):
    redis.fill()
    return redis.drain


def restart(redis):
    redis.restart()
    return lambda: None


def garble(redis):
    """Put something else into every value: cut short, a bit turned, of another kind, empty."""
    values = sorted(name for name in redis.names() if ":jra:RACE:" in name and ":lease:" not in name)
    for number, name in enumerate(values):
        with redis.client() as client:
            data = bytearray(client.get(name) or b"?")
            data[number % len(data)] ^= 1 << number % 8
            client.set(name, [bytes(data), data[: number % len(data)], b"no dataset", b""][number % 4])
            if number % 5 == 0:
                client.delete(name)
                client.hset(name, "a", "b")
    return lambda: None


@pytest.mark.parametrize("strike", [kill, freeze, restart, fill, garble])
def test_no_request_fails(redis, node, strike):
    with asked(node) as load:
        load.goes_on()
        heal = strike(redis)
        load.goes_on()
        heal()
        wait_until(lambda: (node.redis["state"], node.redis["writes"]) == ("closed", ""))
        load.goes_on()
    assert set(load.statuses) == {200}


def test_what_was_garbled_is_counted_and_written_anew(redis, node):
    first = node.get()
    key = Keys(node.client.get("/readyz").json()["identity"]).value("jra:RACE:20261101000000-:1")
    wait_until(lambda: key in redis.names())
    redis.command("SET", key, b"no dataset")
    before = node.figure("jvgate_cache_requests_total", tier="l2", result="foreign")
    assert node.get().content == first.content
    assert node.figure("jvgate_cache_requests_total", tier="l2", result="foreign") > before
    wait_until(lambda: len(redis.command("GET", key)) > 100)


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("0B15", {"key": "202611150511:RA"}),
        ("0B15", {"key": "202611150511}"}),
        ("lease:RACE", {"from_time": "20261101"}),
        ("jra:RACE:20261101000000-:1", {"from_time": "20261101"}),
        ("RACE", {"from_time": "20261101000000-:1:RA"}),
        ("RACE", {"from_time": "20261101", "to_time": "20261102000000:1"}),
        ("RACE", {"from_time": "20261101", "option": "1:RA"}),
        ("RACE", {"from_time": "20261101", "record": "RA+SE"}),
        ("RACE", {"from_time": "20261101", "record": "RA:x"}),
        ("RACE", {"from_time": "20261101\r\nSET jvgate:3:jra:purges x"}),
    ],
)
def test_no_parameter_reaches_another_key(redis, node, path, parameters):
    redis.command("FLUSHALL")
    answer = node.client.get(f"/api/v1/data/{path}", params=parameters)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert redis.names() == set()
