"""`jvgate serve`: the server process: its socket, its log, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn

from jvgate import __version__
from jvgate.commands.log import set_up_log
from jvgate.commands.workers import ParentPipe, supervise
from jvgate.errors import SessionHung, SettingsError
from jvgate.gateway.opening import check_settings
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.registry import source_of
from jvgate.sessions.sources.source import Source
from jvgate.settings import Settings, unknown_variables
from jvgate.spec.spec import Spec, load_spec
from jvgate.web.app import Siblings, create_app
from jvgate.web.fast_path import fast_lane

__all__ = ["listen", "run", "server_config"]

DRAIN_S = 10
KEEP_ALIVE_S = 75  # uvicorn's 5 s close connections just as clients that waited for one slow answer use them again
BACKLOG = 2048
EXIT_FAILED = 3


def run(settings: Settings) -> None:
    """Serve until stopped.  Raises SettingsError for a port in use or a source that cannot be."""
    source = source_of(settings)  # a wrong one ends the start, not the first request
    spec = load_spec(source.provider, any_course=source.any_course)
    check_settings(settings, spec)
    source.lanes(settings.sessions)
    set_up_log(settings.log_format)
    if unknown := unknown_variables(os.environ):
        structlog.get_logger("jvgate").warning("these are no settings of this version", names=", ".join(unknown))
    if source.is_single:
        if settings.workers > 1:
            why = f"{settings.source} takes one server process: its sessions cannot be shared out."
            raise SettingsError("JVGATE_WORKERS (--workers)", why, allowed="1, or more before a `jvgate agent`")
        asyncio.run(_try(source, spec))
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    structlog.get_logger("jvgate").info(
        "serving",
        version=__version__,
        source=settings.source,
        identity=str(source.identity),
        url=f"http://{_shown(host)}:{port}/",
    )
    if settings.workers == 1:
        _work(settings, listener)
    elif not supervise(settings, listener, _work):
        raise SystemExit(EXIT_FAILED)


def _work(settings: Settings, listener: socket.socket, pipe: Connection | None = None) -> None:
    """Serve in this process until stopped.  pipe: to who started it, where there are others beside it."""
    siblings = ParentPipe(pipe) if pipe is not None else None
    server = uvicorn.Server(server_config(settings, siblings=siblings))
    if siblings is not None:
        set_up_log(settings.log_format)
        siblings.listen(on_end=partial(setattr, server, "should_exit", True))
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn drains, and then raises the signal once more
        signal.signal(number, _end)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(EXIT_FAILED)


async def _try(source: Source, spec: Spec) -> None:
    """Begin and end a session, so that a JV-Link that is not there, or hangs, ends the start.  Raises what that raises.

    Through a pool: its watchdog ends what takes too long, and knows of the dialog that blocks it.
    """
    async with Pool(source, spec, sessions=1, limit_bytes=0, queue_limit=0) as pool:
        try:
            await pool.warm()
        except SessionHung as exc:
            raise SessionHung(
                f"the first session does not start, but hangs in {exc.what}", limit_s=exc.limit_s
            ) from exc


def server_config(settings: Settings, *, siblings: Siblings | None = None) -> uvicorn.Config:
    """Return how the server runs; the same in the tests."""
    edge = create_app(settings, siblings=siblings)
    return uvicorn.Config(
        edge,
        http=fast_lane(edge),
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as asked: that is no failure."""
    raise SystemExit(0)


def listen(host: str, port: int, *, name: str = "") -> socket.socket:
    """Return the listening socket; taken here so that a port in use is told in plain words.

    name: of the flag that said where, "" for the settings' own.  Raises SettingsError.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        if sys.platform != "win32":  # on Windows the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except socket.gaierror as exc:
        why = f"{host!r} is no address here."
        raise SettingsError(
            name or "JVGATE_HOST (--host)", why, allowed="127.0.0.1, ::1 or an address of this machine"
        ) from exc
    except OSError as exc:
        why = f"port {port} of {host} cannot be taken: {exc.strerror}."
        raise SettingsError(
            name or "JVGATE_PORT (--port)", why, allowed="a port that no other program uses, or 0 for any free one"
        ) from exc
    listener.listen(BACKLOG)
    return listener


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
