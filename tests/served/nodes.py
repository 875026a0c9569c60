"""Servers in processes of their own on one Redis, and what is asked of them at once."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.served.processes import serving
from tests.waiting import LIMIT_S

__all__ = ["Answer", "Node", "ask_at_once", "path_of", "running"]


@dataclass(frozen=True)
class Answer:
    """What came back, whole or cut off.  status: 0 when nothing came."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Node:
    """One server process."""

    process: subprocess.Popen[str]
    client: httpx2.Client

    def get(self, number: int = 0, **headers: str) -> httpx2.Response:
        """Return the answer to a question that is another one for each *number*."""
        return self.client.get(path_of(number), headers=headers)

    def purge(self, **what: str) -> dict[str, object]:
        response = self.client.delete("/api/v1/cache", params=what)
        assert response.status_code == 200, response.text
        return response.json()

    def figure(self, name: str, **labels: str) -> float:
        """Return one figure of /metrics; 0 when it is not there."""
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    @property
    def opens(self) -> float:
        return self.figure("jvgate_source_opens_total")

    @property
    def redis(self) -> dict[str, object]:
        return self.client.get("/readyz").json()["redis"]

    @property
    def kept(self) -> int:
        """How many entries are in its memory."""
        return self.client.get("/api/v1/cache").json()["l1"]["entries"]


@contextmanager
def running(source: str, *redis_urls: str, options: Iterable[str] = ()) -> Iterator[list[Node]]:
    """Serve *source* once for each of *redis_urls*."""
    options = ("--no-prefetch", "--sessions", "2", *options)
    with ExitStack() as end:
        yield [Node(*end.enter_context(serving(source, "--redis", url, *options))) for url in redis_urls]


def path_of(number: int) -> str:
    """Return a question of its own for each second of a day; all have the same answer."""
    minutes, second = divmod(number, 60)
    hour, minute = divmod(minutes, 60)
    return f"/api/v1/data/RACE?from_time=20261101{hour:02}{minute:02}{second:02}"


def ask_at_once(*nodes: Node, count: int, number: int = 0) -> Iterator[Answer]:
    """Ask each of *nodes* as often, all before any answer is waited for; then yield the answers as they are read."""
    waiting = []
    with ExitStack() as end:
        for node in list(nodes) * count:
            url = node.client.base_url
            connection = end.enter_context(socket.create_connection((url.host, url.port), timeout=LIMIT_S))
            connection.sendall(f"GET {path_of(number)} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
            waiting.append(connection)
        yield from map(_answer, waiting)


def _answer(connection: socket.socket) -> Answer:
    with connection.makefile("rb") as stream:
        try:
            head, _, body = stream.read().partition(b"\r\n\r\n")
        except ConnectionResetError:
            return Answer(0, b"")
    return Answer(int(head.split()[1]) if head else 0, body)
