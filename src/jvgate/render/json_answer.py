"""A walk -> the JSON answer: `{"meta": …, "data": [records]}`."""

from __future__ import annotations

import orjson

from jvgate.records.kinds import Errors
from jvgate.render.shown import RecordText
from jvgate.render.walk import Walk

__all__ = ["CONTENT_TYPE", "json_body", "record_texts"]

CONTENT_TYPE = "application/json"


def json_body(walk: Walk) -> bytes:
    """Return the answer as one JSON document."""
    texts = record_texts(walk)
    return b'{"meta":%b,"data":[%b]}' % (orjson.dumps(walk.facts()), b",".join(texts))


def record_texts(walk: Walk) -> list[bytes]:
    """Return the JSON objects of the shown records."""
    write, texts = RecordText(walk.question.selection), []
    for frame in walk.shown():
        errors: Errors = []
        texts.append(write(frame, errors))
        if errors:
            walk.note(errors)
    return texts
