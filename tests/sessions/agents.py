"""A real agent on a free port, for the tests of what talks to it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from jvgate.sessions.agent.hello import clock_fields
from jvgate.sessions.agent.server import Agent
from jvgate.sessions.sources.registry import parse_source

LIMIT_S = 30


@contextmanager
def running_agent(
    source: str,
    *,
    port: int = 0,
    sessions: int = 8,
    token: str = "",
    tls: ssl.SSLContext | None = None,
    tells_identity: bool = True,
) -> Iterator[str]:
    """Run an agent in front of *source* until the block ends; yield its URL.

    port: of an agent before, whose place it takes.  tells_identity: agents of earlier versions do not.
    """
    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    behind = parse_source(source)

    def about():
        told = {"identity": behind.identity.text, "provider": behind.provider} if tells_identity else {}
        return told | clock_fields(behind.clock)

    with Agent(behind.command, listener, about=about, sessions=sessions, token=token, tls=tls) as agent:
        thread = Thread(target=agent.run, daemon=True)
        thread.start()
        yield f"agent://127.0.0.1:{port}"
        agent.close()
        thread.join(LIMIT_S)
