"""`GET /api/v1/data/{dataspec}`: racing data, stored and real time."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate.gateway.gateway import Gateway
from jvgate.gateway.jobs import Job
from jvgate.web.answers import AnswerResponse, asks_for_refresh
from jvgate.web.asking import wanted
from jvgate.web.clients import preferred_wait_s, while_connected
from jvgate.web.edge import ANSWERED
from jvgate.web.routes.jobs import job_accepted

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])


@router.get(
    "/data/{dataspec}",
    summary="Racing data of one data spec / データ種別のデータ",
    operation_id="data",
    response_class=Response,
    responses={
        200: {"description": "The records, with what is known of them in `meta`. レコードと `meta`。"},
        202: {"description": "It takes longer: a job goes on with it (`Location`). ジョブになりました。"},
        304: {"description": "The client has this representation already. 変更なし。"},
    },
)
async def get_data(request: Request) -> Response:
    """Answer from memory or Redis, or read JV-Link once for all. メモリか Redis、なければ JV-Link から返します。"""
    question = wanted(request, request.app.state.formats)
    gateway: Gateway = request.app.state.gateway
    refresh = asks_for_refresh(",".join(request.headers.getlist("cache-control")).encode())
    ask = gateway.ask(question, refresh=refresh, deadline_s=preferred_wait_s(request))
    served = await while_connected(request, ask)
    if isinstance(served, Job):
        return job_accepted(served, gateway.spec)
    if served.outcome != "collapsed":  # one read, counted once however many waited for it
        request.app.state.metrics.observe_all(served.stages)
    request.scope[ANSWERED] = question
    return AnswerResponse(served, clock=gateway.clock)
