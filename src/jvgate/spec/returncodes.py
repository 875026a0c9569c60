"""Return codes of JV-Link: what each means, in which call, and what to do (interface specification 4.9.0.1, ch. 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jvgate.spec.files import read_json

__all__ = ["ReturnCode", "ReturnCodes", "load_return_codes"]


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


class ReturnCodes:
    """Every code in every context; the same number may stand there more than once."""

    def __init__(self, known: Sequence[ReturnCode]) -> None:
        self._known = tuple(known)
        self._by_call: dict[tuple[int, str], ReturnCode] = {}
        for one in known:
            for method in one.methods:
                self._by_call.setdefault((one.code, method), one)

    def __iter__(self) -> Iterator[ReturnCode]:
        return iter(self._known)

    def get(self, code: int, method: str) -> ReturnCode | None:
        """Return what *code* means as the result of *method*, or None when the specification does not say."""
        return self._by_call.get((code, method))


def load_return_codes(link: str) -> ReturnCodes:
    """Return the return codes, which JV-Link and NV-Link share.  link: how their texts call it."""
    return ReturnCodes([_return_code(raw, link) for raw in read_json("jra/return_codes.json")["codes"]])


def _return_code(raw: Mapping[str, Any], link: str) -> ReturnCode:
    return ReturnCode(
        code=raw["code"],
        methods=frozenset(raw["methods"]),
        meaning_ja=raw["meaning_ja"].replace("JV-Link", link),
        meaning_en=raw["meaning_en"].replace("JV-Link", link),
        kind=raw["kind"],
        retryable=raw["retryable"],
        needs_human=raw["needs_human"],
        action=raw["action"].replace("JV-Link", link),
        slug=raw["http"]["slug"],
        http_status=raw["http"]["status"],
        retry_after_s=raw["http"]["retry_after_s"],
    )
