"""A real agent on a free port, for the tests of what talks to it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread

from jvgate.sessions.agent.hello import clock_fields
from jvgate.sessions.agent.server import Agent
from jvgate.sessions.sources.registry import parse_source

LIMIT_S = 30


@contextmanager
def running_agent(
    source: str, *, sessions: int = 8, token: str = "", tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Run an agent in front of *source* until the block ends; yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    played = parse_source(source)
    about = partial(clock_fields, played.clock)
    with Agent(played.command, listener, sessions=sessions, token=token, tls=tls, about=about) as agent:
        thread = Thread(target=agent.run, daemon=True)
        thread.start()
        yield f"agent://127.0.0.1:{port}"
        agent.close()
        thread.join(LIMIT_S)
