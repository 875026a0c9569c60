"""What the registry tells of an installed JV-Link: its DLL, its service, its service key, where it keeps its files.

JVOpen judges all of this itself, and the doctor tries that; what stands here says why, so it warns and never fails.
JRA-VAN documents none of these places.  Found alike in several public programs and notes that read them: the key
`JRA-VAN Data Lab.\\uid_pass` with servicekey, savepath and others, under WOW6432Node for the 32-bit one;
for the 64-bit one of SDK 5.0.0 a Wine installation of it.  The services: `behaviour`, section 6.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from jvgate.doctor.findings import Finding
from jvgate.doctor.installation import JV_LINK_CLSID
from jvgate.doctor.registry import Hive, Values
from jvgate.settings import Settings

__all__ = ["check_setup", "file_behind"]

PLACE = r"SOFTWARE\JRA-VAN Data Lab.\uid_pass"
SERVICES = {32: "JVLinkAgent", 64: "JVLink64Agent"}
_SERVICE_PATH = r"SYSTEM\CurrentControlSet\Services"
_CLASS_PATH = rf"SOFTWARE\Classes\CLSID\{JV_LINK_CLSID}\InprocServer32"
_HIVES: tuple[Hive, ...] = ("HKCU", "HKLM")  # in the order in which COM looks


def check_setup(settings: Settings, values: Values | None, *, python_bits: int) -> list[Finding]:
    """Tell what the registry says of each JV-Link that is registered; nothing where the source needs none."""
    if values is None or settings.source.partition(":")[0] != "jvlink":
        return []
    found: list[Finding] = []
    for bits in SERVICES:
        dlls = [dll for hive in _HIVES if (dll := values.read(hive, _CLASS_PATH, "", bits=bits))]
        if dlls:
            found += _missing_dlls(dlls, bits, python_bits)
            found.append(_service(values, bits))
            found.append(_service_key(values, bits))
            found += _save_path(values, bits)
    return found


def file_behind(dll: str, *, bits: int, python_bits: int) -> str:
    """Return the path under which a Python of *python_bits* finds the *dll* of a registration of *bits*.

    To programs of 32 bits, Windows shows SysWOW64 where they say System32, and the real one as Sysnative.
    """
    parts = list(PureWindowsPath(dll.strip('"')).parts)
    places = [index for index, part in enumerate(parts) if part.lower() == "system32"]
    if bits == python_bits or not places:
        return dll.strip('"')
    parts[places[0]] = "SysWOW64" if bits == 32 else "Sysnative"
    return str(PureWindowsPath(*parts))


def _missing_dlls(dlls: list[str], bits: int, python_bits: int) -> Iterator[Finding]:
    for dll in dlls:
        if not Path(file_behind(dll, bits=bits, python_bits=python_bits)).is_file():
            yield Finding(
                "dll",
                "warn",
                f"The {bits}-bit JV-Link is registered, but its file is not there: {dll}.",
                f"{bits} ビット版 JV-Link の登録はありますが、ファイルがありません: {dll}",
                "Install JV-Link anew.",
                "JV-Link をインストールし直してください。",
            )


def _service(values: Values, bits: int) -> Finding:
    name = SERVICES[bits]
    if values.is_set("HKLM", rf"{_SERVICE_PATH}\{name}", "ImagePath", bits=64):
        return Finding("service", "ok", f"The service {name} is registered.", f"サービス {name} が登録されています。")
    return Finding(
        "service",
        "warn",
        f"The service {name} of the {bits}-bit JV-Link is not registered.",
        f"{bits} ビット版 JV-Link のサービス {name} が登録されていません。",
        "If JVOpen hangs or gives -303, install JV-Link anew.",
        "JVOpen が戻らない、または -303 になる場合は、JV-Link をインストールし直してください。",
    )


def _service_key(values: Values, bits: int) -> Finding:
    try:
        is_set = values.is_set("HKLM", PLACE, "servicekey", bits=bits)
    except PermissionError:
        return Finding(
            "service key",
            "warn",
            "This user may not look whether a service key is set.",
            "このユーザーには、利用キーの有無を調べる権限がありません。",
            "Run jvgate as the user who installed JV-Link.",
            "JV-Link を入れたユーザーで実行してください。",
        )
    if is_set:
        return Finding(
            "service key",
            "ok",
            f"The {bits}-bit JV-Link has a service key (which is not read).",
            f"{bits} ビット版 JV-Link に利用キーが登録されています (値は読みません)。",
        )
    return Finding(
        "service key",
        "warn",
        f"No service key is set for the {bits}-bit JV-Link.",
        f"{bits} ビット版 JV-Link に利用キーが登録されていません。",
        "Enter the 17 characters of your JRA-VAN Data Lab. service key in JV-Link's settings.",
        "JV-Link 設定の画面で、JRA-VAN データラボの利用キー (17 桁) を入力してください。",
    )


def _save_path(values: Values, bits: int) -> Iterator[Finding]:
    path = values.read("HKLM", PLACE, "savepath", bits=bits)
    advice = (
        "Create that folder, or set another one in JV-Link's settings.",
        "そのフォルダーを作るか、JV-Link 設定の画面で保存先を変更してください。",
    )
    if not path:
        yield Finding(
            "save folder",
            "warn",
            f"No save folder is set for the {bits}-bit JV-Link.",
            f"{bits} ビット版 JV-Link の保存先が設定されていません。",
            *advice,
        )
    elif not Path(path).is_dir():
        yield Finding(
            "save folder",
            "warn",
            f"JV-Link's save folder does not exist: {path}.",
            f"JV-Link の保存先フォルダーがありません: {path}",
            *advice,
        )
    elif not _is_writable(path):
        yield Finding(
            "save folder",
            "warn",
            f"This user may not write to JV-Link's save folder: {path}.",
            f"このユーザーは JV-Link の保存先に書き込めません: {path}",
            "Allow it, or set a folder of your own in JV-Link's settings.",
            "書き込みを許可するか、JV-Link 設定の画面で別のフォルダーにしてください。",
        )
    else:
        yield Finding(
            "save folder",
            "ok",
            f"JV-Link's save folder can be written to: {path}.",
            f"JV-Link の保存先に書き込めます: {path}",
        )


def _is_writable(path: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=path):  # what os.access says of Windows folders is not true
            return True
    except OSError:
        return False
