"""Streams whose client leaves, dawdles or sleeps, and whose worker dies: sessions come free, and no cut looks whole."""

import json
import os
import random
import signal
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

import pytest

from jvgate.settings import Settings
from tests.raceday import archive, record
from tests.waiting import wait_until
from tests.web.conftest import LIMIT_S, running

ENDS = "jvgate_streams_total"
ASKED = "/api/v1/stream/RACE?from_time=20261101&format="
MANY = 40
LOOKS = 50

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Some forty megabytes of records: more than all buffers on the way to a client hold."""
    place = tmp_path_factory.mktemp("archive")
    records = [record("SE", Umaban=number % 18 + 1) for number in range(1000)]
    for number in range(8):
        archive(place, *records * 9, name=f"SEVM20261115{20261116140000 + number}.jvd")
    return place


@contextmanager
def serving(folder, latency="", **given):
    with running(Settings(source=f"archive:{folder}?date=2026-11-18{latency}", **given)) as client:
        yield client


@contextmanager
def connected(client, form="ndjson", *, before=b"", request=b""):
    """A client of the bare socket that has asked for a stream, and takes nothing by itself.

    before: other requests on the same connection.  request: another one instead.
    """
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.settimeout(LIMIT_S)
        connection.connect((client.base_url.host, client.base_url.port))
        stream = f"GET {ASKED}{form} HTTP/1.1\r\nHost: test\r\n\r\n".encode()
        connection.sendall(before + (request or stream))
        yield connection


def read_to_the_end(connection):
    """What came before the connection ended, be it in good order or not."""
    came = bytearray()
    with suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            came += data
    return bytes(came)


def sessions(client):
    return client.get("/api/v1/sessions").json()["sessions"]


def all_free(client):
    """Wait until no session is at work; return how many workers were lost."""
    wait_until(
        lambda: all(not client.figure("jvgate_sessions", state=state) for state in ("busy", "waiting", "resting"))
    )
    return sum(session["faults"] for session in sessions(client))


def standing_still(client):
    """Wait until the one session reads no further; return how many bytes it has read."""
    before, same = -1, 0
    while same < LOOKS:
        now = sessions(client)[0]["progress"]["bytes_read"]
        before, same = now, same + 1 if now == before and now else 0
    return before


def size(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*.jvd"))


def digest(folder):
    files = sorted(Path(folder).rglob("*.jvd"))
    return blake2b(b"".join(file.read_bytes() for file in files), digest_size=16).hexdigest()


@pytest.mark.parametrize("form", ["ndjson", "raw"])
def test_a_client_that_leaves_in_the_middle_frees_its_session_at_once(folder, form):
    with serving(folder, sessions=1) as client:
        with connected(client, form) as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            wait_until(lambda: sessions(client)[0]["state"] == "busy")
        assert all_free(client) == 0
        assert wait_until(lambda: client.figure(ENDS, end="left")) == 1
        assert client.figure("jvgate_streams_open") == 0


def test_a_client_that_leaves_before_the_first_record_frees_its_session(folder):
    with serving(folder, "&read_us=20000&download_ms=100000", sessions=1) as client:
        with connected(client):
            wait_until(lambda: sessions(client)[0]["state"] == "busy")
        assert all_free(client) == 0
        assert wait_until(lambda: client.figure("jvgate_requests_total", status="499")) == 1


def test_a_client_that_leaves_the_queue_takes_no_session(folder):
    with serving(folder, sessions=1) as client:
        with connected(client, "raw") as first:
            assert first.recv(100)
            with connected(client, "raw"):
                wait_until(lambda: client.figure("jvgate_sessions", state="waiting") == 1)
            wait_until(lambda: client.figure("jvgate_sessions", state="waiting") == 0)
        assert all_free(client) == 0
        assert client.figure("jvgate_source_opens_total") == 1


def test_a_slow_client_makes_jvlink_wait_and_still_gets_everything(folder):
    with serving(folder, sessions=1) as client, client.stream("GET", ASKED + "raw") as response:
        came = response.iter_raw()
        first = next(came)
        assert standing_still(client) < size(folder) / 2
        hashed = blake2b(first, digest_size=16)
        for piece in came:
            hashed.update(piece)
        assert hashed.hexdigest() == digest(folder)
        assert all_free(client) == 0


def test_a_client_that_takes_nothing_is_cut_off_and_its_session_freed(folder):
    with serving(folder, sessions=1, stream_stall_s=0.3) as client, connected(client, "raw") as connection:
        assert wait_until(lambda: client.figure(ENDS, end="stalled")) == 1
        assert all_free(client) == 0
        assert len(rest := read_to_the_end(connection)) < size(folder) / 2
        assert not rest.endswith(b"\r\n0\r\n\r\n")


def test_a_client_that_has_not_taken_its_last_answer_gets_no_session_to_hold(folder):
    large = f"GET {ASKED.replace('stream', 'data')}raw HTTP/1.1\r\nHost: test\r\n\r\n".encode()
    with (
        serving(folder, sessions=1, stream_stall_s=0.3) as client,
        connected(client, "raw", before=large) as connection,
    ):
        assert wait_until(lambda: client.figure(ENDS, end="stalled")) == 1
        assert all_free(client) == 0
        read_to_the_end(connection)


class Loose:
    """Packs nothing, or these records, which are all alike, would fit into the buffers on the way to a client."""

    def __init__(self, coding, *, level):
        pass

    def write(self, piece):
        return piece

    def end(self):
        return b""


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_client_that_takes_nothing_of_its_batch_is_cut_off(folder, accept, coding, monkeypatch):
    monkeypatch.setattr("jvgate.gateway.streams.compressor", Loose)
    asked = [{"dataspec": "RACE", "from_time": "20261101", "limit": 5000 + number} for number in range(3)]
    body = json.dumps({"requests": asked})
    lines = ("POST /api/v1/batch HTTP/1.1", "Host: test", f"Accept: {accept}", "Content-Type: application/json")
    about = (f"Accept-Encoding: {coding}", f"Content-Length: {len(body)}")
    request = "\r\n".join([*lines, *about, "", body]).encode()
    with serving(folder, sessions=1, stream_stall_s=0.3) as client, connected(client, request=request) as connection:
        wait_until(lambda: client.figure("jvgate_requests_total", route="/api/v1/batch") == 1)
        assert len(read_to_the_end(connection)) < len(client.post("/api/v1/batch", json=json.loads(body)).content) / 2


def test_a_slow_stream_holds_up_nobody_who_asks_for_the_same(folder):
    with serving(folder, sessions=2) as client, connected(client) as slow:
        assert slow.recv(100)
        with client.stream("GET", ASKED + "raw") as response:
            assert sum(map(len, response.iter_raw())) == size(folder)


def test_a_worker_killed_in_the_middle_ends_the_stream_so_that_it_shows(folder):
    with serving(folder, "&read_us=200", sessions=1) as client, connected(client) as connection:
        body = connection.recv(1 << 16)
        os.kill(sessions(client)[0]["facts"]["pid"], signal.SIGKILL)
        body += read_to_the_end(connection)
        chunks = unchunked(body.partition(b"\r\n\r\n")[2])
        *records, last = map(json.loads, b"".join(chunks).splitlines())
        assert last["error"]["type"] == "/problems/session-lost"
        assert {shown["RecordSpec"] for shown in records} == {"SE"}
        assert chunks[-1] != b""  # HTTP's own end is missing too
        assert client.figure(ENDS, end="broken") == 1
        assert all_free(client) == 1


def unchunked(body):
    """The chunks of a chunked body, the empty last one too where there is one."""
    chunks = []
    while body:
        head, _, body = body.partition(b"\r\n")
        length = int(head, 16)
        chunks.append(body[:length])
        body = body[length + 2 :]
    return chunks


def test_many_who_come_and_leave_as_they_like_leave_every_session_free(folder):
    dice = random.Random(5)

    def visit(number):
        with connected(client, dice.choice(("ndjson", "json", "raw"))) as connection:
            for _ in range(dice.choice((0, 0, 1, 5, 50))):
                if not connection.recv(1 << 16):
                    break
            if number % 3 == 0:  # as a process that is killed with bytes unread
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(folder, sessions=3) as client:
        with ThreadPoolExecutor(10) as visitors:
            list(visitors.map(visit, range(MANY)))
        all_free(client)
        assert client.figure("jvgate_streams_open") == 0
        assert client.get(ASKED + "raw").status_code == 200
