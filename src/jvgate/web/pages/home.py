"""The first page: where one is, and links that show data at once."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from jvgate import __version__
from jvgate.gateway.gateway import Gateway
from jvgate.spec.spec import Spec

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", sans-serif; max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
code { font-family: ui-monospace, monospace; }
nav a { margin-right: 1.2rem; }
"""


@router.get("/")
async def get_home(request: Request) -> HTMLResponse:
    """Show what this server has and links to try."""
    gateway: Gateway = request.app.state.gateway
    week_ago = (gateway.source_now() - timedelta(days=7)).strftime("%Y%m%d")
    return HTMLResponse(_page(gateway.source_name, week_ago, gateway.spec))


def _page(source: str, from_time: str, spec: Spec) -> str:
    data = "/api/v1/data"
    tries = (
        (
            f"{data}/RACE?from_time={from_time}&record=RA,SE,HR&labels=ja",
            "レース・出走馬・払戻 / races, runners, pay-outs",
        ),
        (f"{data}/RACE?from_time={from_time}&record=O1", "単複枠オッズ / win, place and bracket odds"),
        (f"{data}/YSCH?from_time={from_time}&labels=ja", "開催スケジュール / meeting calendar"),
        (f"{data}/SLOP?from_time={from_time}&limit=20", "坂路調教 / slope training"),
        (f"{data}/RACE?from_time={from_time}&record=SE&format=csv", "CSV"),
        (f"/api/v1/stream/RACE?from_time={from_time}&record=SE", "ストリーム (NDJSON) / stream"),
    )
    links = "".join(f'<li><a href="{escape(url)}"><code>{escape(url)}</code></a><br>{what}</li>' for url, what in tries)
    rows = "".join(
        f'<tr><td><a href="/api/v1/dataspecs/{one.id}"><code>{one.id}</code></a></td><td>{escape(one.title_ja)}<br>'
        f"{escape(one.title_en)}</td><td>{' '.join(one.record_types)}</td></tr>"
        for one in spec.dataspecs.values()
    )
    return f"""<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>jvgate</title><style>{_STYLE}</style></head><body>
<h1>jvgate {__version__}</h1>
<p>日本の競馬データを HTTP で。 Japanese horse-racing data over HTTP. Source: <code>{escape(source)}</code></p>
<nav><a href="/docs">API /docs</a><a href="/api/v1/records">records</a><a href="/api/v1/codes">codes</a>
<a href="/api/v1/cache">cache</a><a href="/api/v1/sessions">sessions</a>
<a href="/readyz">readyz</a><a href="/metrics">metrics</a></nav>
<h2>まず試す / Try</h2><ul>{links}</ul>
<h2>データ種別 / Data specs</h2>
<table><thead><tr><th>ID</th><th>内容 / what</th><th>records</th></tr></thead><tbody>{rows}</tbody></table>
</body></html>"""
