"""A finding: what was looked at, how it stands, and what to do, in English and Japanese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "is_well"]

State = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.  check: its short name.  advice_*: what to do, "" where there is nothing to do."""

    check: str
    state: State
    en: str
    ja: str
    advice_en: str = ""
    advice_ja: str = ""


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing has failed; warnings are no failure."""
    return all(finding.state != "fail" for finding in findings)
