"""`agent://HOST:PORT`: the sessions of another machine, each over a connection of its own."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from jvgate.errors import SettingsError, SourceError, WorkerFailed, WorkerLost
from jvgate.jvlink.wire import LIMIT_BYTES
from jvgate.sessions.agent_hello import HELLO_LIMIT_BYTES, HELLO_LIMIT_S, greet_server
from jvgate.sessions.remote import RemoteWorker
from jvgate.sessions.simulated import JST, SETTING
from jvgate.sessions.streams import Connection

__all__ = ["DEFAULT_PORT", "Address", "connect", "parse_address"]

DEFAULT_PORT = 8900
CONNECT_LIMIT_S = 5.0
_ALLOWED = "agent://HOST:PORT, also with ?tls=1, &ca=FILE, &name=HOST (of its certificate), &lanes=split"
_PARAMETERS = ("tls", "ca", "name", "lanes")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is.  ca: the file with the certificate to trust, "" for those of this machine.

    name: what its certificate says.  is_split: it has a session for stored and one for real-time data.
    """

    host: str
    port: int
    is_tls: bool = False
    ca: str = ""
    name: str = ""
    is_split: bool = False

    def __str__(self) -> str:
        """Return it as errors show it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(url: str) -> Address:
    """Return the agent that *url* names.  Raises SettingsError that says what is allowed."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(pairs)
    unknown = [name for name in given if name not in _PARAMETERS]
    if unknown or len(given) < len(pairs):
        why = f"an agent has no parameter {unknown[0]!r}." if unknown else "a parameter is given twice."
        raise SettingsError(SETTING, why, allowed=_ALLOWED)
    try:
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError as exc:
        raise SettingsError(SETTING, f"{url!r} has a port that is none.", allowed=_ALLOWED) from exc
    if not host or parts.username is not None or parts.path not in ("", "/"):
        raise SettingsError(SETTING, f"{_without_secrets(url)!r} names no agent.", allowed=_ALLOWED)
    _check_words(given)
    return Address(
        host=host,
        port=port,
        is_tls=given.get("tls") == "1",
        ca=given.get("ca", ""),
        name=given.get("name", ""),
        is_split=given.get("lanes") == "split",
    )


def connect(address: Address, *, token: str) -> RemoteWorker:
    """Connect to the agent and return the worker that it has started for us.

    Raises WorkerFailed in words that say what to do, and what the agent refuses us with (SourceBusy, …).
    """
    connection = _dial(address)
    try:
        channel = connection.channel(limit_bytes=HELLO_LIMIT_BYTES)
        greet_server(channel, token=token)
    except (WorkerLost, OSError) as exc:
        connection.settle()
        why = exc.why if isinstance(exc, WorkerLost) else str(exc)
        raise WorkerFailed(f"what answers at {address} is no agent of this version: {why}") from exc
    except SourceError:
        connection.settle()
        raise
    connection.limit(None)
    channel.limit_bytes = LIMIT_BYTES
    return RemoteWorker(channel, connection, what=f"the agent {address}")


def check(address: Address) -> None:
    """Raise WorkerFailed when nobody listens there."""
    _dial(replace(address, is_tls=False)).settle()


def japan() -> datetime:
    """Return what time it is in Japan: the clock of an agent's simulator is not known here."""
    return datetime.now(JST).replace(tzinfo=None)


def _dial(address: Address) -> Connection:
    try:
        connection = Connection(socket.create_connection((address.host, address.port), CONNECT_LIMIT_S))
    except OSError as exc:
        why = f"no agent answers at {address} ({exc.strerror or exc}): start it there with `jvgate agent`"
        raise WorkerFailed(why) from exc
    connection.limit(HELLO_LIMIT_S)
    if address.is_tls:
        try:
            context = ssl.create_default_context(cafile=address.ca or None)
            connection.start_tls(context, server_name=address.name or address.host)
        except OSError as exc:
            connection.settle()
            raise WorkerFailed(f"no TLS with the agent at {address}: {exc}") from exc
    return connection


def _check_words(given: dict[str, str]) -> None:
    if given.get("tls", "0") not in ("0", "1") or given.get("lanes", "split") != "split":
        raise SettingsError(SETTING, "a parameter of the agent has a value that is not allowed.", allowed=_ALLOWED)
    if given.get("tls") != "1" and (given.get("ca") or given.get("name")):
        raise SettingsError(SETTING, "ca and name go with tls=1.", allowed=_ALLOWED)


def _without_secrets(url: str) -> str:
    """Return *url* without what stands before an @: a token does not belong there, and not into a message either."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
