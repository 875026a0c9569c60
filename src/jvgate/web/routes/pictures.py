"""Pictures: `/api/v1/silks` (what jockeys wear, by its description) and `/api/v1/courses/{key}` (racecourses)."""

from __future__ import annotations

from typing import Any
from unicodedata import category

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate.gateway.calls import Fetched, Found
from jvgate.question.parameters import Parameter, Text
from jvgate.question.reading import first_value, refusal
from jvgate.render.formats.json_format import CONTENT_TYPE
from jvgate.spec.racekeys import CoursePictureKey
from jvgate.web.asking import spec_of
from jvgate.web.parameters import given_parameters, takes
from jvgate.web.problems import Problem, problem_response
from jvgate.web.routes.calls import answer, fetch

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["pictures"])

BMP, GIF = "image/bmp", "image/gif"
KEEP_S = 86400.0
KEEP_NOTHING_S = 600.0  # what is not drawn today may be drawn tomorrow
MAX_CHARACTERS = 30
_DESCRIPTIONS = f"1 to {MAX_CHARACTERS} full-width characters of Shift_JIS, such as 水色，赤山形一本輪，水色袖"

PATTERN = Parameter(
    name="pattern",
    type=Text(rf"\s*\S.{{0,{MAX_CHARACTERS - 1}}}\s*", _DESCRIPTIONS),
    meaning=f"What a record says as Fukusyoku: up to {MAX_CHARACTERS} full-width characters.",
    meaning_ja=f"レコードの服色標示 (Fukusyoku) のまま、全角{MAX_CHARACTERS}文字まで。",
    example="水色，赤山形一本輪，水色袖",
    is_required=True,
    refuses_empty=True,
)
KEY = Parameter(
    name="key",
    type=Text(r"[0-9]{8}[0-9A-Z]{2}[0-9]{6}", " or ".join(CoursePictureKey.forms)),
    meaning="YYYYMMDDJJKKKKTT: day (99999999: newest), course, metres, track.",
    meaning_ja="日付・場・距離・トラック。",
    example="9999999905240011",
    is_required=True,
    is_path=True,
)
_NO_PICTURE: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has this picture already. 変更なし。"},
    404: {"description": "JV-Link has no picture for it. 該当する画像がありません。"},
    501: {"description": "The source has no pictures. このデータ元に画像はありません。"},
}


@router.get(
    "/silks",
    summary="Jockey silks as a picture / 勝負服画像",
    operation_id="silks",
    response_class=Response,
    responses={200: {"description": "50x50 pixels.", "content": {BMP: {}}}, **_NO_PICTURE},
    openapi_extra=takes(PATTERN),
)
async def get_silks(request: Request) -> Response:
    """Give the picture that JV-Link draws of a description. 服色標示から勝負服の画像 (BMP) を返します。"""
    described = _pattern(first_value(given_parameters(request, (PATTERN,)), PATTERN.name) or "")
    fetched = await fetch(request, "silks", described, keep_s=_keep_s)
    return _picture(request, fetched, BMP, f"{spec_of(request).link} knows no silks {described!r}")


@router.get(
    "/courses/{key}", summary="A racecourse explained / コース説明", operation_id="course", openapi_extra=takes(KEY)
)
async def get_course(request: Request) -> Response:
    """Tell what JV-Link says of a course, and where its picture is. コースの説明文と画像の場所。"""
    fetched, key = await _course(request)
    found = fetched.entry.value
    image = f"/api/v1/courses/{key}/image" if found["found"] else None
    about = {"key": key, "found": found["found"], "explanation": found["explanation"], "image": image}
    return answer(request, fetched, orjson.dumps(about), CONTENT_TYPE)


@router.get(
    "/courses/{key}/image",
    summary="A racecourse as a picture / コース画像",
    operation_id="course_image",
    response_class=Response,
    responses={200: {"description": "256x200 pixels.", "content": {GIF: {}}}, **_NO_PICTURE},
    openapi_extra=takes(KEY),
)
async def get_course_image(request: Request) -> Response:
    """Give JV-Link's picture of a course. コースの画像 (GIF) を返します。"""
    fetched, key = await _course(request)
    return _picture(request, fetched, GIF, f"{spec_of(request).link} has no picture of the course {key}")


async def _course(request: Request) -> tuple[Fetched, str]:
    """Return picture and explanation of one course, which one call of JV-Link gives, and the key in the path."""
    given_parameters(request)
    key: str = request.path_params[KEY.name]
    parsed = CoursePictureKey.parse(key, spec_of(request).key_rules)
    return await fetch(request, "course", str(parsed), keep_s=_keep_s), key


def _keep_s(found: Found) -> float:
    return KEEP_S if found["found"] else KEEP_NOTHING_S


def _pattern(text: str) -> str:
    """Return a description that JV-Link can be asked for.  Raises QueryError (`invalid-pattern`)."""
    pattern = text.strip(" \u3000")  # records are filled up with spaces
    if not pattern or len(pattern) > MAX_CHARACTERS or not _is_text(pattern):
        why = f"{text[:40]!r} describes no silks." if text else "No silks are described."
        raise refusal(PATTERN, text[:40], why)
    return pattern


def _is_text(pattern: str) -> bool:
    """Whether it can be handed to JV-Link: characters of Shift_JIS, none of them a control character."""
    try:
        pattern.encode("cp932")
    except UnicodeEncodeError:
        return False
    return not any(category(character).startswith("C") for character in pattern)


def _picture(request: Request, fetched: Fetched, content_type: str, why: str) -> Response:
    """Return the picture.  JV-Link's own "No Image" is none: programs would keep it as if it were one."""
    found = fetched.entry.value
    if not found["found"]:
        return problem_response(Problem("no-picture", f"{why}."), request.url.path)
    return answer(request, fetched, found["picture"], content_type)
