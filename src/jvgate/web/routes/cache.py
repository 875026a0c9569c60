"""`/api/v1/cache`: what the two tiers hold and how they fare, and how to get rid of some of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jvgate.errors import QueryError
from jvgate.freshness.tags import EVERYTHING, Purge, purge_tags
from jvgate.gateway.gateway import Gateway
from jvgate.spec.spec import Spec

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/cache", tags=["cache"])

_NAMES = ("dataspec", "race", "date", "record", "all")


@router.get("", summary="What is kept / キャッシュの状態", operation_id="cache")
async def show_cache(request: Request) -> Response:
    """Tell sizes, hit ratios, ages and what is asked for most. 容量・ヒット率・よく使われるキー。"""
    gateway: Gateway = request.app.state.gateway
    return _json(await gateway.describe_cache())


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
    gateway: Gateway = request.app.state.gateway
    purged = await gateway.purge(_wanted(request.query_params.multi_items(), gateway.spec))
    return _json(asdict(purged))


def _wanted(items: Sequence[tuple[str, str]], spec: Spec) -> Purge:
    """Return what is to go.  Raises QueryError for what cannot be, and for nothing at all."""
    given = dict(items)
    for name, value in given.items():
        if name not in _NAMES:
            raise _wrong("unknown-parameter", name, value, f"There is no parameter {name!r}.", ", ".join(_NAMES))
    if len(given) < len(items):  # to take one of several would purge too little
        name, count = Counter(name for name, _ in items).most_common(1)[0]
        raise _wrong("repeated-parameter", name, given[name], f"{name} is given {count} times.", f"{name} once")
    if given == {"all": "1"}:
        return EVERYTHING
    if not given or "all" in given:
        why = "all is 1, and stands alone." if given else "Nothing says what is to be dropped."
        allowed = "dataspec, race, date, record (all that are given must match), or all=1"
        raise _wrong("invalid-purge", "all", given.get("all"), why, allowed)
    return _checked(given, spec)


def _checked(given: dict[str, str], spec: Spec) -> Purge:
    """Return what to look for.  Raises QueryError for a value that can be no value of its parameter."""
    for name, value in given.items():
        if not value:
            raise _wrong("empty-parameter", name, "", f"{name} is given without a value.", f"a value, or no {name}")
    choices = (
        ("dataspec", "unknown-dataspec", spec.is_dataspec, spec.dataspecs),
        ("record", "unknown-record", spec.is_record, spec.layouts.types),
    )
    for name, slug, exists, known in choices:
        value = given.get(name, "")[:40]
        if value and not exists(value):
            raise _wrong(slug, name, value, f"There is no {name} {value!r}.", ", ".join(known))
    try:
        return purge_tags(spec.key_rules, **given)
    except QueryError as exc:
        name = next(name for name in ("date", "race") if given.get(name) == exc.value)
        raise _wrong(exc.slug, name, exc.value, exc.why, exc.allowed) from exc


def _wrong(slug: str, parameter: str, value: str | None, why: str, allowed: str) -> QueryError:
    return QueryError(slug, why, parameter=parameter, value=value, allowed=allowed)


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), headers={"cache-control": "no-store"}, media_type="application/json")
