"""Is the server alive, can it serve, and what are its figures?"""

from __future__ import annotations

from dataclasses import asdict

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from jvgate import __version__
from jvgate.gateway.gateway import Gateway
from jvgate.web.metrics import CONTENT_TYPE

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive? / 生存確認", operation_id="healthz")
async def get_health() -> Response:
    """Tell that the process runs. プロセスの生存確認。"""
    return _json({"status": "ok", "version": __version__})


@router.get("/readyz", summary="Able to serve? / 提供可否", operation_id="readyz")
async def get_readiness(request: Request) -> Response:
    """Tell whether the source can serve; 503 and a problem when not. データ元が使えるかどうか。"""
    gateway: Gateway = request.app.state.gateway
    await gateway.check()
    return _json(
        {
            "status": "ready",
            "source": gateway.source_name,
            "identity": gateway.source_identity,
            **await _archive(gateway),
            "redis": asdict(gateway.shared_state()),
            "sessions": asdict(gateway.session_counts()),
        }
    )


@router.get("/metrics", summary="Figures for Prometheus / 計測値", operation_id="metrics")
async def get_metrics(request: Request) -> Response:
    """Tell all counters and histograms. 計測値 (Prometheus 形式)。"""
    return Response(request.app.state.metrics.text(), headers={"content-type": CONTENT_TYPE})


async def _archive(gateway: Gateway) -> dict[str, object]:
    """Return how many files an archive has, and the first of those that are passed over."""
    summary = await gateway.archive_summary()
    if summary is None:
        return {}
    first = [{"file": file, "why": why} for file, why in summary.first]
    return {"archive": {"files": summary.files, "passed_over": summary.passed_over, "first_passed_over": first}}


def _json(document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document), headers={"cache-control": "no-store"}, media_type="application/json")
