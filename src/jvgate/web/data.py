"""`GET /api/v1/data/{dataspec}`: racing data, stored and real time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from jvgate.gateway import Gateway
from jvgate.jobs import Job
from jvgate.question import MAX_LIMIT, parse_question
from jvgate.render.forms import FORMS, check
from jvgate.render.negotiation import media_types, negotiate
from jvgate.web.answers import AnswerResponse, asks_for_refresh
from jvgate.web.clients import preferred_wait_s, while_connected
from jvgate.web.edge import ANSWERED
from jvgate.web.jobs import job_accepted
from jvgate.web.problems import Problem, problem_response

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])

_FROM = (
    "Stored data: files provided after this time (JST), YYYYMMDD or YYYYMMDDhhmmss. "
    "蓄積系: この日時より後に提供されたファイル (日本時間)。"
)
_TO = "Stored data: and not after this time; a day alone means its 00:00:00. 蓄積系: この日時まで。"
_OPTION = "1 normal, 2 this week, 3 and 4 setup. 1 通常, 2 今週, 3・4 セットアップ。"
_KEY = (
    "Real-time data: a race (YYYYMMDDJJRR or YYYYMMDDJJKKHHRR), a day (YYYYMMDD) or an event's parameter. "
    "速報系: レースキー・開催日・イベントの通知パラメータ。"
)
_RECORD = "Record types, comma-separated or repeated. レコード種別 (カンマ区切り・繰り返し可)。"
_WHERE = (
    "Conditions on single fields, repeatable; all must hold: JyoCD=05,06 or RaceNum=9..12 or date=20261101..20261130. "
    "項目の条件 (繰り返すとすべてを満たすもの)。"
)
_FIELDS = "Fields, comma-separated, dotted inside groups (PayTansyo.Pay). 項目名 (繰り返し部は PayTansyo.Pay)。"
_LIMIT = f"At most so many records, 0 to {MAX_LIMIT}. 最大件数。"
_OFFSET = "After leaving out so many. 読み飛ばす件数。"
_FORMAT = f"{', '.join(FORMS)}; wins over Accept. 形式 (Accept より優先)。"
_CHARSET = "Of csv: utf-8, utf-8-bom or shift_jis. CSV の文字コード。"
_RAW = "1: every field's characters as they stand. 1 で各項目を文字のまま返す。"
_LABELS = "ja or en: the code tables' words beside the codes. コードの内容を併記 (ja・en)。"


@router.get(
    "/data/{dataspec}",
    summary="Racing data of one data spec / データ種別のデータ",
    operation_id="data",
    response_class=Response,
    responses={
        200: {"description": "The records, with what is known of them in `meta`. レコードと `meta`。",
              "content": {media: {} for media in media_types(FORMS)}},
        202: {"description": "It takes longer: a job goes on with it (`Location`). ジョブになりました。"},
        304: {"description": "The client has this representation already. 変更なし。"},
    },
)  # fmt: skip
async def get_data(
    request: Request,
    dataspec: Annotated[str, Path(description="RACE, DIFN, 0B12, …; stored ones may be joined. データ種別ID。")],
    from_time: Annotated[str | None, Query(description=_FROM)] = None,
    to_time: Annotated[str | None, Query(description=_TO)] = None,
    option: Annotated[str | None, Query(description=_OPTION)] = None,
    key: Annotated[str | None, Query(description=_KEY)] = None,
    record: Annotated[list[str] | None, Query(description=_RECORD)] = None,
    where: Annotated[list[str] | None, Query(description=_WHERE)] = None,
    fields: Annotated[list[str] | None, Query(description=_FIELDS)] = None,
    limit: Annotated[str | None, Query(description=_LIMIT)] = None,
    offset: Annotated[str | None, Query(description=_OFFSET)] = None,
    format: Annotated[str | None, Query(description=_FORMAT)] = None,  # noqa: A002  (the parameter's name)
    charset: Annotated[str | None, Query(description=_CHARSET)] = None,
    raw: Annotated[str | None, Query(description=_RAW)] = None,
    labels: Annotated[str | None, Query(description=_LABELS)] = None,
) -> Response:
    """Answer from memory, or read JV-Link once for all who wait. メモリから、なければ JV-Link から返します。"""
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    words: tuple[str, ...] = request.app.state.forms
    question = parse_question(dataspec, parameters, formats=words)
    wanted = check(question) if "format" in parameters else negotiate(question, _accept(request), words)
    if wanted is None:
        return _not_acceptable(request, words)
    gateway: Gateway = request.app.state.gateway
    refresh = asks_for_refresh(",".join(request.headers.getlist("cache-control")).encode())
    ask = gateway.ask(wanted, refresh=refresh, deadline_s=preferred_wait_s(request))
    served = await while_connected(request, ask)
    if isinstance(served, Job):
        return job_accepted(served)
    if served.outcome != "collapsed":  # one read, counted once however many waited for it
        request.app.state.metrics.observe_all(served.stages)
    request.scope[ANSWERED] = str(wanted)
    return AnswerResponse(served)


def _accept(request: Request) -> str:
    return ", ".join(request.headers.getlist("accept"))


def _not_acceptable(request: Request, words: tuple[str, ...]) -> Response:
    accept, allowed = _accept(request), ", ".join(media_types(words))
    detail = f"Nothing that can be given is accepted by {accept!r}. Allowed: {allowed}"
    problem = Problem("not-acceptable", detail, members={"parameter": "Accept", "value": accept, "allowed": allowed})
    return problem_response(problem, request.url.path)
