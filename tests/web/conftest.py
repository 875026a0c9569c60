"""The real application under a real server on a free port, and what asks it."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import httpx2
import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from jvgate.commands.serve import server_config
from jvgate.settings import Settings
from jvgate.web.edge import Edge
from tests.raceday import RACE_KEY, archive, race_day, record

LIMIT_S = 30


class Client(httpx2.Client):
    """Asks one server.  Data is asked of RACE from November 2026 on unless told otherwise.

    edge: the server's own, which runs in a thread of this process.
    """

    edge: Edge

    def data(self, dataspec="RACE", *, headers=None, method="GET", **parameters):
        if not dataspec.startswith("0B"):
            parameters = {"from_time": "20261101"} | parameters
        return self.request(method, f"/api/v1/data/{dataspec}", params=parameters, headers=headers)

    def send_bytes(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Send *request* as it stands, and return the answer's status, head and body."""
        with socket.create_connection((self.base_url.host, self.base_url.port), timeout=LIMIT_S) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), head.lower(), body

    def figure(self, name, **labels):
        """One figure of /metrics; 0 when it is not there."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        return sum(
            sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()
        )


@contextmanager
def running(settings: Settings) -> Iterator[Client]:
    """Serve as `jvgate serve` does, on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        config = server_config(settings)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client(base_url=url, timeout=LIMIT_S, headers={"accept-encoding": "identity"}) as client:
            client.edge = config.app
            try:
                yield client
            finally:
                client.close()
                server.should_exit = True
                thread.join(LIMIT_S)


@pytest.fixture(scope="module")
def serve():
    """Start a server on a source; it ends with the module."""
    with ExitStack() as servers:
        yield lambda source, **given: servers.enter_context(running(Settings(source=str(source), **given)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An archive of one race: stored, in an older layout, and in real time."""
    place = tmp_path_factory.mktemp("archive")
    archive(place, *race_day())
    archive(place, record("UM", length=1577), record("UM", length=1577, Bamei="アイ"), dataspec="DIFF")
    archive(place, record("UM"), dataspec="DIFN")
    return archive(place, *race_day()[:5], dataspec="0B12", name=f"{RACE_KEY}.jvd")


@pytest.fixture(scope="module")
def web(serve, folder):
    """A server on the archive."""
    return serve(f"archive:{folder}?date=2026-11-18")
