"""The declaration of every parameter of the data routes and of the purge: its type, bounds, meaning and example.

Parsing, OpenAPI, the members of a batch, the flags of the commands and shell completion derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["DATASPEC", "PARAMETERS", "PURGE", "Boolean", "Integer", "Parameter", "Text", "Type", "Words", "by_name"]


@dataclass(frozen=True, slots=True)
class Words:
    """One of *words*; none are listed where only the registered formats know them.

    is_integer: the words are whole numbers.
    """

    words: tuple[str, ...] = ()
    is_integer: bool = False


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from *minimum* to *maximum*, both allowed."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Boolean:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches *pattern* from its begin to its end.  form: the pattern in words."""

    pattern: str
    form: str


Type = Words | Integer | Boolean | Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a request.

    type: of one value.
    meaning, meaning_ja: one sentence each.
    example: a value that may be given.
    family: the kind of data that takes it; "" for both.
    is_list: several values may be given, one `name=` each, and in one value with *separator* between them.
    max_values: how many of them at most; 0 for any number.
    is_path: it is a part of the path.
    slug: the problem of a wrong value; "" for `invalid-<name>`.
    refuses_empty: an empty value is that problem too, not `empty-parameter`.
    commands: those of `fetch`, `decode` and `record` that have it as a flag.
    flag: the name of this flag; "" for `--<name>`.
    """

    name: str
    type: Type
    meaning: str
    meaning_ja: str
    example: str
    family: Literal["", "stored", "real-time"] = ""
    is_required: bool = False
    is_list: bool = False
    separator: str = ""
    max_values: int = 0
    is_path: bool = False
    slug: str = ""
    refuses_empty: bool = False
    commands: tuple[str, ...] = ()
    flag: str = ""

    @property
    def problem(self) -> str:
        """The slug of the problem that refuses a wrong value."""
        return self.slug or f"invalid-{self.name.replace('_', '-')}"

    @property
    def words(self) -> tuple[str, ...]:
        """The declared words; none for a type that lists none."""
        return self.type.words if isinstance(self.type, Words) else ()


def by_name(*parameters: Parameter) -> Mapping[str, Parameter]:
    """Return name -> parameter."""
    return {parameter.name: parameter for parameter in parameters}


_TIME = Text(
    r"[0-9]{8}([0-9]{6})?",
    "YYYYMMDD or YYYYMMDDhhmmss, Japan Standard Time, for example 20260501 or 20260501120000",
)
_DAY = Text(r"[0-9]{8}", "YYYYMMDD")
_RACE = Text(r"[0-9]{8}[0-9A-Z]{2}([0-9]{4})?[0-9]{2}", "YYYYMMDDJJRR or YYYYMMDDJJKKHHRR")
_KEY = Text(
    r"[0-9]{8}([0-9A-Z]{2}([0-9]{4})?[0-9]{2})?|[A-Z][A-Z0-9][0-9]{8}[0-9A-Z]{2}[0-9]{16}",
    "YYYYMMDD, YYYYMMDDJJRR, YYYYMMDDJJKKHHRR or an event's TTYYYYMMDDJJRRNNNNNNNNNNNNNN",
)
_DATASPECS = Text(r"([A-Z]{4})+|0B[0-9A-Z]{2}", "RACE, RACEDIFN or 0B12")
_RECORD = r"[A-Z][A-Z0-9]"
_FIELD = r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*"
_EVERYWHERE = ("fetch", "decode")

DATASPEC = Parameter(
    name="dataspec",
    type=_DATASPECS,
    meaning="RACE, DIFN, 0B12, …; stored ones may be joined (RACEDIFN).",
    meaning_ja="データ種別ID。蓄積系は連結できます。",
    example="RACE",
    is_required=True,
    is_path=True,
    slug="unknown-dataspec",
)

PARAMETERS: Mapping[str, Parameter] = by_name(
    Parameter(
        name="from_time",
        type=_TIME,
        meaning="files provided after this time (JST), YYYYMMDD or YYYYMMDDhhmmss.",
        meaning_ja="この日時より後に提供されたファイル (日本時間)。",
        example="20261101",
        family="stored",
        refuses_empty=True,
        commands=("fetch", "record"),
        flag="--from",
    ),
    Parameter(
        name="to_time",
        type=_TIME,
        meaning="and not after this time; a day alone means its 00:00:00.",
        meaning_ja="この日時まで。日付のみは 00:00:00。",
        example="20261108",
        family="stored",
        refuses_empty=True,
        commands=("fetch", "record"),
        flag="--to",
    ),
    Parameter(
        name="option",
        type=Words(("1", "2", "3", "4"), is_integer=True),
        meaning="1 normal, 2 this week, 3 and 4 setup.",
        meaning_ja="1 通常、2 今週、3・4 セットアップ。",
        example="1",
        family="stored",
        refuses_empty=True,
        commands=("fetch", "record"),
    ),
    Parameter(
        name="key",
        type=_KEY,
        meaning="a race (YYYYMMDDJJRR or YYYYMMDDJJKKHHRR), a day (YYYYMMDD) or an event's parameter.",
        meaning_ja="レースキー・開催日・イベントの通知パラメータ。",
        example="202611220511",
        family="real-time",
        refuses_empty=True,
        commands=("fetch", "record"),
    ),
    Parameter(
        name="record",
        type=Text(f"{_RECORD}(,{_RECORD})*", "RA,SE"),
        meaning="Record types, comma-separated or repeated.",
        meaning_ja="レコード種別 (カンマ区切り・繰り返し可)。",
        example="RA,SE",
        is_list=True,
        separator=",",
        slug="unknown-record",
        commands=(*_EVERYWHERE, "record"),
    ),
    Parameter(
        name="where",
        type=Text(r"[^=]+=.+", "Field=value"),
        meaning="Conditions on single fields, repeatable; all must hold: JyoCD=05,06 or RaceNum=9..12 or "
        "date=20261101..20261130.",
        meaning_ja="項目の条件 (繰り返すとすべてを満たすもの)。",
        example="JyoCD=05",
        is_list=True,
        max_values=20,
        commands=_EVERYWHERE,
    ),
    Parameter(
        name="fields",
        type=Text(f"{_FIELD}(,{_FIELD})*", "Bamei,Umaban"),
        meaning="Fields, comma-separated or repeated, dotted inside groups (PayTansyo.Pay).",
        meaning_ja="項目名 (カンマ区切り・繰り返し可、繰り返し部は PayTansyo.Pay)。",
        example="Umaban,Bamei",
        is_list=True,
        separator=",",
        slug="unknown-field",
        commands=_EVERYWHERE,
    ),
    Parameter(
        name="limit",
        type=Integer(0, 1_000_000),
        meaning="Maximum number of records.",
        meaning_ja="最大件数。",
        example="100",
        refuses_empty=True,
        commands=("fetch",),
    ),
    Parameter(
        name="offset",
        type=Integer(0, 999_999_999_999),  # whatever is longer than a page can be read page by page to its end
        meaning="Number of records to skip.",
        meaning_ja="読み飛ばす件数。",
        example="100",
        refuses_empty=True,
        commands=("fetch",),
    ),
    Parameter(
        name="format",
        type=Words(),
        meaning="The format; wins over Accept, and over the ending of a file's name.",
        meaning_ja="形式 (Accept や拡張子より優先)。",
        example="json",
        slug="unknown-format",
        commands=_EVERYWHERE,
    ),
    Parameter(
        name="charset",
        type=Words(),
        meaning="The charset of a text format such as csv.",
        meaning_ja="CSV などの文字コード。",
        example="utf-8",
        commands=_EVERYWHERE,
    ),
    Parameter(
        name="raw",
        type=Boolean(),
        meaning="Every field's characters as they stand.",
        meaning_ja="各項目を文字のまま返す。",
        example="true",
        refuses_empty=True,
        commands=_EVERYWHERE,
    ),
    Parameter(
        name="labels",
        type=Words(("ja", "en")),
        meaning="The code tables' words beside the codes, in Japanese or English.",
        meaning_ja="コードの内容を併記 (日本語・英語)。",
        example="ja",
        commands=_EVERYWHERE,
    ),
)
"""The query parameters of data and stream, which are the members of a batch's entries too."""

PURGE: Mapping[str, Parameter] = by_name(
    Parameter(
        name="dataspec",
        type=Text(r"[A-Z]{4}|0B[0-9A-Z]{2}", "RACE or 0B12"),
        meaning="RACE, 0B12, …: one data spec.",
        meaning_ja="データ種別ID。",
        example="RACE",
        slug="unknown-dataspec",
    ),
    Parameter(
        name="race",
        type=_RACE,
        meaning="YYYYMMDDJJRR or YYYYMMDDJJKKHHRR: a race.",
        meaning_ja="レースキー。",
        example="202611220511",
        slug="invalid-key",
    ),
    Parameter(
        name="date",
        type=_DAY,
        meaning="YYYYMMDD: a day of racing.",
        meaning_ja="開催日。",
        example="20261122",
        slug="invalid-key",
    ),
    Parameter(
        name="record",
        type=Text(_RECORD, "RA or SE"),
        meaning="RA, SE, …: a record type.",
        meaning_ja="レコード種別。",
        example="RA",
        slug="unknown-record",
    ),
    Parameter(
        name="all",
        type=Words(("1",)),
        meaning="1: everything.",
        meaning_ja="1 で全件。",
        example="1",
        slug="invalid-purge",
        refuses_empty=True,
    ),
)
"""The parameters of `DELETE /api/v1/cache`, which are the flags of `jvgate cache purge` too."""
