"""The try: a session, a JVInit, an open of something small, what JV-Link is set to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from jvgate.doctor.findings import Finding
from jvgate.errors import ArchiveError, JVLinkError, NotInstalled, SessionTimeout, SourceError, WorkerFailed
from jvgate.sessions.pool import Pool
from jvgate.sessions.sources.source import Source
from jvgate.settings import Settings
from jvgate.spec.spec import Spec
from jvgate.values import Query

__all__ = ["check_source"]

TRY_LIMIT_S = 90.0
_SMALL = "YSCH"
_BACK = timedelta(days=400)

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
    -304: ("JRA-VAN has to permit the Racing Viewer for this software.",
           "レーシングビュアー連携の許可が要ります。JRA-VAN に確認してください。"),
    -401: ("Restart the PC; if it stays, install JV-Link anew.",
           "PC を再起動してください。直らなければ JV-Link を入れ直してください。"),
    -501: ("Choose 'no start kit' in the setup dialog.", "セットアップ画面で「スタートキットなし」を選んでください。"),
    -502: ("Look at the network and the free space of the disk, then try again.",
           "ネットワークとディスクの空きを確認し、再実行してください。"),
}  # fmt: skip
_SERVER_CODES = (-411, -412, -413, -421, -431)
_SERVER_ADVICE = (
    "JRA-VAN's server does not answer as it should: look at the network, a proxy or a firewall, and try again later.",
    "JRA-VAN のサーバーが正しく応答しません。ネットワークを確認し、時間をおいて再実行してください。",
)
_OTHER_ADVICE = (
    "Run the doctor again; if it stays, restart the PC, then install JV-Link anew.",
    "もう一度実行し、直らなければ PC の再起動、JV-Link の再インストールを試してください。",
)
_HANGS = (
    "Look at the desktop for a dialog of JV-Link and answer No or Cancel; run jvgate in a desktop session, "
    "not as a service or over SSH; end other JRA-VAN programs or restart the PC.",
    "デスクトップに JV-Link のダイアログがあれば「いいえ」か「キャンセル」を押してください。サービスや SSH ではなく"
    "デスクトップで実行し、他の JRA-VAN のソフトを終了するか PC を再起動してください。",
)
# What to do about errors that are not JV-Link's own.
_CURES: Mapping[type[SourceError], tuple[str, str]] = {
    SessionTimeout: _HANGS,
    ArchiveError: ("Give a folder of raw JV-Data: --source archive:DIR.",
                   "JV-Data の生データがあるフォルダーを --source archive:DIR で指定してください。"),
    WorkerFailed: ("See the findings above; for jvlink:, look whether JVGATE_WORKER_PYTHON starts; for agent://, "
                   "whether the agent runs and the tokens agree.",
                   "上の項目を確認してください。jvlink: では JVGATE_WORKER_PYTHON が起動するか、agent:// では"
                   "エージェントが動いていて合言葉が同じかを確認してください。"),
}  # fmt: skip
_OTHER_CURE = (
    "Mend what the message says, then run the doctor again.",
    "メッセージの内容を直してから再実行してください。",
)
_KEY_CODES = (-301, -302, -303)


def check_source(source: Source, spec: Spec, settings: Settings) -> list[Finding]:
    """Read something small through *source*, as the server would."""
    try:
        source.lanes(settings.sessions)
        source.check(spec)
        return [*_archive(source, spec), *asyncio.run(_try(source, spec, settings))]
    except TimeoutError:
        return [
            Finding(
                "source",
                "fail",
                f"Nothing came within {TRY_LIMIT_S:g} s.",
                f"{TRY_LIMIT_S:g} 秒以内に応答がありません。",
                *_HANGS,
            )
        ]
    except SourceError as exc:
        return [_failed(exc, spec)]


def _archive(source: Source, spec: Spec) -> list[Finding]:
    """Tell which files of an archive are passed over."""
    if source.archive is None:
        return []
    summary = source.archive(spec)
    if not summary.passed_over:
        told, told_ja = f"{summary.files} files of JV-Data.", f"JV-Data のファイル {summary.files} 個"
        return [Finding("archive", "ok", told, told_ja)]
    first = "; ".join(f"{file} ({why})" for file, why in summary.first)
    more = ", ..." if summary.passed_over > len(summary.first) else ""
    return [
        Finding(
            "archive",
            "warn",
            f"{summary.files} files of JV-Data; {summary.passed_over} are passed over or cannot be read: "
            f"{first}{more}.",
            f"JV-Data のファイル {summary.files} 個。使わない、または読めないもの {summary.passed_over} 個: "
            f"{first}{more}",
            "Move what is no JV-Data elsewhere; give jvgate the right to read the others.",
            "JV-Data でないものは別の場所に移し、ほかは読み取りの権限を確認してください。",
        )
    ]


async def _try(source: Source, spec: Spec, settings: Settings) -> list[Finding]:
    since = (source.clock.now() - _BACK).strftime("%Y%m%d%H%M%S")
    query = Query(_SMALL, from_time=since, option=1, provider=spec.provider)
    pool = Pool(source, spec, sessions=1, limit_bytes=settings.dataset_bytes, queue_limit=4)
    async with asyncio.timeout(TRY_LIMIT_S), pool:
        await pool.warm()
        facts = pool.sessions()[0].facts
        session = Finding(
            "session",
            "ok",
            f"A session lives: {_told(facts, spec)}.",
            f"セッションを開始できました: {_told(facts, spec)}",
        )
        dataset = await pool.read(query)
        told = f"{_SMALL}, {len(dataset.files)} files, {len(dataset.body)} bytes"
        read = Finding(
            "open", "ok", f"JVInit, JVOpen and reading work ({told}).", f"JVInit・JVOpen・読み込み OK ({told})"
        )
        setup = await pool.call("setup")
    return [session, read, _save_path(str(setup["save_path"]), spec)]


def _save_path(path: str, spec: Spec) -> Finding:
    """Tell whether the folder of JV-Link's own files is there; the service key is never asked for."""
    if not path:
        return Finding("save path", "skip", "This source keeps no files.", "このデータ元は保存先を使いません。")
    if os.name == "nt" and not Path(path).is_dir():
        return Finding("save path", "fail", f"{path} does not exist.", f"{path} がありません。", *_ADVICE[-211])
    return Finding("save path", "ok", f"{spec.link} keeps its files in {path}.", f"{spec.link} の保存先: {path}")


def _failed(error: SourceError, spec: Spec) -> Finding:
    if isinstance(error, JVLinkError):
        known = spec.return_codes.get(error.code, error.method)
        meaning_en, meaning_ja = (known.meaning_en, known.meaning_ja) if known else ("", "")
        en, ja = _ADVICE.get(error.code, _SERVER_ADVICE if error.code in _SERVER_CODES else _OTHER_ADVICE)
        check = "service key" if error.code in _KEY_CODES else "source"
        return Finding(
            check, "fail", _joined(error, meaning_en), _joined(error, meaning_ja), spec.in_words(en), spec.in_words(ja)
        )
    if isinstance(error, NotInstalled):
        return Finding(
            "source",
            "fail",
            f"{error}.",
            f"{spec.link} を使えません: {error}",
            "See the findings about registration and Python above.",
            "上の登録・Python の項目を確認してください。",
        )
    advice = next((words for kind, words in _CURES.items() if isinstance(error, kind)), _OTHER_CURE)
    return Finding("source", "fail", f"{error}.", f"データ元が使えません: {error}", *map(spec.in_words, advice))


def _joined(error: SourceError, meaning: str) -> str:
    return f"{error}: {meaning}" if meaning else str(error)


def _told(facts: Mapping[str, object], spec: Spec) -> str:
    return f"Python {facts.get('python')}, {facts.get('bits')} bits, {spec.link} {facts.get('version')}"
