"""The connection of a server to an agent: one for each session on the other machine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from jvgate.errors import WorkerFailed, WorkerLost
from jvgate.jvlink.wire import LIMIT_BYTES
from jvgate.listeners import Listener
from jvgate.sessions.agent.hello import HELLO_LIMIT_BYTES, HELLO_LIMIT_S, follow_clock, greet_server, hear_agent
from jvgate.sessions.agent.streams import Connection
from jvgate.sessions.remote_session import RemoteWorker, SessionEvent
from jvgate.spec.spec import Provider
from jvgate.values import SourceClock

__all__ = ["DEFAULT_PORT", "Address", "check", "connect", "keep_alive"]

DEFAULT_PORT = 8900
CONNECT_LIMIT_S = 5.0
# A machine that vanishes is known to be gone after 30 s: by themselves, systems wait for two hours.  Linux and Windows
# know the first name, macOS the second.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPALIVE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_UNTAKEN_S = 30  # an agent takes every command at once


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is.  ca: the file with the certificate to trust, "" for those of this machine.

    name: what its certificate says.  is_split: it has a session for stored and one for real-time data.
    provider: whose data they are.
    """

    host: str
    port: int
    is_tls: bool = False
    ca: str = ""
    name: str = ""
    is_split: bool = False
    provider: Provider = "jra"

    def __str__(self) -> str:
        """Return it as errors show it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def connect(
    address: Address, *, token: str, clock: SourceClock, on_event: Sequence[Listener[SessionEvent]] = ()
) -> tuple[RemoteWorker, Mapping[str, Any]]:
    """Connect to the agent; return the worker that it has started for us, and what it tells of itself.

    clock: goes on as that of the source behind the agent.  on_event: listeners to the events of its session.

    Raises WorkerFailed in words that say what to do, and what the agent refuses us with (SourceBusy, …).
    """
    connection = _dial(address)
    with _in_plain_words(address, connection):
        channel = connection.channel(limit_bytes=HELLO_LIMIT_BYTES)
        told = greet_server(channel, token=token)
        _check_provider(address, told)
        follow_clock(clock, told)
        connection.limit(None)
    channel.limit_bytes = LIMIT_BYTES
    return RemoteWorker(channel, connection, what=f"the agent {address}", on_event=on_event), told


def _check_provider(address: Address, told: Mapping[str, Any]) -> None:
    """Raise WorkerFailed when the agent has data of another provider, whose facts are others."""
    provider = told.get("provider", address.provider)
    if provider in ("jra", "nv") and provider != address.provider:
        raise WorkerFailed(f"the agent {address} has data of provider {provider}: add provider={provider} to its URL")


def check(address: Address) -> None:
    """Raise WorkerFailed when no agent of this version is there; it takes none of its sessions."""
    connection = _dial(address)
    with _in_plain_words(address, connection):
        hear_agent(connection.channel(limit_bytes=HELLO_LIMIT_BYTES))
    connection.settle()


def keep_alive(opened: socket.socket, *, untaken_s: int) -> None:
    """Let the system find out by itself when the other side's machine is gone, as far as it can be told to.

    untaken_s: how long the other side may take nothing of what is sent to it.  It is not asked whether it lives while
    something is on its way, and by itself a system sends that for a quarter of an hour.
    """
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {**_KEEP_ALIVE, "TCP_USER_TIMEOUT": untaken_s * 1000}.items():
        with suppress(AttributeError, OSError):  # not of this system, or of this age
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _dial(address: Address) -> Connection:
    context = _trust(address) if address.is_tls else None
    try:
        opened = socket.create_connection((address.host, address.port), CONNECT_LIMIT_S)
    except OSError as exc:
        why = f"no agent answers at {address} ({exc.strerror or exc}): start it there with `jvgate agent`"
        raise WorkerFailed(why) from exc
    keep_alive(opened, untaken_s=_UNTAKEN_S)
    connection = Connection(opened)
    connection.limit(HELLO_LIMIT_S)
    if context is not None:
        try:
            connection.start_tls(context, server_name=address.name or address.host)
        except OSError as exc:
            connection.settle()
            raise WorkerFailed(f"no TLS with the agent at {address}: {_tls_words(exc)}") from exc
    return connection


def _trust(address: Address) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=address.ca or None)
    except ssl.SSLError as exc:
        raise WorkerFailed(f"ca={address.ca} holds no certificate (PEM)") from exc
    except OSError as exc:
        raise WorkerFailed(f"ca={address.ca} cannot be read ({exc.strerror or exc})") from exc


def _tls_words(error: OSError) -> str:
    """Return what went wrong with TLS, and what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}; give the certificate to trust as ca=FILE, what it says as name=HOST"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return f"{getattr(error, 'reason', '') or error.strerror or error}; was it started with --tls-cert?"


@contextmanager
def _in_plain_words(address: Address, connection: Connection) -> Iterator[None]:
    """Close the connection when what is said over it fails, and say so in words that help."""
    try:
        yield
    except (WorkerLost, OSError) as exc:
        connection.settle()
        why = exc.why if isinstance(exc, WorkerLost) else str(exc)
        hint = "" if address.is_tls else " (if it was started with --tls-cert, add ?tls=1)"
        raise WorkerFailed(f"what answers at {address} is no agent of this version: {why}{hint}") from exc
    except BaseException:  # given up by whoever waits, too: the connection is in the midst of something
        connection.settle()
        raise
