"""`GET /api/v1/data/{dataspec}`: racing data, stored and real time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jvgate.gateway import Gateway
from jvgate.jobs import Job
from jvgate.question import parse_question
from jvgate.render.json_answer import CONTENT_TYPE
from jvgate.render.negotiation import choose
from jvgate.web.answers import AnswerResponse, asks_for_refresh
from jvgate.web.clients import preferred_wait_s, while_connected
from jvgate.web.edge import ANSWERED
from jvgate.web.jobs import job_accepted
from jvgate.web.parameters import (
    Dataspec,
    Fields,
    FromTime,
    Key,
    Labels,
    Limit,
    Offset,
    Option,
    Raw,
    Record,
    ToTime,
)
from jvgate.web.problems import Problem, problem_response

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])

# Format word -> media type, in the order of preference.
FORMATS = {"json": CONTENT_TYPE}

_FORMAT = "json; wins over Accept. 形式 (Accept より優先)。"


@router.get(
    "/data/{dataspec}",
    summary="Racing data of one data spec / データ種別のデータ",
    operation_id="data",
    response_class=Response,
    responses={
        200: {"description": "The records, with what is known of them in `meta`. レコードと `meta`。",
              "content": {CONTENT_TYPE: {}}},
        202: {"description": "It takes longer: a job goes on with it (`Location`). ジョブになりました。"},
        304: {"description": "The client has this representation already. 変更なし。"},
    },
)  # fmt: skip
async def get_data(
    request: Request,
    dataspec: Dataspec,
    from_time: FromTime = None,
    to_time: ToTime = None,
    option: Option = None,
    key: Key = None,
    record: Record = None,
    fields: Fields = None,
    limit: Limit = None,
    offset: Offset = None,
    format: Annotated[str | None, Query(description=_FORMAT)] = None,  # noqa: A002  (the parameter's name)
    raw: Raw = None,
    labels: Labels = None,
) -> Response:
    """Answer from memory, or read JV-Link once for all who wait. メモリから、なければ JV-Link から返します。"""
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    question = parse_question(dataspec, parameters, formats=FORMATS)
    if "format" not in parameters and choose(_accept(request), tuple(FORMATS.values())) is None:
        return _not_acceptable(request)
    gateway: Gateway = request.app.state.gateway
    refresh = asks_for_refresh(",".join(request.headers.getlist("cache-control")).encode())
    ask = gateway.ask(question, refresh=refresh, deadline_s=preferred_wait_s(request))
    served = await while_connected(request, ask)
    if isinstance(served, Job):
        return job_accepted(served)
    if served.outcome != "collapsed":  # one read, counted once however many waited for it
        request.app.state.metrics.observe_all(served.stages)
    request.scope[ANSWERED] = question
    return AnswerResponse(served)


def _accept(request: Request) -> str:
    return ", ".join(request.headers.getlist("accept"))


def _not_acceptable(request: Request) -> Response:
    accept, allowed = _accept(request), ", ".join(FORMATS.values())
    detail = f"Nothing that can be given is accepted by {accept!r}. Allowed: {allowed}"
    problem = Problem("not-acceptable", detail, members={"parameter": "Accept", "value": accept, "allowed": allowed})
    return problem_response(problem, request.url.path)
