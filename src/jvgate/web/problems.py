"""Errors as problem documents (RFC 9457): the one place that knows which error is which HTTP status."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.responses import Response

from jvgate.errors import (
    ArchiveError,
    ComError,
    DatasetTooLarge,
    JvgateError,
    JVLinkError,
    NotInstalled,
    NotOffered,
    QueryError,
    ReadCancelled,
    SessionHung,
    SessionTimeout,
    SourceBusy,
    SourceError,
    WorkerFailed,
    WorkerLost,
)
from jvgate.spec.spec import Spec

__all__ = ["CONTENT_TYPE", "Problem", "problem_about", "problem_of", "problem_response"]

CONTENT_TYPE = "application/problem+json"

# slug -> status, title in English and Japanese.  The slug is stable: clients may rely on `type`.
PROBLEMS: dict[str, tuple[int, str, str]] = {
    "unknown-dataspec": (404, "Unknown data spec", "データ種別がありません"),
    "invalid-dataspec": (400, "Data spec cannot be asked like this", "データ種別の指定が不正です"),
    "unknown-parameter": (400, "Unknown parameter", "パラメータがありません"),
    "parameter-not-allowed": (400, "Parameter not allowed here", "このデータ種別では使えないパラメータです"),
    "empty-parameter": (400, "Parameter without a value", "パラメータの値がありません"),
    "repeated-parameter": (400, "Parameter given more than once", "パラメータが重複しています"),
    "invalid-from-time": (400, "Invalid from_time", "from_time が不正です"),
    "invalid-to-time": (400, "Invalid to_time", "to_time が不正です"),
    "invalid-option": (400, "Invalid option", "option が不正です"),
    "dataspec-option-mismatch": (
        400,
        "Option not allowed for this data spec",
        "このデータ種別では使えない option です",
    ),
    "invalid-key": (400, "Invalid key", "key が不正です"),
    "invalid-purge": (400, "Nothing or too much is to be dropped", "破棄する対象の指定が不正です"),
    "invalid-pattern": (400, "Invalid description of silks", "服色標示が不正です"),
    "unknown-record": (400, "Unknown record type", "レコード種別がありません"),
    "invalid-where": (400, "Invalid condition", "条件 (where) が不正です"),
    "unknown-field": (400, "Unknown field", "項目がありません"),
    "invalid-limit": (400, "Invalid limit", "limit が不正です"),
    "invalid-offset": (400, "Invalid offset", "offset が不正です"),
    "invalid-raw": (400, "Invalid raw", "raw が不正です"),
    "invalid-labels": (400, "Invalid labels", "labels が不正です"),
    "invalid-charset": (400, "Invalid charset", "charset が不正です"),
    "unknown-format": (406, "Unknown format", "形式がありません"),
    "not-acceptable": (406, "Not acceptable", "Accept に合う形式がありません"),
    "too-many-columns": (406, "Too many columns for CSV", "CSV の列が多すぎます"),
    "one-record-needed": (406, "This form needs one record type", "この形式ではレコード種別を一つ選んでください"),
    "unknown-record-type": (404, "Unknown record type", "レコード種別がありません"),
    "unknown-code-table": (404, "Unknown code table", "コード表がありません"),
    "unknown-job": (404, "Unknown job", "ジョブがありません"),
    "job-evicted": (410, "Result of the job no longer kept", "ジョブの結果はもうありません"),
    "unknown-movie-type": (404, "Unknown type of video", "映像の種類がありません"),
    "no-picture": (404, "No such picture", "該当する画像がありません"),
    "unknown-session": (404, "Unknown session", "セッションがありません"),
    "bad-request": (400, "No HTTP request", "HTTP リクエストではありません"),
    "not-found": (404, "Not found", "ありません"),
    "method-not-allowed": (405, "Method not allowed", "このメソッドは使えません"),
    "uri-too-long": (414, "URL too long", "URL が長すぎます"),
    "not-json": (400, "The body is no JSON", "本文が JSON ではありません"),
    "invalid-batch": (400, "Invalid batch", "まとめての問い合わせが不正です"),
    "batch-too-large": (413, "The batch is too large", "まとめての回答が大きすぎます"),
    "request-timeout": (
        408,
        "The body of the request did not come in time",
        "リクエストの本文が時間内に届きませんでした",
    ),
    "request-too-large": (413, "The body of the request is too large", "リクエストの本文が大きすぎます"),
    "unsupported-media-type": (415, "Unsupported media type", "本文の形式が違います"),
    "dataset-too-large": (413, "Dataset too large for one answer", "データが大きすぎます"),
    "archive-unusable": (503, "Archive unusable", "アーカイブが使えません"),
    "shutting-down": (503, "The server is shutting down", "サーバーを終了しています"),
    "read-cancelled": (503, "The read was ended", "読み込みを中止しました"),
    "session-lost": (503, "The session was lost", "セッションが失われました"),
    "session-failed": (503, "No session can be started", "セッションを開始できません"),
    "com-error": (502, "COM error", "COM のエラー"),
    "jvlink-not-installed": (503, "JV-Link is not installed", "JV-Link がインストールされていません"),
    "not-offered": (501, "Not offered by this source", "このデータ元にはありません"),
    "session-busy": (503, "Too much at once", "混み合っています"),
    "jvlink-hung": (504, "JV-Link hung and is being restarted", "JV-Link が応答しないため再起動しています"),
    "jvlink-timeout": (504, "JV-Link did not answer in time", "JV-Link が時間内に応答しません"),
    "source-unavailable": (503, "Source unavailable", "データ元が使えません"),
    "jvlink-error": (502, "JV-Link error", "JV-Link のエラー"),
    "internal-error": (500, "Internal error", "内部エラー"),
}
BY_STATUS = {404: "not-found", 405: "method-not-allowed"}

_LESS_RAW = (
    "a shorter span (from_time … to_time), fewer record types (record=RA,SE), /api/v1/stream, or a larger "
    "JVGATE_DATASET_BYTES"
)
_LESS_RENDERED = (
    "fewer fields (fields=), pages (limit=, offset=), fewer record types (record=RA,SE), /api/v1/stream, or a larger "
    "JVGATE_ANSWER_BYTES"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem document.  headers: what goes with it, such as Retry-After."""

    slug: str
    detail: str
    status: int = 0
    title: str = ""
    title_ja: str = ""
    members: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """Return the members in the order in which they are read."""
        status, title, title_ja = PROBLEMS.get(self.slug, (self.status, self.title, self.title_ja))
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title or title,
            "title_ja": self.title_ja or title_ja,
            "status": self.status or status,
            "detail": self.detail,
            **self.members,
            "instance": instance,
        }


def problem_about(slug: str, spec: Spec) -> dict[str, Any] | None:
    """Return what a problem type means, in both languages; None for one that does not exist."""
    if slug in PROBLEMS:
        status, title, title_ja = PROBLEMS[slug]
        title, title_ja = spec.in_words(title), spec.in_words(title_ja)
        return {"type": f"/problems/{slug}", "status": status, "title": title, "title_ja": title_ja}
    code = next((code for code in spec.return_codes if code.slug == slug), None)
    if code is None:
        return None
    return {
        "type": f"/problems/{slug}",
        "status": code.http_status,
        "title": code.meaning_en,
        "title_ja": code.meaning_ja,
        "action": code.action,
    }


def problem_response(problem: Problem, instance: str) -> Response:
    """Return *problem* as a response; it is never kept by a cache."""
    document = problem.document(instance)
    headers = {"cache-control": "no-store"} | problem.headers
    return Response(orjson.dumps(document), document["status"], headers, media_type=CONTENT_TYPE)


def problem_of(error: JvgateError, spec: Spec) -> Problem:
    """Return what *error* of the provider of *spec* means to a client."""
    if isinstance(error, QueryError):
        members = {"parameter": error.parameter, "value": error.value, "allowed": error.allowed}
        return Problem(error.slug, str(error), members=members)
    if isinstance(error, JVLinkError):
        return _jvlink_problem(error, spec)
    if isinstance(error, DatasetTooLarge):
        allowed = _LESS_RENDERED if error.is_rendered else _LESS_RAW
        return Problem("dataset-too-large", f"{error}.", members={"limit_bytes": error.limit_bytes, "allowed": allowed})
    slug = next((slug for kind, slug in _SLUGS if isinstance(error, kind)), "internal-error")
    retry_after_s = error.retry_after_s if isinstance(error, SourceError) else None
    place: dict[str, Any] = {"place": error.place} if isinstance(error, SourceBusy) else {}
    return _worded(Problem(slug, f"{error}.", members=place, headers=_retry_after(retry_after_s)), spec)


_SLUGS: tuple[tuple[type[JvgateError], str], ...] = (
    (ArchiveError, "archive-unusable"),
    (ReadCancelled, "read-cancelled"),
    (SourceBusy, "session-busy"),
    (WorkerLost, "session-lost"),
    (WorkerFailed, "session-failed"),
    (NotOffered, "not-offered"),
    (NotInstalled, "jvlink-not-installed"),
    (ComError, "com-error"),
    (SessionHung, "jvlink-hung"),
    (SessionTimeout, "jvlink-timeout"),
    (SourceError, "source-unavailable"),
)


def _jvlink_problem(error: JVLinkError, spec: Spec) -> Problem:
    """Return the problem that the table of return codes proposes for the code."""
    known = spec.return_codes.get(error.code, error.method)
    jvlink: dict[str, Any] = {"method": error.method, "code": error.code}
    if known is None or known.slug is None:
        return _worded(Problem("jvlink-error", f"{error}.", members={"jvlink": jvlink}), spec)
    jvlink |= {"meaning_ja": known.meaning_ja, "meaning_en": known.meaning_en, "action": known.action}
    return Problem(
        known.slug,
        f"{error}.",
        status=known.http_status or 502,
        title=known.meaning_en[0].upper() + known.meaning_en[1:],
        title_ja=known.meaning_ja,
        members={"jvlink": jvlink},
        headers=_retry_after(known.retry_after_s),
    )


def _worded(problem: Problem, spec: Spec) -> Problem:
    """Return *problem* with the name that the provider's component has."""
    _, title, title_ja = PROBLEMS[problem.slug]
    return replace(
        problem,
        detail=spec.in_words(problem.detail),
        title=spec.in_words(title),
        title_ja=spec.in_words(title_ja),
    )


def _retry_after(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": str(seconds)}
