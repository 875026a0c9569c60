"""/docs: the interface as a page (Swagger UI, its files served from here), and its description for machines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, Response

from jvgate.render.formats.registry import charsets, media_types
from jvgate.web.parameters import DATA, describe_parameters
from jvgate.web.problems import CONTENT_TYPE

__all__ = ["describe", "router"]

router = APIRouter(include_in_schema=False)

_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_PROBLEM = {"description": "A problem document (RFC 9457). 問題の説明。", "content": {CONTENT_TYPE: {}}}


@router.get("/docs")
async def get_docs() -> HTMLResponse:
    """Show the interface as a page to read and to try."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="jvgate /docs",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon-32x32.png",
        swagger_ui_parameters={"filter": True, "displayRequestDuration": True},
    )


@router.get("/docs/{name}")
async def get_docs_file(name: str) -> Response:
    """Serve one file of Swagger UI."""
    if name not in _FILES:
        raise HTTPException(404)
    return Response(_file(name), headers={"cache-control": "max-age=86400"}, media_type=_FILES[name])


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description: FastAPI's, with our problems in place of its own 422, and the formats."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _PROBLEM
                if operation["operationId"] == "data":
                    _describe_formats(operation, app.state.formats)
                elif operation["operationId"] == "stream":
                    _describe_formats(operation, app.state.stream_formats)
        schema.get("components", {}).pop("schemas", None)
        app.openapi_schema = schema
    return app.openapi_schema


def _describe_formats(operation: dict[str, Any], words: Sequence[str]) -> None:
    """State the formats of *words* and their charsets as the values of the parameters, and their media types."""
    operation["parameters"] = describe_parameters(DATA, {"format": words, "charset": charsets(words)})
    operation["responses"]["200"]["content"] = {media_type: {} for media_type in media_types(words)}


@cache
def _file(name: str) -> bytes:
    return (files("fastapi_swagger.resources") / name).read_bytes()
