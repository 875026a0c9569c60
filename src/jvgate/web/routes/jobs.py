"""`/api/v1/jobs`: what takes longer than a client wants to wait for."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from jvgate.errors import JvgateError, QueryError
from jvgate.gateway.answers import Served
from jvgate.gateway.gateway import Gateway
from jvgate.gateway.jobs import Job, eta_s
from jvgate.spec.spec import Spec
from jvgate.web.answers import AnswerResponse
from jvgate.web.asking import coding_of, spec_of
from jvgate.web.problems import problem_of

__all__ = ["job_accepted", "router"]

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

LOOK_AGAIN_S = 2
JobId = Annotated[str, Path(description="As the Location of the 202 said. 202 の Location にある ID。")]


@router.get("", summary="All jobs / ジョブ一覧", operation_id="jobs")
async def list_jobs(request: Request) -> Response:
    """Tell every job that runs or whose result is kept. 実行中・結果保持中のジョブ。"""
    return _json([_shown(job, spec_of(request)) for job in _gateway(request).jobs()])


@router.get("/{job_id}", summary="One job / ジョブの状態", operation_id="job")
async def get_job(request: Request, job_id: JobId) -> Response:
    """Tell how far a job has come, and `kept_until` once it has ended. 進み具合と、終了後は結果の保持期限。"""
    job = _job(request, job_id)
    return _json(
        _shown(job, spec_of(request)), headers={"retry-after": str(LOOK_AGAIN_S)} if job.state == "running" else None
    )


@router.get(
    "/{job_id}/result",
    summary="What a job gave / ジョブの結果",
    operation_id="job_result",
    response_class=Response,
    responses={
        202: {"description": "It still runs. 実行中。"},
        410: {"description": "Dropped before `kept_until`, for want of room: ask again. 容量不足で期限前に破棄。"},
    },
)
async def get_result(request: Request, job_id: JobId) -> Response:
    """Give the answer, as the data route would have. 結果 (data と同じ形)。"""
    job = _job(request, job_id)
    if job.state == "running":
        return job_accepted(job, spec_of(request))
    served = job.task.result()  # raises what the job failed with
    coding, takes_plain = coding_of(request)  # of who comes for it, not of who began it
    gateway = _gateway(request)
    repacked = await gateway.repacked(served, coding, takes_plain=takes_plain)
    return AnswerResponse(repacked, clock=gateway.clock)


@router.delete("/{job_id}", status_code=204, summary="Cancel / 取り消し", operation_id="cancel_job")
async def cancel_job(request: Request, job_id: JobId) -> Response:
    """Stop a job, or throw away its result. 中止、または結果の破棄。"""
    _gateway(request).cancel_job(_job(request, job_id))
    return Response(status_code=204)


def job_accepted(job: Job[Served], spec: Spec) -> Response:
    """Return the 202 that tells where to look for the job."""
    return _json(_shown(job, spec), 202, {"location": _path(job), "retry-after": str(LOOK_AGAIN_S)})


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _job(request: Request, job_id: str) -> Job[Served]:
    gateway = _gateway(request)
    job = gateway.job(job_id)
    if job is None and gateway.is_job_evicted(job_id):
        why = (
            "The result of this job was dropped before its time: there is no room for all results (JVGATE_JOB_BYTES), "
            "and the quickest jobs lose theirs first."
        )
        raise QueryError("job-evicted", why, parameter="id", value=job_id, allowed="ask the question again")
    if job is None or job.state == "cancelled":
        why = f"There is no job {job_id[:40]!r} (any more)."
        raise QueryError("unknown-job", why, parameter="id", value=job_id[:40], allowed="those of /api/v1/jobs")
    return job


def _shown(job: Job[Served], spec: Spec) -> dict[str, Any]:
    """Return the job as clients see it; times in seconds."""
    elapsed_s = (job.ended or time.monotonic()) - job.began
    reads = job.progress()
    left_s = eta_s(reads, elapsed_s) if job.state == "running" else 0.0
    shown = {
        "id": job.id,
        "state": job.state,
        "question": job.question,
        "elapsed_s": round(elapsed_s, 3),
        "eta_s": None if left_s is None else round(left_s, 1),
        "progress": [asdict(read) for read in reads],
        "href": _path(job),
    }
    error = job.task.exception() if job.state == "failed" else None
    if isinstance(error, JvgateError):
        shown["problem"] = problem_of(error, spec).document(_path(job))
    if job.kept_until is not None:
        shown["kept_until"] = datetime.fromtimestamp(job.kept_until, UTC).isoformat(timespec="seconds")
    if job.state == "done":
        shown["result"] = f"{_path(job)}/result"
    return shown


def _path(job: Job[Served]) -> str:
    return f"/api/v1/jobs/{job.id}"


def _json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    shown = {"cache-control": "no-store"} | (headers or {})
    return Response(orjson.dumps(document), status, shown, media_type="application/json")
