"""`jvgate agent`: this machine's sessions for a server on another one."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import structlog

from jvgate import __version__
from jvgate.commands.log import set_up_log
from jvgate.commands.serve import listen
from jvgate.errors import SettingsError
from jvgate.sessions.agent.hello import clock_fields
from jvgate.sessions.agent.link import DEFAULT_PORT, Address
from jvgate.sessions.agent.server import Agent
from jvgate.sessions.sources.registry import source_of
from jvgate.settings import Settings

__all__ = ["run"]

_LISTEN = "--listen"
# A service manager of Windows and Ctrl+Break send the last.
_ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


def run(settings: Settings, *, address: str, certificate: Path | None, key: Path | None) -> None:
    """Offer sessions until stopped.  Raises SettingsError for what cannot be, or should not be for safety."""
    source = source_of(settings)
    if not source.command:
        raise SettingsError("JVGATE_SOURCE (--source)", "an agent offers no other agent.", allowed="jvlink:, demo:, …")
    sessions = len(source.lanes(settings.sessions))
    host, port = _split(address)
    token, tls = settings.agent_token.get_secret_value(), _tls(certificate, key)
    if not token and tls is None and not _is_loopback(host):
        why = f"{host} can be reached by others, and nothing protects the agent."
        raise SettingsError(_LISTEN, why, allowed="127.0.0.1, or a token (JVGATE_AGENT_TOKEN) or --tls-cert with it")
    set_up_log(settings.log_format)
    log = structlog.get_logger("jvgate.agent")
    listener = listen(host, port, name=_LISTEN)
    if not token and not _is_loopback(host):
        log.warning("TLS hides what is said, but whoever reaches this address may read: set JVGATE_AGENT_TOKEN")
    shown = str(Address(*listener.getsockname()[:2]))
    log.info(
        "listening",
        version=__version__,
        source=settings.source,
        identity=str(source.identity),
        address=shown,
        sessions=sessions,
        tls=tls is not None,
        token=bool(token),
    )

    def about() -> Mapping[str, object]:
        return {"identity": source.identity.text, "provider": source.provider, **clock_fields(source.clock)}

    with Agent(source.command, listener, about=about, sessions=sessions, token=token, tls=tls) as agent:
        for number in _ENDS:
            # A handler must not wait for a lock that the interrupted code may hold.
            signal.signal(number, lambda number, frame: Thread(target=agent.close, daemon=True).start())
        agent.run()
    log.info("ended", **agent.counts)


def _split(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets or a port that are none
        host, port = None, None
    if not host or parts.netloc != address or "@" in address:
        raise SettingsError(
            _LISTEN, f"{address!r} is no address.", allowed="HOST:PORT, such as 127.0.0.1:8900 or [::1]:8900"
        )
    return host, DEFAULT_PORT if port is None else port


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None:
        raise SettingsError("--tls-key", "a key needs its certificate.", allowed="--tls-cert FILE with it")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key, password="")  # one that needs a password is refused: nobody is asked
    except OSError as exc:
        why = f"{certificate} cannot be used: {getattr(exc, 'reason', '') or exc.strerror or exc}."
        allowed = "a PEM file with a certificate; --tls-key with its key, no password"
        raise SettingsError("--tls-cert", why, allowed=allowed) from exc
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
