"""Streams as clients read them: packed ones piece by piece as they come, tables with the tools that read tables."""

import csv
import io
import json
import zlib

import brotli
import httpx2
import lz4.frame
import polars as pl
import pyarrow as pa
import pytest
import zstandard

from tests.raceday import archive, race_day, record
from tests.records.rows import as_row, rows_of
from tests.waiting import wait_until
from tests.web.routes.test_stream import LATER, cut_short
from tests.web.wire import UNPACK, ask, chunks

URL = "/api/v1/stream/RACE?from_time=20261101"
RUNNERS = 300  # of NDJSON some 300 KB, three pieces


class Reader:
    """Takes what has come so far, gives what can be read of it.  is_at_end: whether the end mark has come."""

    def __init__(self, coding):
        decoder = {
            "br": brotli.Decompressor,
            "zstd": zstandard.ZstdDecompressor().decompressobj,
            "gzip": lambda: zlib.decompressobj(31),
            "deflate": zlib.decompressobj,
            "lz4": lz4.frame.LZ4FrameDecompressor,
        }[coding]()
        self._take = decoder.process if coding == "br" else decoder.decompress
        self._drain = decoder.process if coding == "br" else None  # it gives 32 KB at a time
        self.is_at_end = decoder.is_finished if coding == "br" else lambda: decoder.eof

    def read(self, piece):
        texts = [self._take(piece)]
        while self._drain and (more := self._drain(b"")):
            texts.append(more)
        return b"".join(texts)


@pytest.fixture(scope="module")
def field(serve, tmp_path_factory):
    """A server with more runners than a piece holds, in two files; one of them is damaged."""
    place = tmp_path_factory.mktemp("field")
    runners = [record("SE", Umaban=n % 18 + 1, Bamei="アイウエオ"[: n % 6], Futan=n % 9 + 50.5) for n in range(RUNNERS)]
    runners[7] = runners[7][:3] + b"2026X511" + runners[7][11:]
    archive(place, *race_day(), *runners[:200])
    archive(place, *runners[200:], name=LATER)
    return serve(f"archive:{place}?date=2026-11-18")


@pytest.mark.parametrize("coding", UNPACK)
def test_each_piece_of_a_packed_stream_can_be_read_as_soon_as_it_has_come(field, coding):
    head, pieces, is_whole = chunks(field, URL, accept_encoding=coding)
    reader, texts = Reader(coding), []
    for piece in pieces:
        assert not reader.is_at_end()
        texts.append(reader.read(piece))
        assert texts[-1].endswith(b"\n"), "some of it is held back"
    assert len(texts) > 2
    assert (is_whole, reader.is_at_end()) == (True, True)
    assert b"".join(texts) == ask(field, URL)[1]
    assert b"content-encoding: " + coding.encode() in head


@pytest.mark.parametrize("coding", UNPACK)
@pytest.mark.parametrize("form", ["json", "csv", "arrow", "raw"])
def test_every_form_that_is_streamed_is_the_same_packed(field, form, coding):
    url = f"{URL}&record=SE&format={form}"
    response, packed = ask(field, url, accept_encoding=coding)
    same = table if form == "arrow" else bytes  # how its records are cut into batches is a matter of time
    assert same(UNPACK[coding](packed)) == same(ask(field, url)[1])
    assert response.headers["content-encoding"] == coding
    assert not {"content-length", "etag"} & set(response.headers)
    head, nothing = ask(field, url, method="HEAD", accept_encoding=coding)
    assert (head.headers["content-encoding"], nothing) == (coding, b"")


def table(data):
    return pa.ipc.open_stream(data).read_all().to_pylist()


def test_a_client_that_unpacks_by_itself_sees_nothing_of_it(field):
    by_itself = httpx2.Client().headers["accept-encoding"]
    for route in (URL, URL.replace("stream", "data")):
        response = field.get(f"{route}&record=SE", headers={"accept-encoding": by_itself})
        assert response.headers["content-encoding"] in by_itself
        assert response.content == ask(field, f"{route}&record=SE")[1]


@pytest.fixture(scope="module")
def broken(serve, tmp_path_factory):
    """A server whose streams break off behind their first file."""
    return serve(f"archive:{cut_short(tmp_path_factory.mktemp('cut'), *race_day())}?date=2026-11-18")


@pytest.mark.parametrize("coding", UNPACK)
def test_a_packed_stream_that_breaks_off_says_why_and_has_no_end(broken, coding):
    _, pieces, is_whole = chunks(broken, URL, accept_encoding=coding)
    reader = Reader(coding)
    lines = b"".join(map(reader.read, pieces)).splitlines()
    assert (is_whole, reader.is_at_end()) == (False, False)
    assert [json.loads(line).get("RecordSpec") for line in lines[:6]] == ["RA", "SE", "SE", "SE", "HR", "O1"]
    assert json.loads(lines[-1])["error"]["jvlink"]["code"] == -403
    assert wait_until(lambda: broken.get("/readyz").json()["sessions"]["busy"] == 0)


@pytest.mark.parametrize("coding", ["identity", *UNPACK])
def test_nothing_found_is_a_whole_stream_in_every_coding(field, coding):
    _, pieces, is_whole = chunks(field, "/api/v1/stream/RACE?from_time=20261118", accept_encoding=coding)
    content = b"".join(pieces)
    (end,) = (content if coding == "identity" else UNPACK[coding](content)).splitlines()
    assert (is_whole, json.loads(end)["end"]["total"]) == (True, 0)


def told_by_json(client, chosen=""):
    """The same records as JSON, and what it tells at its end."""
    *records, last = json.loads(ask(client, f"{URL}&record=SE&format=json{chosen}")[1])
    return records, last["end"]


def read_by_arrow(data):
    return pa.ipc.open_stream(data).read_all()


def read_by_polars(data):
    return pl.read_ipc_stream(io.BytesIO(data)).to_arrow()


@pytest.mark.parametrize("read", [read_by_arrow, read_by_polars])
@pytest.mark.parametrize("chosen", ["", "&fields=Umaban,Bamei,ChakuUmaInfo.Bamei", "&where=Umaban=3&limit=5"])
def test_an_arrow_stream_says_what_json_says(field, read, chosen):
    rows = list(rows_of(read(ask(field, f"{URL}&record=SE&format=arrow{chosen}")[1])))
    records, _ = told_by_json(field, chosen)
    assert len(records) > 4
    for row, one in zip(rows, records, strict=True):
        expected = as_row(one, row)
        if chosen.startswith("&fields"):  # a table tells of the damage in its own columns only
            expected["_errors"] = None
        assert row == expected


def test_an_arrow_stream_tells_at_its_end_what_json_tells(field):
    reader = pa.ipc.open_stream(ask(field, f"{URL}&record=SE&format=arrow")[1])
    *_, (batch, told) = reader.iter_batches_with_custom_metadata()
    assert (batch.num_rows, json.loads(told[b"end"])) == (0, without_damage(told_by_json(field)[1]))


def without_damage(end):
    """What a table can tell: its damaged fields tell themselves."""
    return {name: fact for name, fact in end.items() if name not in ("damaged_records", "damaged_fields")}


@pytest.mark.parametrize(
    ("form", "name"),
    [("csv", "RACE_20261101000000_SE.csv"), ("arrow", "RACE_20261101000000_SE.arrows"),
     ("raw", "RACE_20261101000000_SE.jvd"), ("ndjson", None)],
)  # fmt: skip
def test_a_stream_that_is_saved_has_a_name(field, form, name):
    headers = field.head(f"{URL}&record=SE&format={form}").headers
    assert headers.get("content-disposition") == (name and f'attachment; filename="{name}"')


def test_an_arrow_stream_can_be_read_before_it_ends(field):
    """The schema and the first batches, from no more than has come."""
    _, pieces, _ = chunks(field, f"{URL}&record=SE&format=arrow", accept_encoding="zstd")
    reader = Reader("zstd")
    assert pa.ipc.read_schema(pa.py_buffer(reader.read(pieces[0]))).names[0] == "RecordSpec"


@pytest.mark.parametrize(("charset", "codec"), [("utf-8", "utf-8"), ("utf-8-bom", "utf-8-sig"), ("shift_jis", "cp932")])
def test_a_csv_stream_is_read_by_the_csv_module_up_to_the_line_that_ends_it(field, charset, codec):
    data = ask(field, f"{URL}&record=SE&format=csv&charset={charset}")[1]
    text, _, told = data.decode(codec).rpartition("# end ")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    records, end = told_by_json(field)
    assert json.loads(told) == without_damage(end)
    assert len(rows) == len(records) == RUNNERS + 3
    for row, one in zip(rows, records, strict=True):
        cells = {name: value for name, value in one.items() if not isinstance(value, list)}
        assert {name: row[name] for name in cells} == {name: as_cell(cells[name], row[name]) for name in cells}


def as_cell(value, text):
    """The cell of a value of the JSON; a number may be written in another way."""
    if value is None:
        return ""
    return text if not isinstance(value, str) and float(text) == value else str(value)


@pytest.mark.parametrize("form", ["csv", "arrow"])
@pytest.mark.parametrize("record_types", ["", "&record=RA,SE"])
def test_a_table_needs_one_record_type_and_says_which_there_are(field, form, record_types):
    response = field.get(f"{URL}{record_types}&format={form}")
    assert (response.status_code, response.json()["type"]) == (406, "/problems/one-record-needed")
    assert "record=RA, record=SE" in response.json()["allowed"]
