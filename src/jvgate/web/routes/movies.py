"""Videos: whether one of a race is there, and which there are of workouts.  Watching them is JRA-VAN's affair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate.errors import QueryError
from jvgate.gateway.calls import Fetched, Found
from jvgate.question.parameters import Parameter, Text, Words
from jvgate.question.reading import first_value, refusal
from jvgate.render.formats.json_format import CONTENT_TYPE
from jvgate.spec.racekeys import DayKey, HorseKey, Key, RaceKey, TrainingMovieKey
from jvgate.web.asking import spec_of
from jvgate.web.parameters import given_parameters, takes
from jvgate.web.routes.calls import answer, fetch

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/movies", tags=["movies"])

KEEP_S = 3600.0
KEEP_NOTHING_S = 60.0  # a patrol video appears some 40 minutes after its race
KEEP_LIST_S = 300.0

# JVMVCheckWithType's types, and JVMVOpen's with the keys that they take.
RACE_TYPES = ("00", "01", "02", "03")
LIST_TYPES: Mapping[str, Callable[[str], Key]] = {
    "11": DayKey.parse,
    "12": TrainingMovieKey.parse,
    "13": HorseKey.parse,
}
_RACES = "00 race, 01 paddock, 02 multi-camera, 03 patrol (/api/v1/movies/{type}/{key})"
_WORKOUTS = "11 all horses of a week, 12 one horse of a week, 13 one horse (/api/v1/movies/{type}?key=…)"
RACE_TYPE = Parameter(
    name="type",
    type=Words(RACE_TYPES),
    meaning="00 race, 01 paddock, 02 multi-camera, 03 patrol.",
    meaning_ja="映像の種類。",
    example="00",
    is_required=True,
    is_path=True,
    slug="unknown-movie-type",
)
LIST_TYPE = replace(
    RACE_TYPE, type=Words(tuple(LIST_TYPES)), meaning="11 a week, 12 a week's horse, 13 a horse.", example="11"
)
RACE_KEY = Parameter(
    name="key",
    type=Text(r"[0-9]{8}[0-9A-Z]{2}([0-9]{4})?[0-9]{2}", " or ".join(RaceKey.forms)),
    meaning="A race: YYYYMMDDJJRR or YYYYMMDDJJKKHHRR.",
    meaning_ja="レースキー。",
    example="202611220511",
    is_required=True,
    is_path=True,
)
LIST_KEY = Parameter(
    name="key",
    type=Text(r"[0-9]{8}|[0-9]{10}|[0-9]{18}", "YYYYMMDD, 10 digits or both"),
    meaning="Type 11: a day (YYYYMMDD); 12: a day and a horse (YYYYMMDD and its 10 digits); 13: a horse (10 digits).",
    meaning_ja="11: 日付、12: 日付+血統登録番号、13: 血統登録番号。",
    example="20261122",
    is_required=True,
    refuses_empty=True,
)
_NOT_OFFERED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has this representation already. 変更なし。"},
    501: {"description": "The source has no videos. このデータ元に映像はありません。"},
}


@router.get(
    "/{type}/{key}",
    summary="Is there a race's video? / レース映像の有無",
    operation_id="movie",
    responses=_NOT_OFFERED,
    openapi_extra=takes(RACE_TYPE, RACE_KEY),
)
async def get_movie(request: Request) -> Response:
    """Tell whether a race's video is public. レースの映像が公開されているかを返します。"""
    given_parameters(request)
    kind, key = request.path_params[RACE_TYPE.name], request.path_params[RACE_KEY.name]
    if kind not in RACE_TYPE.words:
        raise _unknown_type(kind, f"{_RACES}; of workouts {_WORKOUTS}")
    fetched = await fetch(request, "movie", kind, str(RaceKey.parse(key, spec_of(request).key_rules)), keep_s=_keep_s)
    return _told(request, fetched, {"type": kind, "key": key, "available": fetched.entry.value["available"]})


@router.get(
    "/{type}",
    summary="Workout videos / 調教映像一覧",
    operation_id="movies",
    responses=_NOT_OFFERED,
    openapi_extra=takes(LIST_TYPE, LIST_KEY),
)
async def get_movies(request: Request) -> Response:
    """List the keys (day and horse) of workout videos. 調教映像のキー (日付+血統登録番号) の一覧。"""
    key = first_value(given_parameters(request, (LIST_KEY,)), LIST_KEY.name) or ""
    kind = request.path_params[LIST_TYPE.name]
    if kind not in LIST_TYPE.words:
        raise _unknown_type(kind, f"{_WORKOUTS}; of races {_RACES}")
    fetched = await fetch(request, "movies", kind, str(LIST_TYPES[kind](key)), keep_s=lambda found: KEEP_LIST_S)
    return _told(request, fetched, {"type": kind, "key": key, "keys": fetched.entry.value["keys"]})


def _keep_s(found: Found) -> float:
    return KEEP_S if found["available"] else KEEP_NOTHING_S


def _told(request: Request, fetched: Fetched, about: dict[str, Any]) -> Response:
    return answer(request, fetched, orjson.dumps(about), CONTENT_TYPE)


def _unknown_type(given: str, allowed: str) -> QueryError:
    why = f"There are no such videos of type {given[:40]!r}."
    return refusal(RACE_TYPE, given[:40], why, allowed)
