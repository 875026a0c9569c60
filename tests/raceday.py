"""A race day as raw records, small enough to be read by eye: what tests put into archives and datasets."""

from pathlib import Path
from typing import Any

from jvgate.records.encode import encode
from jvgate.records.framing import frames
from jvgate.records.runs import Damage, RawRecord
from jvgate.records.scan import Scan, scan
from jvgate.values import Dataset, Query, SourceFile
from tests.specs import JRA

DAY = "20261115"
RACE_KEY = "202611150511"
PROVIDED = "20261116140000"
FILE_NAME = f"RAVM{DAY}{PROVIDED}.jvd"
QUERY = Query("RACE", from_time="20261101000000", option=1)
GARBAGE = b"no record of any kind\r\n"

_HEAD = {
    "DataKubun": "7", "MakeDate": "2026-11-16", "Year": 2026, "MonthDay": "11-15", "JyoCD": "05", "Kaiji": 5,
    "Nichiji": 4, "RaceNum": 11,
}  # fmt: skip


def record(kind: str, *, length: int | None = None, **values: Any) -> bytes:
    """The bytes of one record of race 11, Tokyo, 15 November 2026."""
    known = {field.key for layout in JRA.layouts.generations(kind) for field in layout.fields}
    head = {name: value for name, value in _HEAD.items() if name in known}
    return encode({"RecordSpec": kind, **head, **values}, JRA.layouts, length=length)


def race_day() -> list[bytes]:
    """One race: RA, three SE, HR and O1."""
    runners = [record("SE", Umaban=number, Bamei="アイウ"[:number]) for number in (1, 2, 3)]
    return [record("RA", Hondai="テスト記念"), *runners, record("HR"), record("O1")]


def scan_of(body: bytes) -> Scan:
    """The scan of a dataset of one file."""
    return scan(body, JRA.layouts)


def frames_of(*chunks: bytes) -> list[RawRecord | Damage]:
    """The records of a stream that comes in *chunks*, and what was lost between them."""
    return list(frames(chunks, JRA.layouts))


def archive(folder: Path, *records: bytes, dataspec: str = "RACE", name: str = FILE_NAME) -> Path:
    """Put one file of *records* into the archive at *folder*, and return that."""
    (folder / dataspec).mkdir(parents=True, exist_ok=True)
    (folder / dataspec / name).write_bytes(b"".join(records))
    return folder


def dataset(*records: bytes, query: Query = QUERY, name: str = "a.jvd", read_at: float = 0.0) -> Dataset:
    """What JV-Link would have given for *query*: one file, or nothing."""
    files = (SourceFile(name, PROVIDED, 0),) if records else ()
    provided = PROVIDED if records else ""
    return Dataset.landed(query, b"".join(records), files, provided, read_at, layouts=JRA.layouts)
