"""The reference: data specs, record layouts and code tables, in both languages, from `spec/`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import Response

from jvgate.errors import QueryError
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.spec import Spec
from jvgate.web.answers import is_known
from jvgate.web.asking import spec_of
from jvgate.web.problems import problem_about

__all__ = ["router"]

router = APIRouter(tags=["reference"])

LIFETIME_S = 86400

DataspecId = Annotated[str, Path(description="A data spec: RACE, 0B12, … データ種別ID。")]
RecordType = Annotated[str, Path(description="A record type: RA, SE, … レコード種別。")]
TableNumber = Annotated[str, Path(description="A code table: 2001, … コード表の番号。")]
ProblemSlug = Annotated[str, Path(description="The last part of a problem's type. エラーの type の末尾。")]


@router.get("/api/v1/dataspecs", summary="All data specs / データ種別一覧", operation_id="dataspecs")
async def get_dataspecs(request: Request) -> Response:
    """List what can be asked for, and how. 取得できるデータ種別と指定方法の一覧。"""
    return _reference(request, _dataspecs_body(spec_of(request)))


@router.get("/api/v1/dataspecs/{id}", summary="One data spec / データ種別", operation_id="dataspec")
async def get_dataspec(request: Request, id: DataspecId) -> Response:  # noqa: A002
    """Tell everything known of one data spec. データ種別の詳細。"""
    dataspecs = spec_of(request).dataspecs
    if id not in dataspecs:
        raise _unknown("unknown-dataspec", "id", "data spec", id, dataspecs)
    return _reference(request, orjson.dumps(dict(dataspecs[id].about)))


@router.get("/api/v1/records", summary="All record types / レコード種別一覧", operation_id="records")
async def get_records(request: Request) -> Response:
    """List the record types with their layouts. レコード種別と長さの一覧。"""
    return _reference(request, _records_body(spec_of(request)))


@router.get("/api/v1/records/{type}", summary="One record type / レコード", operation_id="record")
async def get_record(request: Request, type: RecordType) -> Response:  # noqa: A002
    """Tell every field of one record type, older layouts included. レコードの全項目 (旧レイアウト含む)。"""
    layouts = spec_of(request).layouts
    found = layouts.generations(type)
    if not found:
        raise _unknown("unknown-record-type", "type", "record type", type, layouts.types)
    return _reference(request, orjson.dumps({"record": type, "layouts": [_layout(layout) for layout in found]}))


@router.get("/api/v1/codes", summary="All code tables / コード表一覧", operation_id="codes")
async def get_codes(request: Request) -> Response:
    """List the code tables. コード表の一覧。"""
    return _reference(request, _codes_body(spec_of(request)))


@router.get("/api/v1/codes/{table}", summary="One code table / コード表", operation_id="code")
async def get_code_table(request: Request, table: TableNumber) -> Response:
    """Tell all codes of one table. コード表の内容。"""
    tables = spec_of(request).code_tables
    if table not in tables:
        raise _unknown("unknown-code-table", "table", "code table", table, tables)
    found = tables[table]
    rows = [dict(row) for row in found.rows.values()]
    about = {"table": found.id, "title_ja": found.title_ja, "title_en": found.title_en, "bytes": found.bytes}
    return _reference(request, orjson.dumps({**about, "notes": found.notes, "codes": rows}))


@router.get("/problems/{slug}", summary="A type of problem / エラーの種類", operation_id="problem")
async def get_problem(request: Request, slug: ProblemSlug) -> Response:
    """Tell what a problem's type means. 問題 (エラー) の種類の説明。"""
    about = problem_about(slug, spec_of(request))
    if about is None:
        raise HTTPException(404)
    return _reference(request, orjson.dumps(about))


@cache
def _dataspecs_body(spec: Spec) -> bytes:
    return orjson.dumps(
        {
            "dataspecs": [
                {
                    "dataspec": one.id,
                    "family": "real_time" if one.is_realtime else "stored",
                    "title_ja": one.title_ja,
                    "title_en": one.title_en,
                    "record_types": one.record_types,
                    "options": one.options,
                    "to_time_allowed": one.end_allowed,
                    "key_forms": one.key_forms,
                    "replaced_by": one.replaced_by,
                }
                for one in spec.dataspecs.values()
            ]
        }
    )


@cache
def _records_body(spec: Spec) -> bytes:
    return orjson.dumps(
        {
            "records": [
                {
                    "record": name,
                    "title_ja": layout.title_ja,
                    "title_en": layout.title_en,
                    "length": layout.length,
                    "older_lengths": spec.layouts.lengths(name)[1:],
                    "key": layout.key,
                    "dataspecs": [one.id for one in spec.dataspecs.values() if name in one.record_types],
                }
                for name in spec.layouts.types
                for layout in (spec.layouts.current(name),)
            ]
        }
    )


@cache
def _codes_body(spec: Spec) -> bytes:
    return orjson.dumps(
        {
            "codes": [
                {
                    "table": table.id,
                    "title_ja": table.title_ja,
                    "title_en": table.title_en,
                    "bytes": table.bytes,
                    "count": len(table.rows),
                }
                for table in spec.code_tables.values()
            ]
        }
    )


def _layout(layout: Layout) -> dict[str, Any]:
    return {
        "id": layout.id,
        "length": layout.length,
        "title_ja": layout.title_ja,
        "title_en": layout.title_en,
        "is_current": layout.is_current,
        "valid_from": layout.valid_from,
        "valid_until": layout.valid_until,
        "key": layout.key,
        "data_kubun": dict(layout.data_kubun),
        "fields": [_field(field) for field in layout.fields],
    }


def _field(field: Field | Group) -> dict[str, Any]:
    """Return what a reader of answers needs to know of a field; what does not apply is left out."""
    about: dict[str, Any] = {
        "name": field.key,
        "path": field.path,
        "label_ja": field.label_ja,
        "label_en": field.label_en,
        "kind": field.kind,
        "offset": field.offset,
        "length": field.length,
        "repeat": field.repeat,
        "elements": field.elements,
    }
    if isinstance(field, Group):
        about["fields"] = [_field(member) for member in field.fields]
    else:
        about |= {
            "format": field.format,
            "unit": field.unit,
            "stored_unit": field.stored_unit,
            "scale": field.scale,
            "code_table": field.code_table,
            "values": dict(field.values),
            "marks": sorted(set(field.special.values())),
        }
    return {name: value for name, value in about.items() if value not in (None, (), [], {})}


def _unknown(slug: str, parameter: str, what: str, given: str, known: Iterable[str]) -> QueryError:
    why = f"There is no {what} {given!r}."
    return QueryError(slug, why, parameter=parameter, value=given, allowed=", ".join(known))


def _reference(request: Request, body: bytes) -> Response:
    """Return *body* with its own ETag; the reference changes with a release only."""
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"etag": etag, "cache-control": f"max-age={LIFETIME_S}", "vary": "Accept, Accept-Encoding"}
    if_none_match = ",".join(request.headers.getlist("if-none-match")).encode()
    if if_none_match and is_known(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
