"""One record as its JSON text or as values, as a selection asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from jvgate.records.characters import character_decoder
from jvgate.records.decode import decoder
from jvgate.records.field_tree import Tree, field_tree
from jvgate.records.kinds import Errors
from jvgate.records.labels import labeller
from jvgate.records.lines.writer import FASTER, line_writer
from jvgate.records.runs import RawRecord, RecordRun
from jvgate.records.text import WriteText, text_writer
from jvgate.spec.layouts import Layout
from jvgate.spec.spec import Spec
from jvgate.values import Selection

__all__ = ["RecordText", "RecordValues"]

_Record = dict[str, Any]

# From so many records of one layout on, writing them at once is faster than one by one.
_MANY = 256


class RecordText:
    """Writes records as *selection* wants them; how is chosen once for each layout."""

    def __init__(self, selection: Selection, spec: Spec) -> None:
        self._selection = selection
        self._spec = spec
        self._is_plain = not (selection.raw or selection.labels or selection.fields)
        self._writers: dict[Layout, WriteText] = {}

    def __call__(self, frame: RawRecord, errors: Errors) -> bytes:
        """Return the JSON object of *frame*; append what was wrong with it to *errors*."""
        if frame.layout is None:
            return orjson.dumps(_unread(frame, errors))
        if frame.layout not in self._writers:
            self._writers[frame.layout] = self._writer(frame.layout)
        return self._writers[frame.layout](frame.raw, errors)

    def run(self, run: RecordRun, damaged: list[Errors], *, separator: bytes) -> bytes:
        """Return the JSON objects of *run*, *separator* between them; append what was wrong with each to *damaged*."""
        if run.count >= _MANY and self._is_plain and run.layout.record in FASTER:
            return line_writer(run.layout, separator)(run.raw, damaged)
        texts = []
        for frame in run.records():
            errors: Errors = []
            texts.append(self(frame, errors))
            if errors:
                damaged.append(errors)
        return separator.join(texts)

    def _writer(self, layout: Layout) -> WriteText:
        if self._is_plain:
            return text_writer(layout)
        read = _reader(layout, self._selection, self._spec)

        def write(raw: bytes, errors: Errors) -> bytes:
            record = read(raw)
            errors += record.get("_errors", ())
            return orjson.dumps(record)

        return write


class RecordValues:
    """Reads records as *selection* wants them: the values whose text `RecordText` writes."""

    def __init__(self, selection: Selection, spec: Spec) -> None:
        self._selection = selection
        self._spec = spec
        self._readers: dict[Layout, Callable[[bytes], _Record]] = {}

    def __call__(self, frame: RawRecord, errors: Errors) -> _Record:
        """Return the values of *frame*; append what was wrong with it to *errors*."""
        if frame.layout is None:
            return _unread(frame, errors)
        if frame.layout not in self._readers:
            self._readers[frame.layout] = _reader(frame.layout, self._selection, self._spec)
        record = self._readers[frame.layout](frame.raw)
        errors += record.get("_errors", ())
        return record


def _unread(record: RawRecord, errors: Errors) -> _Record:
    """Return a record that has no fields as it stands: its type and its characters, and what is wrong with it."""
    name, text = record.head.decode("ascii", "replace"), record.raw.decode("cp932", "backslashreplace")
    shown: _Record = {"RecordSpec": name, "_raw": text}
    if record.flaw:
        errors.append({"field": "RecordSpec", "offset": 0, "raw": name, "why": record.flaw})
        shown["_errors"] = errors[-1:]
    return shown


def _reader(layout: Layout, selection: Selection, spec: Spec) -> Callable[[bytes], _Record]:
    """Return what reads records of *layout*, with labels where they are wanted, cut down to the wanted fields."""
    read = character_decoder(layout) if selection.raw else decoder(layout)
    if selection.labels:
        read = _then(labeller(layout, selection.labels, spec), read)
    if selection.fields:
        tree = field_tree(selection.fields)
        read = _then(lambda record: _picked(record, tree), read)
    return read


def _then(change: Callable[[_Record], _Record], read: Callable[[bytes], _Record]) -> Callable[[bytes], _Record]:
    return lambda raw: change(read(raw))


def _picked(record: _Record, tree: Tree) -> _Record:
    """Return the wanted fields of *record* with their marks and labels, and what was wrong with it."""
    picked: _Record = {}
    for key, value in record.items():
        branch = tree.get(key, tree.get(key.removesuffix("Mark"), tree.get(key.removesuffix("Label"))))
        if branch:
            picked[key] = [slot and _picked(slot, branch) for slot in value]
        elif branch is not None or key == "_errors":
            picked[key] = value
    return picked
