"""`jvgate doctor`: every check, one after another, told in the reader's language or as data."""

from __future__ import annotations

import locale
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from jvgate.doctor.findings import Finding, is_well
from jvgate.doctor.installation import WindowsRegistry, check_installation, run_quietly
from jvgate.doctor.machine import bits, check_desktop, check_port, check_settings, check_versions, environment
from jvgate.doctor.trying import check_redis, check_source
from jvgate.errors import JvgateError, SettingsError
from jvgate.settings import Settings, load_settings

__all__ = ["examine", "report"]

_SIGNS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red"), "skip": ("-   ", "dim")}
Check = Callable[[], Finding | list[Finding]]


def report(*, source: str | None, as_json: bool, language: str) -> bool:
    """Run every check and print what it found; return whether nothing has failed.

    language: ja, en, or "" for that of the machine.  Raises SettingsError for a language that is not spoken.
    """
    if language not in ("", "ja", "en"):
        raise SettingsError("--lang", f"{language!r} is not spoken here.", allowed="ja or en")
    findings = examine(source)
    if as_json:
        document: dict[str, Any] = {"ok": is_well(findings), "findings": [asdict(finding) for finding in findings]}
        print_line(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(findings, is_japanese=(language or _language()) == "ja")
    return is_well(findings)


def examine(source: str | None) -> list[Finding]:
    """Return what every check found; wrong settings end the examination where they are found."""
    findings: list[Finding] = [check_versions(), check_settings(environment())]
    try:
        settings = load_settings(source=source)
    except SettingsError as exc:
        wrong = Finding("settings", "fail", f"{exc}", f"{exc}", "Set what is allowed.", "許される値にしてください。")
        return [*findings[:1], wrong]
    for check in _checks(settings):
        findings += _isolated(check)
    return findings


def print_line(text: str) -> None:
    """Print as it stands: no wrapping, no colours."""
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def _checks(settings: Settings) -> Iterator[Check]:
    system = platform.system()
    registry = WindowsRegistry() if system == "Windows" else None
    yield lambda: check_desktop(system, environment())
    yield lambda: check_installation(settings, system=system, registry=registry, run=run_quietly, python_bits=bits())
    yield lambda: check_port(settings)
    yield lambda: check_redis(settings)
    yield lambda: check_source(settings)


def _isolated(check: Check) -> list[Finding]:
    """Run one check; whatever it trips over is a finding, and the others go on."""
    try:
        found = check()
    except JvgateError as exc:
        return [Finding("source", "fail", f"{exc}", f"{exc}")]
    except Exception as exc:  # noqa: BLE001  (the doctor has to go on with the next check)
        return [
            Finding("doctor", "warn", f"A check could not be made: {exc!r}.", f"確認できない項目がありました: {exc!r}")
        ]
    return found if isinstance(found, list) else [found]


def _show(findings: list[Finding], *, is_japanese: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        sign, colour = _SIGNS[finding.state]
        told, advice = (finding.ja, finding.advice_ja) if is_japanese else (finding.en, finding.advice_en)
        console.print(Text.assemble((sign, colour), f"  {finding.check}: {told}"))
        if advice:
            console.print(Text(f"      -> {advice}"))
    verdict = {
        True: ("Nothing is wrong.", "問題は見つかりませんでした。"),
        False: ("Something is wrong: see FAIL above.", "問題があります。FAIL の項目を確認してください。"),
    }[is_well(findings)]
    console.print(Text(verdict[is_japanese], style="bold"))


def _language() -> str:
    name = locale.getlocale()[0] or environment().get("LANG", "")
    return "ja" if name.lower().startswith(("ja", "japan")) else "en"
