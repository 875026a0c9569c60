"""The try: a session, a JVInit, an open of something small, what JV-Link is set to; and Redis, where one is set."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from jvgate.doctor.findings import Finding
from jvgate.errors import JVLinkError, NotInstalled, SourceError
from jvgate.gateway import source_of
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources import Source
from jvgate.settings import Settings
from jvgate.spec.returncodes import return_code
from jvgate.values import Query

__all__ = ["check_redis", "check_source"]

TRY_LIMIT_S = 90.0
_SMALL = "YSCH"
_BACK = timedelta(days=400)
_REDIS_S = 3.0

# What a person has to do, by JV-Link's return code: English, Japanese.
_ADVICE: Mapping[int, tuple[str, str]] = {
    -2: ("Run the first setup by hand once, on the desktop.", "最初のセットアップを一度デスクトップで行ってください。"),
    -211: ("Create the save path that JV-Link is set to, or set another one in its settings.",
           "JV-Link の設定にある保存先フォルダーを作るか、設定し直してください。"),
    -301: ("The service key is wrong or used on another machine; look into JV-Link's settings, else ask JRA-VAN.",
           "利用キーが誤っているか、別の PC で使われています。JV-Link の設定を確認してください。"),
    -302: ("The subscription has run out: renew it with JRA-VAN.", "利用キーの期限切れです。契約を更新してください。"),
    -303: ("Enter the service key in JV-Link's settings; if it is there, restart the PC.",
           "JV-Link の設定で利用キーを入力してください。入力済みなら PC を再起動してください。"),
    -305: ("Accept the terms of use in JV-Link's dialog, on the desktop.",
           "利用規約に同意してください (デスクトップで)。"),
    -504: ("JRA-VAN is under maintenance: try again later.", "メンテナンス中です。時間をおいてください。"),
}  # fmt: skip
_KEY_CODES = (-301, -302, -303)


def check_source(settings: Settings) -> list[Finding]:
    """Read something small through the settings' source, as the server would."""
    source = source_of(settings)
    try:
        source.lanes(settings.sessions)
        source.check()
        return asyncio.run(_try(source, settings))
    except TimeoutError:
        return [
            Finding("source", "fail", f"Nothing came within {TRY_LIMIT_S:g} s.",
                    f"{TRY_LIMIT_S:g} 秒以内に応答がありません。", "Look at the desktop for a dialog of JV-Link.",
                    "JV-Link のダイアログが出ていないか、デスクトップを確認してください。")
        ]  # fmt: skip
    except SourceError as exc:
        return [_failed(exc)]


def check_redis(settings: Settings) -> Finding:
    """Say PING to the Redis of the settings, where one is set; its password is never shown."""
    url = str(getattr(settings, "redis_url", "") or "")
    if not url:
        return Finding(
            "redis", "skip", "No Redis is set; memory alone is used.", "Redis は設定されていません (メモリのみ)。"
        )
    place = urlsplit(url)
    shown = f"{place.hostname}:{place.port or 6379}"
    try:
        with socket.create_connection((place.hostname or "", place.port or 6379), _REDIS_S) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as exc:
        return Finding("redis", "fail", f"No Redis answers at {shown} ({exc}).",
                       f"Redis ({shown}) に接続できません ({exc})。",
                       "jvgate works without it; start it, or remove the setting.",
                       "なくても動作します。起動するか、設定を外してください。")  # fmt: skip
    if answer.startswith((b"+PONG", b"-NOAUTH")):
        return Finding("redis", "ok", f"Redis answers at {shown}.", f"Redis ({shown}) に接続できます。")
    return Finding("redis", "fail", f"What answers at {shown} is no Redis.", f"{shown} は Redis ではありません。",
                   "Correct the setting.", "設定を直してください。")  # fmt: skip


async def _try(source: Source, settings: Settings) -> list[Finding]:
    since = (source.now() - _BACK).strftime("%Y%m%d%H%M%S")
    query = Query(_SMALL, from_time=since, option=1)
    pool = Pool(source, sessions=1, limit_bytes=settings.dataset_bytes, queue_limit=4)
    async with asyncio.timeout(TRY_LIMIT_S), pool:
        await pool.warm()
        facts = pool.sessions()[0].facts
        session = Finding(
            "session", "ok", f"A session lives: {_told(facts)}.", f"セッションを開始できました: {_told(facts)}"
        )
        dataset = await pool.read(query)
        told = f"{_SMALL}, {len(dataset.files)} files, {len(dataset.body)} bytes"
        read = Finding(
            "open", "ok", f"JVInit, JVOpen and reading work ({told}).", f"JVInit・JVOpen・読み込み OK ({told})"
        )
        setup = await pool.call("setup")
    return [session, read, _save_path(str(setup["save_path"]))]


def _save_path(path: str) -> Finding:
    """Tell whether the folder of JV-Link's own files is there; the service key is never asked for."""
    if not path:
        return Finding("save path", "skip", "This source keeps no files.", "このデータ元は保存先を使いません。")
    if os.name == "nt" and not Path(path).is_dir():
        return Finding("save path", "fail", f"{path} does not exist.", f"{path} がありません。", *_ADVICE[-211])
    return Finding("save path", "ok", f"JV-Link keeps its files in {path}.", f"JV-Link の保存先: {path}")


def _failed(error: SourceError) -> Finding:
    if isinstance(error, JVLinkError):
        known = return_code(error.code, error.method)
        meaning_en, meaning_ja = (known.meaning_en, known.meaning_ja) if known else ("", "")
        en, ja = _ADVICE.get(error.code, (known.action if known else "", known.action if known else ""))
        check = "service key" if error.code in _KEY_CODES else "source"
        return Finding(check, "fail", f"{error}: {meaning_en}.", f"{error}: {meaning_ja}", en, ja)
    if isinstance(error, NotInstalled):
        return Finding("source", "fail", f"{error}.", f"JV-Link を使えません: {error}",
                       "See the findings about registration and Python above.",
                       "上の登録・Python の項目を確認してください。")  # fmt: skip
    return Finding("source", "fail", f"{error}.", f"データ元が使えません: {error}",
                   "Mend what the message says, then run the doctor again.",
                   "メッセージの内容を直してから再実行してください。")  # fmt: skip


def _told(facts: Mapping[str, object]) -> str:
    return f"Python {facts.get('python')}, {facts.get('bits')} bits, JV-Link {facts.get('version')}"
