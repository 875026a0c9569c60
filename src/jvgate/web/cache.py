"""`/api/v1/cache`: what the two tiers hold and how they fare, and how to get rid of some of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jvgate.cache.tags import EVERYTHING, Purge, purge_tags
from jvgate.errors import QueryError
from jvgate.gateway import Gateway
from jvgate.spec.dataspecs import dataspecs

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/cache", tags=["cache"])

_NAMES = ("dataspec", "race", "date", "record", "all")


@router.get("", summary="What is kept / キャッシュの状態", operation_id="cache")
async def show_cache(request: Request) -> Response:
    """Tell sizes, hit ratios, ages and what is asked for most. 容量・ヒット率・よく使われるキー。"""
    gateway: Gateway = request.app.state.gateway
    return _json(await gateway.figures())


@router.delete("", summary="Purge / 破棄", operation_id="purge_cache")
async def purge_cache(
    request: Request,
    dataspec: Annotated[str | None, Query(description="RACE, 0B12, …: one data spec. データ種別ID。")] = None,
    race: Annotated[str | None, Query(description="YYYYMMDDJJRR or YYYYMMDDJJKKHHRR. レースキー。")] = None,
    date: Annotated[str | None, Query(description="YYYYMMDD: a day of racing. 開催日。")] = None,
    record: Annotated[str | None, Query(description="RA, SE, …: a record type. レコード種別。")] = None,
    all: Annotated[str | None, Query(description="1: everything. 1 で全件。")] = None,  # noqa: A002  (its name)
) -> Response:
    """Drop what matches every parameter, from both tiers and on every server. 両階層・全サーバーから破棄。"""
    given = dict(request.query_params)
    purged = await request.app.state.gateway.purge(_wanted(given))
    return _json(asdict(purged))


def _wanted(given: dict[str, str]) -> Purge:
    """Return what is to go.  Raises QueryError for what cannot be, and for nothing at all."""
    for name, value in given.items():
        if name not in _NAMES:
            raise QueryError("unknown-parameter", f"There is no parameter {name!r}.", parameter=name, value=value,
                             allowed=", ".join(_NAMES))  # fmt: skip
    if given == {"all": "1"}:
        return EVERYTHING
    if not given or "all" in given:
        why = "all is 1, and stands alone." if given else "Nothing says what is to be dropped."
        raise QueryError("invalid-purge", why, parameter="all", value=given.get("all"),
                         allowed="dataspec, race, date, record (all that are given must match), or all=1")  # fmt: skip
    dataspec = given.get("dataspec", "")
    if "dataspec" in given and dataspec not in dataspecs():
        raise QueryError("unknown-dataspec", f"There is no data spec {dataspec[:40]!r}.", parameter="dataspec",
                         value=dataspec[:40], allowed=", ".join(dataspecs()))  # fmt: skip
    empty = next((name for name, value in given.items() if not value), None)
    if empty is not None:
        raise QueryError("empty-parameter", f"{empty} is given without a value.", parameter=empty, value="",
                         allowed=f"a value, or no {empty} at all")  # fmt: skip
    return purge_tags(**given)


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), headers={"cache-control": "no-store"}, media_type="application/json")
