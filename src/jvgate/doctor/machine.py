"""The machine and the settings: versions, bitness, the desktop, the port."""

from __future__ import annotations

import os
import platform
import socket
import struct
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from jvgate import __version__
from jvgate.doctor.findings import Finding
from jvgate.settings import Settings, unknown_variables

__all__ = ["bits", "check_desktop", "check_port", "check_settings", "check_versions"]

_LIBRARIES = ("uvicorn", "fastapi", "orjson", "pywin32")
_CONNECT_S = 1.0
# What listens on every address is asked on one: Windows connects to none of these.
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def bits() -> int:
    """Return the bitness of this Python."""
    return struct.calcsize("P") * 8


def check_versions() -> Finding:
    """Tell the versions of everything that matters."""
    libraries = ", ".join(f"{name} {found}" for name in _LIBRARIES if (found := _version(name)))
    told = (
        f"jvgate {__version__}, Python {platform.python_version()} ({bits()} bits), {platform.platform()}; {libraries}"
    )
    return Finding("versions", "ok", told, told)


def check_settings(environment: Iterable[str]) -> Finding:
    """Find variables that look like settings and are none."""
    unknown = unknown_variables(environment)
    if not unknown:
        return Finding("settings", "ok", "The settings can be read.", "設定を読み込めます。")
    names = ", ".join(unknown)
    return Finding(
        "settings",
        "warn",
        f"These are no settings of this version: {names}.",
        f"このバージョンにない設定名です: {names}",
        "Look for a misspelt name in the README's table of settings.",
        "README の設定一覧でつづりを確かめてください。",
    )


def check_desktop(system: str, environment: Mapping[str, str]) -> Finding:
    """Find out whether there is a desktop: JV-Link hangs where its dialogs cannot show (Windows only)."""
    if system != "Windows":
        return Finding("desktop", "skip", "Only Windows needs a desktop.", "デスクトップが要るのは Windows だけです。")
    if environment.get("SSH_CONNECTION") or environment.get("SESSIONNAME", "").lower() in ("", "services"):
        return Finding(
            "desktop",
            "warn",
            "This looks like a service or SSH session: JV-Link may hang in it.",
            "サービスまたは SSH のセッションのようです。JV-Link が停止することがあります。",
            "Run jvgate in the desktop session of the user who installed JV-Link (a task with 'only when logged on').",
            "JV-Link を入れたユーザーのデスクトップ (「ログオン時のみ実行」のタスク) で実行してください。",
        )
    return Finding("desktop", "ok", "There is a desktop session.", "デスクトップのセッションです。")


def check_port(settings: Settings) -> Finding:
    """Find out whether the server could listen."""
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as exc:
        if _is_jvgate(settings.host, settings.port):
            return Finding("port", "ok", f"A jvgate answers at {place} already.", f"{place} で jvgate が動作中です。")
        return Finding(
            "port",
            "fail",
            f"{place} cannot be listened on: {exc.strerror}.",
            f"{place} で待ち受けできません: {exc.strerror}",
            "Choose another port (JVGATE_PORT), or end the program that uses it.",
            "別のポート (JVGATE_PORT) にするか、使用中のプログラムを終了してください。",
        )
    return Finding("port", "ok", f"{place} is free.", f"{place} は空いています。")


def _is_jvgate(host: str, port: int) -> bool:
    """Whether what answers there says that it is healthy, as jvgate does."""
    host = _LOOPBACK.get(host, host)
    try:
        with socket.create_connection((host, port), _CONNECT_S) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b'"status":"ok"' in connection.recv(4096) + connection.recv(4096)
    except OSError:
        return False


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def environment() -> Mapping[str, str]:
    """Return the process's environment: looked at here and nowhere else in this room."""
    return os.environ
