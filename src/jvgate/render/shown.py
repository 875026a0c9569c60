"""One record as its JSON text, in the form that a selection asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from jvgate.records.characters import character_decoder
from jvgate.records.decode import decoder
from jvgate.records.framing import Frame
from jvgate.records.kinds import Errors
from jvgate.records.labels import labeller
from jvgate.records.lines import WriteLines, line_writer
from jvgate.records.text import WriteText, text_writer
from jvgate.spec.layouts import Layout
from jvgate.values import Selection

__all__ = ["RecordText"]

_Record = dict[str, Any]


class RecordText:
    """Writes records as *selection* wants them; how is chosen once for each layout."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._writers: dict[Layout, WriteText] = {}

    def __call__(self, frame: Frame, errors: Errors) -> bytes:
        """Return the JSON object of *frame*; append what was wrong with it to *errors*.

        A record of an unknown type or length is shown as it stands: its type and its characters.
        """
        if frame.layout is None:
            name, text = frame.raw[:2].decode("ascii", "replace"), frame.raw.decode("cp932", "backslashreplace")
            return orjson.dumps({"RecordSpec": name, "_raw": text})
        if frame.layout not in self._writers:
            self._writers[frame.layout] = self._writer(frame.layout)
        return self._writers[frame.layout](frame.raw, errors)

    def lines(self, layout: Layout | None) -> WriteLines | None:
        """Return what writes many records of *layout* at once, with commas between them; None where nothing does."""
        selection = self._selection
        if layout is None or selection.raw or selection.labels or selection.fields:
            return None
        return line_writer(layout, b",")

    def _writer(self, layout: Layout) -> WriteText:
        selection = self._selection
        if selection.raw:
            return _object_writer(character_decoder(layout), selection.fields)
        if not selection.labels and not selection.fields:
            return text_writer(layout)
        read = decoder(layout)
        if not selection.labels:
            return _object_writer(read, selection.fields)
        label = labeller(layout, selection.labels)
        return _object_writer(lambda raw: label(read(raw)), selection.fields)


def _object_writer(read: Callable[[bytes], _Record], fields: Sequence[str]) -> WriteText:
    """Return what writes the objects that *read* gives, cut down to *fields* where there are any."""
    tree = _tree(fields)

    def write(raw: bytes, errors: Errors) -> bytes:
        record = read(raw)
        errors += record.get("_errors", ())
        return orjson.dumps(_picked(record, tree) if tree else record)

    return write


def _tree(fields: Sequence[str]) -> _Record:
    """Return dotted names as a tree: a leaf is empty and means everything below it."""
    tree: _Record = {}
    for name in sorted(fields, key=len, reverse=True):
        branch = tree
        *outer, last = name.split(".")
        for part in outer:
            branch = branch.setdefault(part, {})
        branch[last] = {}  # the whole of it, whatever was asked of its inside too
    return tree


def _picked(record: _Record, tree: _Record) -> _Record:
    """Return the wanted fields of *record* with their marks and labels, and what was wrong with it."""
    picked: _Record = {}
    for key, value in record.items():
        branch = tree.get(key, tree.get(key.removesuffix("Mark"), tree.get(key.removesuffix("Label"))))
        if branch:
            picked[key] = [slot and _picked(slot, branch) for slot in value]
        elif branch is not None or key == "_errors":
            picked[key] = value
    return picked
