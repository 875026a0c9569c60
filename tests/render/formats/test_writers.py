"""The writer of a format: its methods in their order, the damage it counts, and what it keeps."""

import orjson

from jvgate.records.runs import RawRecord, RecordRun
from jvgate.render.formats.writers import DocumentWriter, JsonTextWriter, RecordWriter
from jvgate.values import Question, Selection
from tests.raceday import record
from tests.specs import JRA

SE = JRA.layouts.current("SE")
RUNNERS = [record("SE", Umaban=number) for number in (1, 2, 3)]
BROKEN = RUNNERS[0][:28] + b"x1" + RUNNERS[0][30:]
UNKNOWN = RawRecord.of(b"ZZ new\r\n", None)


class Lines(JsonTextWriter):
    def write(self, layout, raw, count):
        return self.texts(layout, raw, count, b";")

    def write_single(self, frame):
        return self.text(frame)


class Document(DocumentWriter):
    def kept(self, values):
        return values["RecordSpec"], 10

    def encoded(self, document):
        return orjson.dumps(document)


class Least(RecordWriter):
    def write(self, layout, raw, count):
        return b"%d x %b " % (count, layout.record.encode())

    def write_single(self, frame):
        return b"1 x %b " % frame.head


def made(kind, **chosen):
    return kind(Question("RACE", (), Selection(**chosen)), JRA)


def test_a_writer_needs_no_more_than_a_way_to_write_records():
    writer = Least()
    assert (writer.begin(), writer.end({"total": 1}), writer.fail({"status": 500}), writer.rest()) == (b"",) * 4
    assert (writer.damaged, writer.held_bytes, writer.has_rest, writer.is_verbatim) == (None, 0, False, False)


def test_a_run_is_written_together_and_a_record_by_itself():
    writer = Least()
    assert writer.write_item(RecordRun.of(b"".join(RUNNERS), SE)) == b"3 x SE "
    assert writer.write_item(UNKNOWN) == b"1 x ZZ "


def test_texts_have_the_separator_between_them_alone():
    texts = made(Lines, fields=("Umaban",)).write(SE, b"".join(RUNNERS), 3)
    assert texts == b'{"Umaban":1};{"Umaban":2};{"Umaban":3}'


def test_damage_inside_records_is_counted_in_runs_and_alone():
    for kind in (Lines, Document):
        writer = made(kind)
        writer.write(SE, RUNNERS[0] + BROKEN + RUNNERS[1], 3)
        assert writer.damaged.facts() == {"damaged_records": 1, "damaged_fields": 1}
        writer.write_single(RawRecord.of(BROKEN, SE))
        assert writer.damaged.facts() == {"damaged_records": 2, "damaged_fields": 2}


def test_an_unknown_record_is_its_characters_and_no_damage():
    writer = made(Lines)
    assert orjson.loads(writer.write_single(UNKNOWN)) == {"RecordSpec": "ZZ", "_raw": "ZZ new\r\n"}
    assert writer.damaged.records == 0


def test_a_document_is_written_at_its_end_and_tells_what_it_holds_until_then():
    writer = made(Document)
    assert writer.write(SE, RUNNERS[0] + RUNNERS[1], 2) + writer.write_single(UNKNOWN) == b""
    assert writer.held_bytes == 30
    assert writer.end({"total": 3}) == b'{"meta":{"total":3},"data":["SE","SE","ZZ"]}'
