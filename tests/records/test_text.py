"""A record's text says what its values say, and what was wrong with it."""

import orjson
import pytest

from jvgate.errors import RecordError
from jvgate.records.decode import decode
from jvgate.records.encode import encode
from jvgate.records.text import text_writer
from tests.specs import JRA

RAW = encode(
    {"RecordSpec": "SE", "DataKubun": "7", "Bamei": '引用"符\\', "ChakuUmaInfo": [{"Bamei": "アイ"}]}, JRA.layouts
)


def written(raw):
    errors = []
    return text_writer(JRA.layouts.get(raw[:2].decode(), len(raw)))(raw, errors), errors


def test_text_and_values_say_the_same():
    text, errors = written(RAW)
    assert orjson.loads(text) == decode(RAW, JRA.layouts)
    assert errors == []
    assert text == orjson.dumps(decode(RAW, JRA.layouts))  # to the byte: one form of JSON everywhere


def test_what_was_wrong_stands_in_the_text_and_in_the_list():
    text, errors = written(RAW[:288] + b"5x5" + RAW[291:])
    assert orjson.loads(text)["_errors"] == errors
    assert errors == [{"field": "Futan", "offset": 288, "raw": "5x5", "why": "not digits"}]


def test_a_field_inside_a_group_is_told_by_its_whole_name():
    _, errors = written(RAW[:393] + b"12345x7890" + RAW[403:])
    assert [(error["field"], error["offset"]) for error in errors] == [("ChakuUmaInfo.KettoNum", 393)]


def test_a_record_of_another_length_is_refused():
    with pytest.raises(RecordError, match="554 bytes, not 555"):
        text_writer(JRA.layouts.current("SE"))(RAW[:-1], [])
