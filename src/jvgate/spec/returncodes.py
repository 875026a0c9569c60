"""Return codes of JV-Link: what each means, in which call, and what to do (interface specification 4.9.0.1, ch. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jvgate.spec.files import read_json

__all__ = ["ReturnCode", "return_code", "return_codes"]


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One meaning of one code.  kind: success, control, empty or error.  http_*: the problem proposed for it."""

    code: int
    methods: frozenset[str]
    meaning_ja: str
    meaning_en: str
    kind: str
    retryable: bool
    needs_human: bool
    action: str
    slug: str | None
    http_status: int | None
    retry_after_s: int | None


@cache
def return_codes() -> tuple[ReturnCode, ...]:
    """Return every code in every context; the same number may stand there more than once."""
    return tuple(_return_code(raw) for raw in read_json("return_codes.json")["codes"])


@cache
def return_code(code: int, method: str) -> ReturnCode | None:
    """Return what *code* means as the result of *method*, or None when the specification does not say."""
    return next((known for known in return_codes() if known.code == code and method in known.methods), None)


def _return_code(raw: Mapping[str, Any]) -> ReturnCode:
    return ReturnCode(
        code=raw["code"],
        methods=frozenset(raw["methods"]),
        meaning_ja=raw["meaning_ja"],
        meaning_en=raw["meaning_en"],
        kind=raw["kind"],
        retryable=raw["retryable"],
        needs_human=raw["needs_human"],
        action=raw["action"],
        slug=raw["http"]["slug"],
        http_status=raw["http"]["status"],
        retry_after_s=raw["http"]["retry_after_s"],
    )
