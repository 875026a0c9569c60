"""Pieces of a stream: where it comes in and how it goes out change nothing of what it says."""

import itertools
import json
import random
import zlib
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jvgate.render.answers import render
from jvgate.render.formats.registry import FORMATS
from jvgate.render.pieces import PIECE_BYTES, Pieces
from jvgate.values import Question, Selection
from tests.raceday import GARBAGE, QUERY, dataset, race_day, record
from tests.specs import JRA

WRITERS = {word: FORMATS[word].stream for word in ("ndjson", "json", "raw")}
UNKNOWN = b"ZZ120261116 something new\r\n"
DAMAGED = record("SE")[:200] + b"?" * 10 + record("SE")[210:]
DAY = [*race_day(), UNKNOWN, GARBAGE, DAMAGED, record("HC")[:-20].rstrip() + b"\r\n"]
FEW = settings(max_examples=25, deadline=None)


def stream(batches, *, form="ndjson", compressor=None, **chosen):
    """The pieces that come of one file's batches."""
    selection = Selection(format=form, **chosen)
    pieces = Pieces(selection, WRITERS[form](Question("", (), selection), JRA), JRA.layouts, compressor)
    came = []
    pieces.put("a.jvd")
    assert pieces.make(is_due=True) == b""
    for batch in batches:
        pieces.put(batch)
        while piece := pieces.make(is_due=False):
            came.append(piece)
    return [*came, pieces.end({"last_file_timestamp": "20261116140000"})]


def lines(batches, **chosen):
    """The records and what the end says."""
    *records, end = [json.loads(line) for line in b"".join(stream(batches, **chosen)).splitlines()]
    return records, end["end"]


def answer(**chosen):
    question = Question("RACE", (QUERY,), Selection(**chosen))
    return json.loads(render(question, [dataset(*DAY)], JRA).answer.body)


@pytest.mark.parametrize(
    "chosen",
    [{}, {"records": ("SE",)}, {"fields": ("Umaban",)}, {"raw": True}, {"labels": "ja"}, {"limit": 3, "offset": 2},
     {"offset": 100}, {"limit": 0}, {"records": ("RA", "SE"), "offset": 1, "limit": 2}],
)  # fmt: skip
def test_a_stream_says_what_the_data_route_says(chosen):
    whole = answer(**chosen)
    shown, end = lines([b"".join(DAY)], **chosen)
    assert shown == whole["data"]
    facts = {name: value for name, value in end.items() if name != "digest"}
    assert {name: whole["meta"][name] for name in facts} == facts


def test_the_digest_is_of_what_was_read_not_of_what_is_shown():
    _, end = lines(DAY, records=("RA",))
    assert end["digest"] == "blake2b-128:" + blake2b(b"".join(DAY), digest_size=16).hexdigest()


def test_json_is_an_array_whose_last_element_is_the_end():
    *records, end = json.loads(b"".join(stream(DAY, form="json")))
    shown, expected = lines(DAY)
    assert (records, end["end"]) == (shown, expected)


@pytest.mark.parametrize(("form", "body"), [("ndjson", b""), ("json", b"["), ("raw", b"")])
def test_an_empty_stream_has_an_end_too(form, body):
    (piece,) = stream([], form=form)
    assert piece.startswith(body)
    assert (b'"total":0' in piece) is (form != "raw")


def test_raw_is_the_very_bytes():
    assert b"".join(stream(DAY, form="raw")) == b"".join(DAY)


def test_raw_of_some_record_types_is_their_very_bytes():
    assert b"".join(stream(DAY, form="raw", records=("HR", "RA"))) == DAY[0] + DAY[4]
    assert b"".join(stream(DAY, form="raw", offset=1, limit=2)) == DAY[1] + DAY[2]


@pytest.mark.parametrize("form", WRITERS)
def test_pieces_are_of_about_the_same_size(form):
    pieces = stream([b"".join(race_day()) * 200] * 2, form=form)
    assert len(pieces) > 5
    assert all(PIECE_BYTES <= len(piece) < 1.6 * PIECE_BYTES for piece in pieces[:-1])


def test_what_is_due_goes_out_however_little_it_is():
    selection = Selection(format="ndjson")
    pieces = Pieces(selection, WRITERS["ndjson"](Question("", (), selection), JRA), JRA.layouts)
    pieces.put(DAY[0])
    assert pieces.make(is_due=False) == b""
    assert not pieces.is_empty
    assert json.loads(pieces.make(is_due=True))["RecordSpec"] == "RA"
    assert pieces.is_empty


@pytest.mark.parametrize(("form", "is_stream"), [("csv", True), ("arrow", True), ("csv", False), ("arrow", False)])
def test_a_table_gives_a_part_of_a_batch_to_who_waits_for_it_and_to_no_file(form, is_stream):
    question = Question("RACE", (QUERY,), Selection(format=form, records=("SE",)))
    make = FORMATS[form].stream if is_stream else FORMATS[form].fetched
    pieces = Pieces(question.selection, make(question, JRA), JRA.layouts)
    for number in range(1, 4):
        pieces.put(record("SE", Umaban=number, Bamei="アイウ"[:number]))
        assert pieces.make(is_due=False) == b""
        assert pieces.is_empty is not is_stream
        due = pieces.make(is_due=True)
        assert (len(due) > 100) is is_stream
    assert pieces.is_empty


def test_a_raw_stream_of_some_records_is_their_very_bytes():
    stripped = record("HR").rstrip() + b"\r\n"
    raws = [record("RA"), stripped, record("HR"), stripped]
    assert b"".join(stream([b"".join(raws)], form="raw", records=("HR",))) == b"".join(raws[1:])


@FEW
@given(seed=st.integers(0, 1 << 32), form=st.sampled_from(list(WRITERS)))
def test_where_a_file_is_cut_into_batches_changes_nothing(seed, form):
    rng = random.Random(seed)
    data = b"".join(rng.choices(DAY, k=20))
    places = [0, *sorted(rng.choices(range(len(data)), k=5)), len(data)]
    batches = [data[a:b] for a, b in itertools.pairwise(places)]
    assert b"".join(stream(batches, form=form)) == b"".join(stream([data], form=form))


def test_each_file_is_framed_by_itself():
    selection = Selection(format="ndjson")
    pieces = Pieces(selection, WRITERS["ndjson"](Question("", (), selection), JRA), JRA.layouts)
    came = b""
    for name, batch in (("a", DAY[1][:100]), ("b", DAY[1])):
        pieces.put(name)
        assert pieces.make(is_due=False) == b""
        pieces.put(batch)
        came += pieces.make(is_due=True)
    came += pieces.end({})
    shown, end = map(json.loads, came.splitlines())
    assert shown["RecordSpec"] == "SE"
    assert (end["end"]["lost_bytes"], end["end"]["file_count"]) == (100, 2)
    assert end["end"]["damage"][0]["file"] == "a"


@pytest.mark.parametrize(("form", "told"), [("ndjson", True), ("json", False), ("raw", False)])
def test_what_breaks_off_is_told_where_the_form_can_and_has_no_end(form, told):
    selection = Selection(format=form)
    pieces = Pieces(selection, WRITERS[form](Question("", (), selection), JRA), JRA.layouts)
    pieces.put(DAY[0])
    assert pieces.make(is_due=False) == b""
    last = pieces.fail({"type": "/problems/session-lost"})
    assert (b'{"error":{"type":"/problems/session-lost"}}\n' in last) is told
    assert b'"end"' not in last
    assert DAY[0] in last or b'"RA"' in last


class Flushed:
    """Compresses so that each piece can be read as it comes."""

    def __init__(self):
        self._deflate = zlib.compressobj()

    def write(self, piece):
        return self._deflate.compress(piece) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self._deflate.flush()


def test_each_compressed_piece_can_be_read_as_it_comes():
    batches = [b"".join(race_day()) * 200]
    expand, plain = zlib.decompressobj(), stream(batches)
    expanded = [expand.decompress(piece) for piece in stream(batches, compressor=Flushed())]
    assert expanded == plain
    assert expand.eof
