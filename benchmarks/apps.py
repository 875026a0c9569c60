"""The reference servers: a bare ASGI application, and the plan's own way.

`python -m benchmarks.apps NAME BODY_FILE PORT` serves one on uvicorn as `jvgate serve` configures it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

__all__ = ["APPS"]

LIFETIME_S = 300


# What jvgate says beside the two headers that an answer needs: as many, as long.
MORE_HEADERS = [
    (b"etag", b'"0123456789abcdef0123456789abcdef"'),
    (b"cache-control", b"max-age=86400"),
    (b"vary", b"Accept, Accept-Encoding"),
    (b"age", b"10"),
    (b"cache-status", b"jvgate; hit; ttl=86390"),
    (b"server-timing", b"edge;dur=0.012"),
    (b"x-request-id", b"01234567-1234567"),
]


def bare(body: bytes, *more: tuple[bytes, bytes]) -> Any:
    """Return an application that sends *body* to everyone, with the two headers that it needs and *more*."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def plan(body: bytes) -> Any:
    """Return the plan's application: a route with typed parameters, a cache of objects, the object returned."""
    from fastapi import FastAPI  # noqa: PLC0415 - the bare application does without it

    app = FastAPI()
    read = json.loads(body) if body else {}
    kept: dict[str, tuple[float, dict[str, Any]]] = {}

    @app.get("/healthz")
    async def get_health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/v1/data/{dataspec}")
    async def get_data(dataspec: str, from_time: str, option: int = 1, record: str | None = None, limit: int = 100):  # type: ignore[no-untyped-def]
        key = f"{dataspec}:{from_time}:{option}:{record}:{limit}"
        until, answer = kept.get(key, (0.0, {}))
        if until <= time.time():
            answer = read
            kept[key] = (time.time() + LIFETIME_S, answer)
        return answer

    return app


def headed(body: bytes) -> Any:
    """Return the bare application with as many headers as jvgate sends: what uvicorn itself takes for them."""
    return bare(body, *MORE_HEADERS)


APPS: dict[str, Callable[[bytes], Any]] = {"bare": bare, "headed": headed, "plan": plan}


def serve(name: str, body_file: str, port: str) -> None:
    """Serve one of `APPS` until stopped."""
    body = Path(body_file).read_bytes()
    uvicorn.run(APPS[name](body), port=int(port), access_log=False, log_config=None, server_header=False,
                backlog=2048, lifespan="auto" if name == "plan" else "off")  # fmt: skip


if __name__ == "__main__":
    serve(*sys.argv[1:])
