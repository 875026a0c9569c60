"""JV-Link's installation on Windows: is it registered, with which bitness, and which Python fits it?

Source: `behaviour`, sections 6 and 8; `interface.json`, component.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Protocol, get_args

from jvgate.doctor.findings import Finding
from jvgate.doctor.registry import Hive, WindowsValues
from jvgate.sessions.sources.com import python_command
from jvgate.settings import Settings

__all__ = ["JV_LINK_CLSID", "NV_LINK_CLSID", "Registry", "Run", "WindowsRegistry", "check_installation", "run_quietly"]

JV_LINK_CLSID = "{2AB1774D-0C41-11D7-916F-0003479BEB3F}"
NV_LINK_CLSID = "{F726BBA6-5784-4529-8C67-26E152D49D73}"
_PYTHONS = r"SOFTWARE\Python\PythonCore"
_RUN_LIMIT_S = 20
# jvgate needs 3.11; what is older fails here as what has no pywin32 does.
_BITS = "import sys, struct; assert sys.version_info >= (3, 11); print(struct.calcsize('P') * 8)"
_PROBE = f"import pythoncom; {_BITS}"

# Runs a command and returns what it printed, None when it failed.
Run = Callable[[Sequence[str]], str | None]


class Registry(Protocol):
    """The registry, read only."""

    def server(self, clsid: str, *, bits: int, is_user: bool) -> str | None:
        """Return the path of the DLL that a class is registered with, in the view of 32 or 64 bits; None for none.

        is_user: of this user's own registrations, which hide the machine's.
        """

    def pythons(self, *, bits: int) -> list[str]:
        """Return the commands of the Pythons of 32 or 64 bits that have been installed, as a setting takes them."""


@dataclass(frozen=True, slots=True)
class WindowsRegistry:
    """The registry of this machine."""

    def server(self, clsid: str, *, bits: int, is_user: bool) -> str | None:
        """Read InprocServer32."""
        hive: Hive = "HKCU" if is_user else "HKLM"
        return WindowsValues().read(hive, rf"SOFTWARE\Classes\CLSID\{clsid}\InprocServer32", "", bits=bits)

    def pythons(self, *, bits: int) -> list[str]:
        """Look where installers of Python say what they installed (PEP 514)."""
        values, hives = WindowsValues(), get_args(Hive)
        found = [
            values.read(hive, rf"{_PYTHONS}\{tag}\InstallPath", "ExecutablePath", bits=bits)
            for hive in hives
            for tag in values.keys(hive, _PYTHONS, bits=bits)
        ]
        return [f'"{path}"' if " " in path else path for path in found if path]


def check_installation(
    settings: Settings, *, system: str, registry: Registry | None, run: Run, python_bits: int
) -> list[Finding]:
    """Tell whether the source's component is registered, and whether a fitting Python is there."""
    scheme = settings.source.partition(":")[0]
    if scheme not in ("jvlink", "nvlink"):
        return [
            Finding(
                "JV-Link",
                "skip",
                f"The source {settings.source} needs no JV-Link here.",
                f"データ元 {settings.source} では JV-Link は不要です。",
            )
        ]
    if registry is None:
        return [_under_wine(settings, run) if settings.worker_python else _not_windows(system)]
    clsid = JV_LINK_CLSID if scheme == "jvlink" else NV_LINK_CLSID
    users = {bits: path for bits in (64, 32) if (path := registry.server(clsid, bits=bits, is_user=True))}
    machines = {bits: path for bits in (64, 32) if (path := registry.server(clsid, bits=bits, is_user=False))}
    servers = machines | users
    findings = [_registration(scheme, servers), *_shadow(clsid, machines, users)]
    if servers:
        findings.append(_fitting_python(settings, servers, run, python_bits, registry))
    return findings


def run_quietly(command: Sequence[str]) -> str | None:
    """Run a command that ends soon; return what it printed, None when it failed."""
    try:
        done = subprocess.run(  # noqa: S603  (py, and what it or the settings name)
            command, capture_output=True, text=True, timeout=_RUN_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _not_windows(system: str) -> Finding:
    return Finding(
        "JV-Link",
        "fail",
        f"JV-Link runs on Windows; this is {system}.",
        f"JV-Link は Windows 用です (ここは {system})。",
        "Run `jvgate agent --source jvlink:` on the Windows machine and use --source agent://HOST:8900 here; "
        "or start a Windows Python under Wine (JVGATE_WORKER_PYTHON).",
        "Windows 側で `jvgate agent --source jvlink:` を実行し、ここでは --source agent://HOST:8900 を使うか、"
        "Wine の Windows 版 Python (JVGATE_WORKER_PYTHON) を使ってください。",
    )


def _under_wine(settings: Settings, run: Run) -> Finding:
    """Tell whether the Windows Python of the settings starts; what is installed behind it, only the try can tell."""
    if run([*python_command(settings.worker_python, is_windows=False), "-c", _PROBE]):
        return Finding(
            "python",
            "ok",
            "The workers' Python starts and has pywin32.",
            "ワーカーの Python は起動し、pywin32 があります。",
        )
    return Finding(
        "python",
        "fail",
        f"The workers' Python ({settings.worker_python}) does not start, or has no pywin32.",
        f"ワーカーの Python ({settings.worker_python}) が起動しないか、pywin32 がありません。",
        f'Try it by hand: {settings.worker_python} -c "import pythoncom"',
        f'次を手で実行して確かめてください: {settings.worker_python} -c "import pythoncom"',
    )


def _registration(scheme: str, servers: dict[int, str]) -> Finding:
    if servers:
        told = ", ".join(f"{bits} bits ({PureWindowsPath(path).name})" for bits, path in servers.items())
        return Finding("registration", "ok", f"Registered: {told}.", f"登録されています: {told}")
    name = "JV-Link" if scheme == "jvlink" else "NV-Link"
    return Finding(
        "registration",
        "fail",
        f"{name} is not registered on this machine.",
        f"{name} が登録されていません。",
        f"Install {name}, enter the service key in its settings, then try again.",
        f"{name} をインストールし、利用キーを設定してから再実行してください。",
    )


def _shadow(clsid: str, machines: dict[int, str], users: dict[int, str]) -> list[Finding]:
    if all(users[bits].lower() == machines.get(bits, users[bits]).lower() for bits in users):
        return []
    return [
        Finding(
            "registration",
            "warn",
            "A registration of this user hides the machine's: often a left-over of a trial.",
            "このユーザーだけの登録が、マシン全体の登録より優先されています。",
            f"Remove HKEY_CURRENT_USER\\Software\\Classes\\CLSID\\{clsid}, if it is not wanted.",
            f"不要なら HKEY_CURRENT_USER\\Software\\Classes\\CLSID\\{clsid} を削除してください。",
        )
    ]


def _fitting_python(
    settings: Settings, servers: dict[int, str], run: Run, python_bits: int, registry: Registry
) -> Finding:
    """Tell whether the Python of the workers has the component's bitness and pywin32; if not, look for one."""
    command = python_command(settings.worker_python, is_windows=True)
    answer = run([*command, "-c", _PROBE])
    worker_bits = int(answer) if answer and answer.strip().isdigit() else 0
    if worker_bits in servers:
        return Finding(
            "python",
            "ok",
            f"The workers' Python has {worker_bits} bits and pywin32.",
            f"ワーカーの Python は {worker_bits} ビットで、pywin32 があります。",
        )
    wanted = max(servers)
    known = [*_launched(run), *registry.pythons(bits=wanted)]
    if found := _fitting(known, wanted, run, _PROBE):
        return Finding(
            "python",
            "fail",
            f"The workers' Python does not fit: {wanted} bits with pywin32 are needed.",
            f"ワーカーの Python が合いません: {wanted} ビットで pywin32 のある Python が必要です。",
            f"Set JVGATE_WORKER_PYTHON to: {found}",
            f"JVGATE_WORKER_PYTHON を次の値にしてください: {found}",
        )
    if found := _fitting(known, wanted, run, _BITS):
        return Finding(
            "python",
            "fail",
            f"The Python that fits ({found}, {wanted} bits) has no pywin32.",
            f"合う Python ({found}、{wanted} ビット) に pywin32 がありません。",
            f"Run: {found} -m pip install pywin32; then set JVGATE_WORKER_PYTHON to: {found}",
            f"{found} -m pip install pywin32 を実行し、JVGATE_WORKER_PYTHON を {found} にしてください。",
        )
    suffix = "-32" if wanted == 32 else ""
    return Finding(
        "python",
        "fail",
        f"No Python of {wanted} bits with pywin32 was found (this one has {python_bits} bits).",
        f"pywin32 のある {wanted} ビットの Python が見つかりません (この Python は {python_bits} ビット)。",
        f"Install Python of {wanted} bits from python.org, then: py -3.12{suffix} -m pip install pywin32",
        f"python.org の {wanted} ビット版を入れ、py -3.12{suffix} -m pip install pywin32 を実行してください。",
    )


def _launched(run: Run) -> list[str]:
    """Return the commands of the Pythons that the launcher knows."""
    words = (run(["py", "-0"]) or "").split()
    tags = [word.partition("[")[0] for word in words if word.startswith("-")]  # -V:3.14[-64]: the rest is optional
    return [f"py {tag if '/' in tag else tag.replace('-V:', '-')}" for tag in tags]


def _fitting(commands: Sequence[str], wanted: int, run: Run, probe: str) -> str:
    """Return the first of *commands* whose Python has that bitness and passes *probe*, "" when none does."""
    for command in commands:
        if (answer := run([*python_command(command, is_windows=True), "-c", probe])) and answer.strip() == str(wanted):
            return command
    return ""
