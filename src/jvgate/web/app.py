"""The application: puts the rooms together and hangs the routes under the edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Protocol

import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from jvgate import __version__
from jvgate.errors import DatasetTooLarge, JvgateError, NotOffered, SourceError
from jvgate.gateway.gateway import Gateway, PurgeNews
from jvgate.gateway.opening import open_gateway
from jvgate.render.formats.registry import offered_formats, offered_streams
from jvgate.settings import Settings
from jvgate.values import Message
from jvgate.web.clients import ClientGone
from jvgate.web.edge import REQUEST_ID, Edge
from jvgate.web.metrics import Metrics
from jvgate.web.pages import docs, home
from jvgate.web.problems import BY_STATUS, Problem, problem_of, problem_response
from jvgate.web.routes import batch, cache, data, health, jobs, movies, pictures, reference, sessions, stream

__all__ = ["Siblings", "create_app"]

ABOUT = """The fast gate to Japanese horse-racing data (JRA-VAN Data Lab.).

日本の競馬データ (JRA-VAN Data Lab.) を HTTP で返すゲートです。項目名は SDK のままです。
"""

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate")


class Siblings(Protocol):
    """The other processes of this server."""

    def tell(self, message: Message) -> None:
        """Send *message* to them."""

    def add_listener(self, kind: str, listener: Callable[[Message], object]) -> None:
        """Call *listener* with their messages of *kind*, from a thread of its own."""


def create_app(settings: Settings, *, siblings: Siblings | None = None) -> Edge:
    """Return the ASGI application of *settings*; it opens its source when the server starts."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        on_purge = [] if siblings is None else [lambda news: siblings.tell(news.to_message())]
        async with open_gateway(settings, on_purge=on_purge) as gateway:
            app.state.gateway = edge.gateway = gateway
            metrics.watch(gateway)
            if siblings is not None:
                loop = asyncio.get_running_loop()
                forget = partial(_forget, gateway)
                siblings.add_listener("purge", partial(loop.call_soon_threadsafe, forget))
            try:
                await gateway.check()
            except SourceError as exc:  # it may come back: say so, serve what can be served
                log.warning("the source cannot serve yet", source=settings.source, why=str(exc))
            yield

    app = FastAPI(
        title="jvgate",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.metrics = metrics
    app.state.formats = offered_formats(settings)
    app.state.stream_formats = offered_streams(settings)
    app.state.batch_bytes = settings.batch_bytes
    rooms = (data, batch, stream, cache, pictures, movies, jobs, sessions, reference, health, home, docs)
    for room in rooms:
        app.include_router(room.router)
    app.openapi = lambda: docs.describe(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    app.add_exception_handler(JvgateError, _on_error)
    app.add_exception_handler(ClientGone, _on_client_gone)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_surprise)
    edge = Edge(app, metrics)
    return edge


def _forget(gateway: Gateway, message: Message) -> None:
    """Forget the entries of a purge that was asked of another process."""
    gateway.forget(*PurgeNews.from_message(message))


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, JvgateError)
    if isinstance(error, SourceError) and not isinstance(error, DatasetTooLarge | NotOffered):
        log.warning("the source failed", path=request.url.path, error=str(error))
    return problem_response(problem_of(error, request.app.state.gateway.spec), request.url.path)


async def _on_client_gone(request: Request, error: Exception) -> Response:
    """Answer nobody; the status, which is nginx's for this, is for the metrics alone."""
    return Response(status_code=499)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Turn what the routing itself refuses (404, 405) into problems."""
    assert isinstance(error, HTTPException)
    slug = BY_STATUS.get(error.status_code, "internal-error")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed_methods(request)
    detail = f"{request.method} {request.url.path} is not served here. Allowed: {headers.get('Allow', 'see /docs')}"
    return problem_response(Problem(slug, detail, status=error.status_code, headers=headers), request.url.path)


def _allowed_methods(request: Request) -> str:
    """Return what a path can be asked for; the routing itself names the methods of the first route alone."""
    scopes = {method: dict(request.scope) | {"method": method} for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    allowed = [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]
    return ", ".join(allowed).replace("GET", "GET, HEAD")


async def _on_surprise(request: Request, error: Exception) -> Response:
    """Tell what nobody expected without a word of our insides; the edge logs it."""
    detail = "Something went wrong here; the log of the server says what."
    problem = Problem("internal-error", detail, members={"request_id": request.scope.get(REQUEST_ID)})
    return problem_response(problem, request.url.path)
