"""`agent://HOST:PORT`: the sessions of another machine, each over a connection of its own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from jvgate.errors import SettingsError, WorkerFailed, WorkerLost
from jvgate.jvlink.wire import LIMIT_BYTES
from jvgate.sessions.agent.hello import HELLO_LIMIT_BYTES, HELLO_LIMIT_S, follow_clock, greet_server, hear_agent
from jvgate.sessions.agent.streams import Connection
from jvgate.sessions.remote_session import RemoteWorker
from jvgate.sessions.sources.simulated import SETTING, provider_named
from jvgate.spec.spec import Provider
from jvgate.values import SourceClock

__all__ = ["DEFAULT_PORT", "Address", "check", "connect", "keep_alive", "parse_address"]

DEFAULT_PORT = 8900
CONNECT_LIMIT_S = 5.0
_ALLOWED = "agent://HOST:PORT, also with ?tls=1, &ca=FILE, &name=HOST (of its certificate), &lanes=split, &provider=nv"
_PARAMETERS = ("tls", "ca", "name", "lanes", "provider")
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


def parse_address(url: str) -> Address:
    """Return the agent that *url* names.  Raises SettingsError that says what is allowed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        why = f"{_without_secrets(url)!r} has a host or a port that is none."
        raise SettingsError(SETTING, why, allowed=_ALLOWED) from exc
    given = _parameters(parts.query)
    is_bare = parts.username is None and parts.path in ("", "/") and not parts.fragment
    if not (host and _is_name(host) and is_bare) or port == 0:
        raise SettingsError(SETTING, f"{_without_secrets(url)!r} names no agent.", allowed=_ALLOWED)
    _check_words(given)
    return Address(
        host=host,
        port=DEFAULT_PORT if port is None else port,
        is_tls=given.get("tls") == "1",
        ca=given.get("ca", ""),
        name=given.get("name", ""),
        is_split=given.get("lanes") == "split",
        provider=provider_named(given.get("provider", "jra")),
    )


def connect(address: Address, *, token: str, clock: SourceClock) -> RemoteWorker:
    """Connect to the agent and return the worker that it has started for us.

    clock: goes on as that of the source behind the agent.
    Raises WorkerFailed in words that say what to do, and what the agent refuses us with (SourceBusy, …).
    """
    connection = _dial(address)
    with _in_plain_words(address, connection):
        channel = connection.channel(limit_bytes=HELLO_LIMIT_BYTES)
        about = greet_server(channel, token=token)
        follow_clock(clock, about)
        connection.limit(None)
    channel.limit_bytes = LIMIT_BYTES
    return RemoteWorker(channel, connection, what=f"the agent {address}")


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


def _parameters(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    unknown = [name for name in given if name not in _PARAMETERS]
    if unknown or len(given) < len(pairs):
        why = f"an agent has no parameter {unknown[0]!r}." if unknown else "a parameter is given twice."
        raise SettingsError(SETTING, why, allowed=_ALLOWED)
    return given


def _check_words(given: dict[str, str]) -> None:
    if given.get("tls", "0") not in ("0", "1") or given.get("lanes", "split") != "split":
        raise SettingsError(SETTING, "a parameter of the agent has a value that is not allowed.", allowed=_ALLOWED)
    if given.get("name") and not _is_name(given["name"]):
        raise SettingsError(SETTING, f"name={given['name']!r} is no name of a machine.", allowed=_ALLOWED)
    if given.get("tls") != "1" and (given.get("ca") or given.get("name")):
        raise SettingsError(SETTING, "ca and name go with tls=1.", allowed=_ALLOWED)


def _is_name(host: str) -> bool:
    """Whether *host* can be looked up at all: the socket library raises anything for what cannot."""
    try:
        return bool(host.encode("idna")) and host.isprintable() and " " not in host
    except UnicodeError:  # a label that is empty or too long
        return False


def _without_secrets(url: str) -> str:
    """Return *url* without what stands before an @: a token does not belong there, and not into a message either."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
