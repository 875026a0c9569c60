"""`/api/v1/sessions`: who holds JV-Link right now, what it is at, and how to get rid of one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from jvgate.errors import QueryError
from jvgate.gateway.gateway import Gateway

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])


@router.get("", summary="All sessions / セッション一覧", operation_id="sessions")
async def list_sessions(request: Request) -> Response:
    """Tell each session's state, what it is at and since when. 各セッションの状態。"""
    gateway: Gateway = request.app.state.gateway
    shown = {
        "source": gateway.source_name,
        "waiting": gateway.session_counts().waiting,
        "sessions": [asdict(view) for view in gateway.sessions()],
    }
    return Response(orjson.dumps(shown), headers={"cache-control": "no-store"}, media_type="application/json")


@router.delete("/{session_id}", status_code=204, summary="Recycle one / 再生成", operation_id="recycle_session")
async def recycle_session(
    request: Request, session_id: Annotated[str, Path(description="Its number, from 1 on. 番号。")]
) -> Response:
    """End its worker process; what it reads is begun anew elsewhere. プロセスを終了して作り直す。"""
    gateway: Gateway = request.app.state.gateway
    if not (session_id.isascii() and session_id.isdigit() and len(session_id) <= 4):
        why, allowed = f"{session_id[:40]!r} is no session.", f"1 to {len(gateway.sessions())}"
        raise QueryError("unknown-session", why, parameter="id", value=session_id[:40], allowed=allowed)
    gateway.recycle(int(session_id))
    return Response(status_code=204)
