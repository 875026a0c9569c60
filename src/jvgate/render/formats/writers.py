"""The writer of a format, and what the writers of JSON text and of whole documents share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from jvgate.records.kinds import Errors
from jvgate.records.runs import RawRecord, RecordRun
from jvgate.render.shown import RecordText, RecordValues
from jvgate.render.tally import Damaged
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["DocumentWriter", "JsonTextWriter", "RecordWriter"]


class RecordWriter(ABC):
    """Turns records into the bytes of one body, which is what the methods return, in the order of the calls.

    `begin` comes first, then the records in groups of one layout, then `end` with the facts of them all, or `fail`.
    A body that was cut off must not pass for a whole one: its end tells the facts, or is missing.

    damaged: the damage inside the records written so far; None for a format that does not count it.
    held_bytes: the size of the records written so far that the writer keeps until `end`.
    is_verbatim: the records are written as they came, so that bytes of unselected data can be passed on unread.
    """

    damaged: Damaged | None = None
    held_bytes = 0
    is_verbatim = False

    def begin(self) -> bytes:
        """Return the bytes in front of all records."""
        return b""

    @abstractmethod
    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Write *count* records of *layout*, one behind the other; return the bytes that are ready, maybe none."""

    @abstractmethod
    def write_single(self, frame: RawRecord) -> bytes:
        """Write one record that is no part of a run: of unknown type or length, padded back, between others."""

    @property
    def has_rest(self) -> bool:
        """Whether records wait for more to be written with them, while a client waits for them."""
        return False

    def rest(self) -> bytes:
        """Write the records that wait."""
        return b""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the bytes behind all records.  facts: counts, last file timestamp, digest."""
        return b""

    def fail(self, problem: Mapping[str, object]) -> bytes:
        """Return the bytes that say that the rest of the records cannot be read; none where a format cannot."""
        return b""

    def write_item(self, item: RecordRun | RawRecord) -> bytes:
        """Write a run or a single record."""
        if isinstance(item, RecordRun):
            return self.write(item.layout, item.raw, item.count)
        return self.write_single(item)


class JsonTextWriter(RecordWriter):
    """A format that holds the JSON text of every record."""

    def __init__(self, question: Question, spec: Spec) -> None:
        self.damaged: Damaged = Damaged()
        self._text = RecordText(question.selection, spec)

    def texts(self, layout: Layout, raw: bytes, count: int, separator: bytes) -> bytes:
        """Return the JSON objects of *count* records with *separator* between them."""
        damaged: list[Errors] = []
        texts = self._text.run(RecordRun.of(raw, layout), damaged, separator=separator)
        for errors in damaged:
            self.damaged.note(errors)
        return texts

    def text(self, frame: RawRecord) -> bytes:
        """Return the JSON object of one record: its type and characters where its layout is unknown."""
        errors: Errors = []
        text = self._text(frame, errors)
        self.damaged.note(errors)
        return text


class DocumentWriter(RecordWriter):
    """A format that states the number of records first: their values stay in memory until `end` encodes them."""

    def __init__(self, question: Question, spec: Spec) -> None:
        self.damaged: Damaged = Damaged()
        self._values = RecordValues(question.selection, spec)
        self._data: list[Any] = []

    def write(self, layout: Layout, raw: bytes, count: int) -> bytes:
        """Keep the records."""
        return b"".join(map(self.write_single, RecordRun.of(raw, layout).records()))

    def write_single(self, frame: RawRecord) -> bytes:
        """Keep the record."""
        errors: Errors = []
        kept, size = self.kept(self._values(frame, errors))
        self._data.append(kept)
        self.held_bytes += size
        self.damaged.note(errors)
        return b""

    @abstractmethod
    def kept(self, values: dict[str, Any]) -> tuple[Any, int]:
        """Return the form in which a record waits for the end, and its size in bytes."""

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the document `{"meta": …, "data": [records]}`."""
        return self.encoded({"meta": facts, "data": self._data})

    @abstractmethod
    def encoded(self, document: Mapping[str, Any]) -> bytes:
        """Return the bytes of *document*."""
