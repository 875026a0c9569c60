"""The parameters of the routes that give data, described once in both languages; `question.py` reads them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from jvgate.question import MAX_LIMIT

__all__ = ["Charset", "Dataspec", "FormatWord", "data_parameters"]

_FROM = (
    "Stored data: files provided after this time (JST), YYYYMMDD or YYYYMMDDhhmmss. "
    "蓄積系: この日時より後に提供されたファイル (日本時間)。"
)
_TO = "Stored data: and not after this time; a day alone means its 00:00:00. 蓄積系: この日時まで。"
_OPTION = "1 normal, 2 this week, 3 and 4 setup. 1 通常, 2 今週, 3・4 セットアップ。"
_KEY = (
    "Real-time data: a race (YYYYMMDDJJRR or YYYYMMDDJJKKHHRR), a day (YYYYMMDD) or an event's parameter. "
    "速報系: レースキー・開催日・イベントの通知パラメータ。"
)
_RECORD = "Record types, comma-separated or repeated. レコード種別 (カンマ区切り・繰り返し可)。"
_WHERE = (
    "Conditions on single fields, repeatable; all must hold: JyoCD=05,06 or RaceNum=9..12 or date=20261101..20261130. "
    "項目の条件 (繰り返すとすべてを満たすもの)。"
)
_FIELDS = "Fields, comma-separated, dotted inside groups (PayTansyo.Pay). 項目名 (繰り返し部は PayTansyo.Pay)。"
_LIMIT = f"At most so many records, 0 to {MAX_LIMIT}. 最大件数。"
_OFFSET = "After leaving out so many. 読み飛ばす件数。"
_RAW = "1: every field's characters as they stand. 1 で各項目を文字のまま返す。"
_LABELS = "ja or en: the code tables' words beside the codes. コードの内容を併記 (ja・en)。"

Dataspec = Annotated[str, Path(description="RACE, DIFN, 0B12, …; stored ones may be joined. データ種別ID。")]
# The values of both stand in the OpenAPI description as the formats declare them (`pages/docs.py`).
FormatWord = Annotated[str | None, Query(description="The format; wins over Accept. 形式 (Accept より優先)。")]
Charset = Annotated[str | None, Query(description="The charset of CSV. CSV の文字コード。")]


async def data_parameters(
    from_time: Annotated[str | None, Query(description=_FROM)] = None,
    to_time: Annotated[str | None, Query(description=_TO)] = None,
    option: Annotated[str | None, Query(description=_OPTION)] = None,
    key: Annotated[str | None, Query(description=_KEY)] = None,
    record: Annotated[list[str] | None, Query(description=_RECORD)] = None,
    where: Annotated[list[str] | None, Query(description=_WHERE)] = None,
    fields: Annotated[list[str] | None, Query(description=_FIELDS)] = None,
    limit: Annotated[str | None, Query(description=_LIMIT)] = None,
    offset: Annotated[str | None, Query(description=_OFFSET)] = None,
    raw: Annotated[str | None, Query(description=_RAW)] = None,
    labels: Annotated[str | None, Query(description=_LABELS)] = None,
) -> None:
    """Describe them to the reference; a route depends on this and takes nothing from it."""
