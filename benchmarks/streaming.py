"""Does a stream of any size leave the server's memory flat, begin with its first record and free its session?

Everything is read out of an archive by a server in a process of its own.  STREAM_MB: megabytes of raw records, 2000
unless told otherwise.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from benchmarks import stamping
from benchmarks.measuring import FULL, Effort, Figure, Sample, Wanted, main, percentile
from benchmarks.servers import HOST, Server, jvgate, running
from benchmarks.weekend import SOURCE_DATE, weekend

__all__ = ["measure"]

TYPES = ("RA", "SE", "HR", "O1")
FULL_MB, QUICK_MB = int(os.environ.get("STREAM_MB", "2000")), 4
FILE_MB = {True: 8, False: 1}
SLOW_MB_S, SLOW_S, SETTLING_S = 1.0, 30.0, 5.0
VISITORS, AT_ONCE = 200, 40
FIRST_BYTES = 40
LOOK_S = 0.05
LIMIT_S = 60.0
RISE_MB, FLAT_MB, FIRST_MS = Wanted(most=100.0), Wanted(most=10.0), Wanted(most=20.0)
ASKED = "/api/v1/stream/RACE?from_time=20261101&format="
_END = b"0\r\n\r\n"


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of large streams, a slow client, the first byte, and clients that come and go."""
    is_full = effort is FULL
    with tempfile.TemporaryDirectory() as folder:
        archive = _Archive(Path(folder))
        archive.fill(FULL_MB if is_full else QUICK_MB, file_mb=FILE_MB[is_full])
        figures = [figure for form in ("raw", "ndjson") for figure in _large(archive, form)]
        figures += _slow(archive, SLOW_S if is_full else 0.5, settling_s=SETTLING_S if is_full else 0.1)
        figures += _visited(archive, VISITORS if is_full else 20)
    return [*figures, *(_first_byte(form, FIRST_BYTES if is_full else 3) for form in ("raw", "ndjson"))]


@dataclass
class _Archive:
    """An archive of many files that are one file on the disk."""

    folder: Path
    megabytes: float = 0.0
    records: int = 0

    def fill(self, megabytes: int, *, file_mb: int) -> None:
        few = [raw for kind in TYPES for raw in weekend(kind)]
        times = max(1, file_mb * 1_000_000 // sum(map(len, few)))
        data, count = b"".join(few) * times, max(1, round(megabytes / file_mb))
        (self.folder / "RACE").mkdir()
        first = self.folder / "RACE" / "RAVM2026111520261116000000.jvd"
        first.write_bytes(data)
        for number in range(1, count):
            os.link(first, first.with_name(f"RAVM20261115{20261116000000 + number // 60 * 100 + number % 60}.jvd"))
        self.megabytes, self.records = len(data) * count / 1e6, len(few) * times * count

    @contextmanager
    def served(self) -> Iterator[Server]:
        command = [*jvgate()[:-3], "--source", f"archive:{self.folder}?date={SOURCE_DATE}", "--port"]
        with running(command) as server:
            yield server


class _Memory:
    """Looks at the memory of a server until it is told to stop.  seen: (seconds since the beginning, MB)."""

    def __init__(self, server: Server) -> None:
        self.seen: list[tuple[float, float]] = []
        self.before = server.resident_mb()
        self._server = server
        self._stop = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def rise_mb(self) -> float:
        return max(mb for _, mb in self.seen) - self.before

    def _look(self) -> None:
        began = time.perf_counter()
        while not self._stop.wait(LOOK_S):
            self.seen.append((time.perf_counter() - began, self._server.resident_mb()))


def _large(archive: _Archive, form: str) -> list[Figure]:
    """Return what memory and time a whole stream takes for a client that reads as fast as it can."""
    with archive.served() as server, _Memory(server) as memory:
        began = time.perf_counter()
        count, tail = _read(server.port, form)
        seconds = time.perf_counter() - began
    assert tail.endswith(_END), "the stream has no end"
    if form == "raw":
        assert count > archive.megabytes * 1e6, "bytes are missing"
    else:
        assert _end_of(tail)["total"] == archive.records, "records are missing"
    what = f"{archive.megabytes:,.0f} MB of raw records as {form}"
    return [
        Figure(f"{what}: memory", Sample("MB", (memory.rise_mb,)), wanted=RISE_MB),
        Figure(f"{what}: read", Sample("MB/s", (archive.megabytes / seconds,)), more_is_better=True),
    ]


def _slow(archive: _Archive, seconds: float, *, settling_s: float) -> list[Figure]:
    """Return what memory rises by while a client reads slowly, once the buffers on the way are full."""
    with archive.served() as server, _Memory(server) as memory, _asked(server.port, "ndjson") as connection:
        began = time.perf_counter()
        taken = 0
        while (spent := time.perf_counter() - began) < seconds:
            taken += len(connection.recv(1 << 14))
            time.sleep(max(0.0, taken / (SLOW_MB_S * 1e6) - spent))
        assert server.get("/readyz")
    settled = [mb for at, mb in memory.seen if at >= min(settling_s, seconds / 2)]
    what = f"a client at {SLOW_MB_S:g} MB/s for {seconds:g} s: memory"
    return [
        Figure(f"{what} after its first seconds", Sample("MB", (max(settled) - settled[0],)), wanted=FLAT_MB),
        Figure(f"{what} in all", Sample("MB", (memory.rise_mb,)), wanted=RISE_MB),
    ]


def _visited(archive: _Archive, visitors: int) -> list[Figure]:
    """Return what is left of clients that leave whenever they like."""
    dice = random.Random(11)
    stays = [(dice.choice(("raw", "ndjson", "json")), dice.choice((0, 0, 1, 1, 10, 100)), dice.random() * 0.05)
             for _ in range(visitors)]  # fmt: skip
    with archive.served() as server:
        with ThreadPoolExecutor(AT_ONCE) as others:
            list(others.map(lambda stay: _visit(server.port, *stay), stays))
        left, taken = time.perf_counter(), 1.0
        while taken and time.perf_counter() - left < LIMIT_S:
            sessions = json.loads(server.get("/readyz").body)["sessions"]
            taken = float(sessions["busy"] + sessions["waiting"])
        free_s = time.perf_counter() - left
        metrics = server.get("/metrics").body.decode()
        lost = _metric(metrics, "jvgate_session_faults_total")
        assert _metric(metrics, "jvgate_streams_open") == 0, "a stream is still open"
    what = f"{visitors} clients that leave at random"
    return [
        Figure(f"{what}: sessions still taken", Sample("sessions", (taken,)), wanted=Wanted(most=0.0)),
        Figure(f"{what}: until all are free", Sample("ms", (free_s * 1000,))),
        Figure(f"{what}: workers lost", Sample("workers", (lost,))),
    ]


def _visit(port: int, form: str, pieces: int, stay_s: float) -> None:
    with _asked(port, form) as connection:
        time.sleep(stay_s)
        for _ in range(pieces):
            if not connection.recv(1 << 16):
                return


def _first_byte(form: str, times: int) -> Figure:
    """Return how long after its reading the first record is at the client, over worker, pipe, server and socket."""
    spent_ms: list[float] = []
    with running(stamping.command()) as server:
        for number in range(times + 1):
            with _asked(server.port, form) as connection:
                came = b""
                while (stamp := stamping.STAMP.search(came)) is None:
                    came += connection.recv(1 << 16)
                now = time.monotonic_ns()
            if number:  # the first one starts the worker
                spent_ms.append((now - int(stamp[1])) / 1e6)
    name = f"from JVGets of the first record to the client's first byte, {form}"
    return Figure(name, Sample("ms", tuple(spent_ms), p99=percentile(spent_ms, 99)), wanted=FIRST_MS)


@contextmanager
def _asked(port: int, form: str) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, port), timeout=LIMIT_S) as connection:
        connection.sendall(f"GET {ASKED}{form} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        yield connection


def _read(port: int, form: str) -> tuple[int, bytes]:
    """Read a stream to its end; return how many bytes came, and the last of them."""
    buffer, count, tail = bytearray(1 << 20), 0, b""
    with _asked(port, form) as connection:
        while size := connection.recv_into(buffer):
            count += size
            tail = (tail + buffer[max(0, size - 4096) : size])[-4096:]
    return count, tail


def _end_of(tail: bytes) -> dict[str, object]:
    """Return what the last object of a stream tells."""
    text = tail[tail.rindex(b'{"end":') :]
    end: dict[str, object] = json.loads(text[: text.rindex(b"}}") + 2])["end"]
    return end


def _metric(text: str, name: str) -> float:
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


if __name__ == "__main__":
    sys.exit(main(measure))
