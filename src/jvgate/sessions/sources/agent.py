"""`agent://HOST:PORT`: the sessions of another machine."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakKeyDictionary

from jvgate.errors import SettingsError
from jvgate.sessions.agent.link import DEFAULT_PORT, Address, check, connect
from jvgate.sessions.remote_session import RemoteWorker
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.sources.source import (
    MAX_SESSIONS,
    SETTING,
    Means,
    Source,
    SourceKind,
    provider_named,
)
from jvgate.sessions.watchdog import CallLimits
from jvgate.values import SourceClock

__all__ = ["AGENT", "parse_address"]

_ALLOWED = "agent://HOST:PORT, also with ?tls=1, &ca=FILE, &name=HOST (of its certificate), &lanes=split, &provider=nv"
_LONGEST_IDENTITY = 300
_PARAMETERS = ("tls", "ca", "name", "lanes", "provider")


def _agent_source(url: str, means: Means) -> Source:
    address, clock = parse_address(url), SourceClock()
    sessions = _AgentSessions(address, means, clock)
    return Source(
        name=url,
        identity=sessions.identity,
        start=sessions.start,
        check=lambda spec: check(address),
        provider=address.provider,
        clock=clock,  # the agent tells it
        sessions=2 if address.is_split else 1,
        max_sessions=2 if address.is_split else MAX_SESSIONS,
        is_single=address.is_split,
        limits=means.limits(CallLimits()),
        recycling=means.recycling,
    )


AGENT = SourceKind("agent://HOST:PORT", "another machine's `jvgate agent`", _agent_source)


class _AgentSessions:
    """Starts the sessions of one agent, and follows the identity and the clock of the source behind it."""

    def __init__(self, address: Address, means: Means, clock: SourceClock) -> None:
        self._clock = clock
        self.identity = SourceIdentity()
        self._address = address
        self._means = means
        self._lock = Lock()
        self._started: WeakKeyDictionary[RemoteWorker, str] = WeakKeyDictionary()

    def start(self) -> RemoteWorker:
        """Connect to the agent and return the session that it has started.  Raises what `connect` raises."""
        session, told = connect(
            self._address, token=self._means.agent_token, clock=self._clock, on_event=self._means.on_event
        )
        identity = self._identity_in(told)
        with self._lock:
            # A session of the source before must give nothing any more once the identity has changed.
            for other, before in self._started.items():
                if before != identity:
                    other.kill()
            self._started[session] = identity
            self.identity.learn(identity)
        return session

    def _identity_in(self, told: Mapping[str, Any]) -> str:
        """Return the identity of the source behind the agent; of an older agent, which tells none, its address."""
        identity = told.get("identity")
        if isinstance(identity, str) and identity.isprintable() and 0 < len(identity) <= _LONGEST_IDENTITY:
            return identity
        return f"{self._address.provider}.agent.{self._address}"


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
