"""`jvgate doctor`: every check, one after another, told in the reader's language or as data."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from io import TextIOWrapper
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from jvgate.commands.flags import reader_language
from jvgate.doctor.findings import Finding, is_well
from jvgate.doctor.installation import WindowsRegistry, check_installation, run_quietly
from jvgate.doctor.jvlink_setup import check_setup
from jvgate.doctor.machine import bits, check_desktop, check_port, check_settings, check_versions, environment
from jvgate.doctor.redis_ping import check_redis
from jvgate.doctor.registry import WindowsValues
from jvgate.doctor.trying import check_source
from jvgate.errors import JvgateError, SettingsError
from jvgate.sessions.sources.registry import source_of
from jvgate.settings import Settings, load_settings
from jvgate.spec.spec import load_spec

__all__ = ["examine", "report"]

_SIGNS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red"), "skip": ("-   ", "dim")}
_LANGUAGES = ("en", "ja")
_VERDICTS = {
    True: {"en": "Nothing is wrong.", "ja": "問題は見つかりませんでした。"},
    False: {"en": "Something is wrong: see FAIL above.", "ja": "問題があります。FAIL の項目を確認してください。"},
}
Check = Callable[[], Finding | list[Finding]]


def report(*, source: str | None, as_json: bool, language: str) -> bool:
    """Run every check and print what it found; return whether nothing has failed.

    language: ja, en, both, or "" for that of the machine.  Raises SettingsError for a language that is not spoken.
    """
    if language not in ("", "both", *_LANGUAGES):
        raise SettingsError("--lang", f"{language!r} is not spoken here.", allowed="ja, en or both")
    findings = examine(source)
    if as_json:
        document: dict[str, Any] = {"ok": is_well(findings), "findings": [asdict(finding) for finding in findings]}
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        chosen = language or reader_language()
        _show(findings, _LANGUAGES if chosen == "both" else (chosen,))
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


def _checks(settings: Settings) -> Iterator[Check]:
    system = platform.system()
    registry = WindowsRegistry() if system == "Windows" else None
    yield lambda: check_desktop(system, environment())
    yield lambda: check_installation(settings, system=system, registry=registry, run=run_quietly, python_bits=bits())
    yield lambda: check_setup(settings, WindowsValues() if registry else None, python_bits=bits())
    yield lambda: check_port(settings)
    yield lambda: check_redis(settings, load_spec("jra"))
    yield lambda: _check_source(settings)


def _check_source(settings: Settings) -> list[Finding]:
    source = source_of(settings)
    return check_source(source, load_spec(source.provider, any_course=source.any_course), settings)


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


def _show(findings: list[Finding], languages: Sequence[str]) -> None:
    if isinstance(sys.stdout, TextIOWrapper):  # a Windows console of another language has no Japanese characters
        sys.stdout.reconfigure(errors="replace")
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        sign, colour = _SIGNS[finding.state]
        told = {"en": finding.en, "ja": finding.ja}
        advice = {"en": finding.advice_en, "ja": finding.advice_ja}
        console.print(Text.assemble((sign, colour), f"  {finding.check}: {_said(told, languages)}"))
        if finding.advice_en:
            console.print(Text(f"      -> {_said(advice, languages)}"))
    console.print(Text(_said(_VERDICTS[is_well(findings)], languages), style="bold"))


def _said(words: Mapping[str, str], languages: Sequence[str]) -> str:
    """Return what is said in each of *languages*; once where it is the same in both."""
    return " / ".join(dict.fromkeys(words[language] for language in languages))
