"""Two connections over TCP that are the ends of each other."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from jvgate.sessions.agent.streams import Connection

__all__ = ["connected_pair"]

_LIMIT_S = 30.0


@contextmanager
def connected_pair() -> Iterator[tuple[Connection, Connection]]:
    """Yield both ends; no wait of theirs lasts for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = Connection(socket.create_connection(listener.getsockname()))
        theirs = Connection(listener.accept()[0])
    for connection in (ours, theirs):
        connection.limit(_LIMIT_S)
    try:
        yield ours, theirs
    finally:
        ours.settle()
        theirs.settle()
