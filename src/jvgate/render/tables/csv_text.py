"""Records as CSV (RFC 4180): the names in the first line, CR LF at the end of each.

Text, codes and days of a year stand in quotes, so that a spreadsheet can be told to keep their zeros; numbers and
dates do not; nothing at all stands where there is no value.  Values are data and are not altered, whatever a
spreadsheet may take them for.

What repeats is spread over columns, numbered as in the lists of an answer in JSON: `Honsyokin_1`, `Honsyokin_2`, …
for the items of a repeated field, `ChakuUmaInfo_3_Bamei` for a field of the third slot shown.  `_errors` is JSON text.
Records of too many columns are refused: then a choice of fields is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson
import pyarrow as pa
import pyarrow.csv as pc

from jvgate.records.columns.schema import ERRORS
from jvgate.render.tables.batches import TableWriter
from jvgate.spec.layouts import Field, Group
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["CsvWriter"]

_BOM = "\ufeff"
# JRA-VAN's Shift_JIS is the Windows variant of it.
_CODECS = {"utf-8": "utf-8", "shift_jis": "cp932"}
_OPTIONS = pc.WriteOptions(include_header=False, eol="\r\n")


class _Repeats(dict[str, "tuple[int, _Repeats]"]):
    """How often each member of an object stands in it, and the same of what it holds."""


class CsvWriter(TableWriter):
    """Writes lines.  A stream ends with the line `# end` and the facts as JSON; in a file that would be in the way."""

    def __init__(self, question: Question, spec: Spec, *, is_stream: bool = False) -> None:
        super().__init__(question, spec, is_stream=is_stream)
        charset = question.selection.charset or "utf-8"
        self._has_bom = charset.endswith("-bom")
        self._codec = _CODECS[charset.removesuffix("-bom")]
        self._repeats = _repeats(self._batches.layout.fields)
        self._names = [name for field in self._batches.schema for name in self._names_of(field)]
        self._ready: list[bytes] = []

    def begin(self) -> bytes:
        """Return the line of the names."""
        return self._encoded((_BOM if self._has_bom else "") + ",".join(self._names) + "\r\n")

    def end(self, facts: Mapping[str, object]) -> bytes:
        """Return the last lines and, of a stream, the line that proves its end."""
        return self.rest() + (b"# end %b\r\n" % orjson.dumps(dict(facts)) if self._is_stream else b"")

    def _add(self, batch: pa.RecordBatch) -> None:
        self._ready.append(self._lines(batch))

    def _taken(self) -> bytes:
        lines, self._ready = self._ready, []
        return b"".join(lines)

    def _names_of(self, field: pa.Field) -> Iterator[str]:
        return iter([ERRORS]) if field.name == ERRORS else _names(field.name, field.type, *self._repeats_of(field.name))

    def _repeats_of(self, name: str) -> tuple[int, _Repeats]:
        return self._repeats.get(name, (1, _Repeats()))

    def _lines(self, batch: pa.RecordBatch) -> bytes:
        columns: list[pa.Array] = []
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            columns += [_as_json(array)] if name == ERRORS else _cells(array, *self._repeats_of(name))
        sink = pa.BufferOutputStream()
        pc.write_csv(pa.RecordBatch.from_arrays(columns, names=self._names), sink, _OPTIONS)
        text: bytes = sink.getvalue().to_pybytes()
        return text if self._codec == "utf-8" else self._encoded(text.decode())

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._codec)


def _repeats(fields: Sequence[Field | Group]) -> _Repeats:
    inner = ((field, _repeats(field.fields) if isinstance(field, Group) else _Repeats()) for field in fields)
    return _Repeats({field.key: (field.repeat, repeats) for field, repeats in inner})


def _names(name: str, kind: pa.DataType, repeat: int, inner: _Repeats) -> Iterator[str]:
    """Yield the names of the columns that a value is spread over."""
    if pa.types.is_list(kind):
        for number in range(1, repeat + 1):
            yield from _names(f"{name}_{number}", kind.value_type, 1, inner)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _names(f"{name}_{field.name}", field.type, *inner.get(field.name, (1, _Repeats())))
    else:
        yield name


def _cells(array: pa.Array, repeat: int, inner: _Repeats) -> Iterator[pa.Array]:
    """Yield the columns that values are spread over, in the order of their names."""
    kind = array.type
    if pa.types.is_list(kind):
        for number in range(repeat):
            yield from _cells(_item(array, number), 1, inner)
    elif pa.types.is_struct(kind):
        for field, member in zip(kind, array.flatten(), strict=True):
            yield from _cells(member, *inner.get(field.name, (1, _Repeats())))
    else:
        yield array


def _item(lists: pa.Array, number: int) -> pa.Array:
    """Return that item of each list, null where the list is shorter."""
    offsets = lists.offsets.to_numpy()
    places = offsets[:-1] + number
    return lists.values.take(pa.array(places, mask=places >= offsets[1:]))


def _as_json(errors: pa.Array) -> pa.Array:
    if errors.null_count == len(errors):
        return pa.nulls(len(errors), pa.string())
    return pa.array([found and orjson.dumps(found).decode() for found in errors.to_pylist()], pa.string())
