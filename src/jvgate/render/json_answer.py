"""A walk -> the JSON answer: `{"meta": …, "data": [records]}`."""

from __future__ import annotations

import orjson

from jvgate.records.framing import Run
from jvgate.records.kinds import Errors
from jvgate.render.shown import RecordText
from jvgate.render.walk import Walk

__all__ = ["CONTENT_TYPE", "json_body", "record_texts"]

CONTENT_TYPE = "application/json"


def json_body(walk: Walk) -> bytes:
    """Return the answer as one JSON document."""
    data = record_texts(walk, separator=b",")
    return b'{"meta":%b,"data":[%b]}' % (orjson.dumps(walk.facts()), data)


def record_texts(walk: Walk, *, separator: bytes) -> bytes:
    """Return the JSON objects of the shown records, with *separator* between them."""
    write, texts = RecordText(walk.question.selection, walk.spec), []
    for item in walk.runs():
        damaged: list[Errors] = []
        if isinstance(item, Run):
            texts.append(write.run(item, damaged, separator=separator))
        else:
            errors: Errors = []
            texts.append(write(item, errors))
            damaged.append(errors)
        for errors in damaged:
            walk.note(errors)
    return separator.join(texts)
