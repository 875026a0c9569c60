"""`GET /api/v1/stream/{dataspec}`: racing data of any size, as it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jvgate import values
from jvgate.errors import QueryError
from jvgate.gateway import Gateway
from jvgate.question import parse_question
from jvgate.render.negotiation import choose
from jvgate.render.writers import WRITERS
from jvgate.web.delivery import StreamResponse
from jvgate.web.edge import IS_HEAD
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
    Where,
)

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["data"])

# Format word -> media type, in the order of preference.
FORMATS = {word: writer.media_type for word, writer in WRITERS.items()}
_DECODED_ONLY = ("fields", "raw", "labels")

_FORMAT = "ndjson, json or raw; wins over Accept. 形式 (Accept より優先)。"


@router.get(
    "/stream/{dataspec}",
    summary="Racing data as it is read, of any size / 読み込みながら返すデータ",
    operation_id="stream",
    response_class=Response,
    responses={
        200: {"description": "The records, and at the end what is known of them all. レコードと、最後に全体の情報。",
              "content": {media_type: {} for media_type in FORMATS.values()}},
    },
)  # fmt: skip
async def get_stream(
    request: Request,
    dataspec: Dataspec,
    from_time: FromTime = None,
    to_time: ToTime = None,
    option: Option = None,
    key: Key = None,
    record: Record = None,
    where: Where = None,
    fields: Fields = None,
    limit: Limit = None,
    offset: Offset = None,
    format: Annotated[str | None, Query(description=_FORMAT)] = None,  # noqa: A002  (the parameter's name)
    raw: Raw = None,
    labels: Labels = None,
) -> Response:
    """Read JV-Link at the speed of the client, without holding the answer. 受信の速さに合わせて読み込みます。"""
    gateway: Gateway = request.app.state.gateway
    is_head = request.scope.get(IS_HEAD, False)
    return StreamResponse(gateway.streams, _question(request, dataspec), is_head=is_head)


def _question(request: Request, dataspec: str) -> values.Question:
    """Return what is asked, in the form that the client wants.  Raises QueryError."""
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    question = parse_question(dataspec, parameters, formats=FORMATS)
    if "format" not in parameters:
        question = replace(question, selection=replace(question.selection, format=_accepted(request)))
    unfit = [name for name in _DECODED_ONLY if name in parameters]
    if question.selection.format == "raw" and unfit:
        why = f"raw is the records as they are and takes no {unfit[0]}."
        allowed = "record, limit, offset; or format=ndjson"
        raise QueryError(
            "parameter-not-allowed", why, parameter=unfit[0], value=parameters[unfit[0]][0], allowed=allowed
        )
    return question


def _accepted(request: Request) -> str:
    """Return the format that the client likes best.  Raises QueryError when it accepts none."""
    accept, allowed = ", ".join(request.headers.getlist("accept")), ", ".join(FORMATS.values())
    media_type = choose(accept, tuple(FORMATS.values()))
    if media_type is None:
        why = f"Nothing that can be given is accepted by {accept!r}."
        raise QueryError("not-acceptable", why, parameter="Accept", value=accept, allowed=allowed)
    return next(word for word, offered in FORMATS.items() if offered == media_type)
