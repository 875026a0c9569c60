"""NDJSON: a JSON object in a line for every record, and a last line that proves that the others are whole."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import orjson

from jvgate.records.runs import RawRecord
from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import JsonTextWriter
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["FORMAT", "NdjsonAnswer", "NdjsonRecords", "NdjsonStream"]


class NdjsonStream(JsonTextWriter):
    """A line for every record, and a last one: `{"end": {…}}` or `{"error": {…}}`."""

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return a line for each record."""
        return self.texts(layout, raw, count, b"\n") + b"\n"

    def write_single(self, frame: RawRecord) -> bytes:
        """Return the line of the record."""
        return self.text(frame) + b"\n"

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last line."""
        return orjson.dumps({"end": facts}) + b"\n"

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return the last line of a stream that breaks off."""
        return orjson.dumps({"error": problem}) + b"\n"


class NdjsonAnswer(NdjsonStream):
    """A finished answer; its last line holds `meta` and the SHA-256 of all bytes before that line."""

    def __init__(self, question: Question, spec: Spec) -> None:
        super().__init__(question, spec)
        self._digest = sha256()

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Return a line for each record."""
        return self._digested(super().write(layout, raw, count))

    def write_single(self, frame: RawRecord) -> bytes:
        """Return the line of the record."""
        return self._digested(super().write_single(frame))

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last line."""
        told = {name: fact for name, fact in facts.items() if name != "offset"}
        return super().end({**told, "digest": f"sha256:{self._digest.hexdigest()}"})

    def _digested(self, lines: bytes) -> bytes:
        self._digest.update(lines)
        return lines


class NdjsonRecords(NdjsonStream):
    """Lines of records and nothing else."""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return nothing."""
        return b""


FORMAT = Format(
    word="ndjson",
    media_types=("application/x-ndjson", "application/jsonl"),
    suffixes=(".ndjson", ".jsonl"),
    is_text=True,
    answer=NdjsonAnswer,
    stream=NdjsonStream,
    fetched=NdjsonStream,
    decoded=NdjsonRecords,
)
