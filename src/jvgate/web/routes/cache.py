"""`/api/v1/cache`: what the two tiers hold and how they fare, and how to get rid of some of it."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate.errors import QueryError
from jvgate.freshness.tags import EVERYTHING, Purge, purge_tags
from jvgate.gateway.gateway import Gateway
from jvgate.question.parameters import PURGE
from jvgate.question.reading import Given, refusal
from jvgate.spec.spec import Spec
from jvgate.web.parameters import given_parameters, takes

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/cache", tags=["cache"])


@router.get("", summary="What is kept / キャッシュの状態", operation_id="cache")
async def show_cache(request: Request) -> Response:
    """Tell sizes, hit ratios, ages and what is asked for most. 容量・ヒット率・よく使われるキー。"""
    gateway: Gateway = request.app.state.gateway
    return _json(await gateway.describe_cache())


@router.delete("", summary="Purge / 破棄", operation_id="purge_cache", openapi_extra=takes(*PURGE.values()))
async def purge_cache(request: Request) -> Response:
    """Drop what matches every parameter, from both tiers and on every server. 両階層・全サーバーから破棄。"""
    gateway: Gateway = request.app.state.gateway
    purged = await gateway.purge(_wanted(given_parameters(request, PURGE.values()), gateway.spec))
    return _json(asdict(purged))


def _wanted(values: Given, spec: Spec) -> Purge:
    """Return what is to go.  values: those that were given.  Raises QueryError for what cannot be, and for nothing."""
    given = {name: value for name, (value,) in values.items()}
    if given == {"all": "1"}:
        return EVERYTHING
    if not given or "all" in given:
        why = "all is 1, and stands alone." if given else "Nothing says what is to be dropped."
        allowed = "dataspec, race, date, record (all that are given must match), or all=1"
        raise refusal(PURGE["all"], given.get("all"), why, allowed)
    return _checked(given, spec)


def _checked(given: dict[str, str], spec: Spec) -> Purge:
    """Return what to look for.  Raises QueryError for a value that can be no value of its parameter."""
    known_names = (("dataspec", spec.is_dataspec, spec.dataspecs), ("record", spec.is_record, spec.layouts.types))
    for name, exists, known in known_names:
        value = given.get(name, "")[:40]
        if value and not exists(value):
            raise refusal(PURGE[name], value, f"There is no {name} {value!r}.", ", ".join(known))
    try:
        return purge_tags(spec.key_rules, **given)
    except QueryError as exc:
        name = next(name for name in ("date", "race") if given.get(name) == exc.value)
        raise refusal(PURGE[name], exc.value, exc.why, exc.allowed) from exc


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), headers={"cache-control": "no-store"}, media_type="application/json")
