"""`GET /api/v1/stream/{dataspec}`: racing data of any size, as it is read."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate.gateway.gateway import Gateway
from jvgate.web.asking import wanted
from jvgate.web.delivery import StreamResponse
from jvgate.web.edge import IS_HEAD

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])


@router.get(
    "/stream/{dataspec}",
    summary="Racing data as it is read, of any size / 読み込みながら返すデータ",
    operation_id="stream",
    response_class=Response,
    responses={
        200: {"description": "The records, and at the end what is known of them all. レコードと、最後に全体の情報。"},
    },
)
async def get_stream(request: Request) -> Response:
    """Read JV-Link at the speed of the client, without holding the answer. 受信の速さに合わせて読み込みます。"""
    question = wanted(request, request.app.state.stream_formats)
    gateway: Gateway = request.app.state.gateway
    return StreamResponse(gateway.streams, question, gateway.spec, is_head=request.scope.get(IS_HEAD, False))
