"""The texts of a batch: the bytes of all text fields -> JSON in UTF-8, in one go.

Theory of operation.  The padding is found by comparing bytes in pairs, so that only what is said is decoded: the
cells, each with the quote that ends it and a line break, are one string for cp932, for the escapes and for UTF-8,
and are split again at the line breaks.  A pair of padding that was really half a character leaves the other half
behind, which cp932 refuses.  What is refused, and the few things that this way cannot do (control characters, quotes,
other padding), is done cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from jvgate.records.kinds import Load, loader
from jvgate.records.sheet import Prose

__all__ = ["Passages", "passages_of", "read_passages"]

_Bytes = NDArray[np.uint8]
_Ends = NDArray[np.intp]
_Texts = NDArray[np.object_]
_WIDE, _WIDE_TRAIL, _SPACE, _CONTROL = 0x81, 0x40, 0x20, 0x20


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """Text fields of one length and one end.  places: where each starts; columns: where each is opened."""

    length: int
    end: bytes
    load: Load
    places: NDArray[np.intp]
    columns: NDArray[np.intp]


def passages_of(prose: Sequence[Prose]) -> list[Passages]:
    """Return the text fields of a sheet, those of one form together."""
    forms: dict[tuple[int, bytes], list[Prose]] = {}
    for one in prose:
        forms.setdefault((one.field.length, one.end), []).append(one)
    return [
        Passages(
            length=length,
            end=end,
            load=loader(found[0].field, {}),
            places=np.array([one.at for one in found]),
            columns=np.array([one.column for one in found]),
        )
        for (length, end), found in forms.items()
    ]


def read_passages(passages: Sequence[Passages], rows: _Bytes, columns: _Bytes) -> tuple[list[_Texts], list[int]]:
    """Return the texts of each of *passages*, and the numbers of the records whose text cannot be read.

    rows: the bytes of the batch, a row a record; columns: the same, a row an offset.  A passage's texts stand in rows
    like the records, each with its end; what is not set is empty.
    """
    ends = [_ends(one, columns) for one in passages]
    blocks = [_block(one, rows, end) for one, end in zip(passages, ends, strict=True)]
    texts = _split(blocks, ends) if all((end >= 0).all() for end in ends) else None
    if texts is None:
        return _one_by_one(passages, rows)
    return texts, []


def _ends(one: Passages, columns: _Bytes) -> _Ends:
    """Return how many bytes of each text are no padding, a row a record; -1 where that has to be looked at closely."""
    block = columns[one.places[:, None] + np.arange(one.length)]
    whole = one.length // 2 * 2
    first, second = block[:, 0:whole:2], block[:, 1:whole:2]
    is_said = ~(((first == _WIDE) & (second == _WIDE_TRAIL)) | ((first == _SPACE) & (second == _SPACE)))
    steps = np.arange(2, whole + 2, 2, dtype=np.uint16)
    ends = (is_said * steps[:, None]).max(axis=1, initial=0).astype(np.intp)
    if whole < one.length:
        ends[block[:, -1] != _SPACE] = one.length
    ends -= (_byte_before(block, ends, 1) == _SPACE) & (ends > 0)
    last = _byte_before(block, ends, 1)
    is_padding = (last == _SPACE) | ((last == _WIDE_TRAIL) & (_byte_before(block, ends, 2) == _WIDE))
    ends[is_padding & (ends > 0)] = -1
    return ends.T


def _byte_before(block: _Bytes, ends: _Ends, distance: int) -> _Bytes:
    places = np.maximum(ends - distance, 0)
    return np.take_along_axis(block, places[:, None], axis=1)[:, 0]


def _block(one: Passages, rows: _Bytes, ends: _Ends) -> bytes:
    """Return the characters of all texts as they stand, each with its end and a line break."""
    width = int(ends.max())
    tail = np.frombuffer(one.end + b"\n", np.uint8)
    cells = np.empty((*ends.shape, width + len(tail)), np.uint8)
    is_kept = np.ones(cells.shape, np.bool_)
    if len(one.places) == 1:
        place = int(one.places[0])
        cells[:, 0, :width] = rows[:, place : place + width]
    else:
        cells[:, :, :width] = rows[:, one.places[:, None] + np.arange(width)]
    cells[:, :, width:] = tail
    is_kept[:, :, :width] = np.arange(width) < ends[:, :, None]
    is_kept[:, :, width:-1] = ends[:, :, None] > 0
    return cells[is_kept].tobytes()


def _split(blocks: Sequence[bytes], ends: Sequence[_Ends]) -> list[_Texts] | None:
    """Return the texts of the *blocks*; None when they have to be read one by one."""
    every = b"".join(blocks)
    cells, said = sum(end.size for end in ends), sum(int(np.count_nonzero(end)) for end in ends)
    if int(np.count_nonzero(np.frombuffer(every, np.uint8) < _CONTROL)) != cells:
        return None
    try:
        text = every.decode("cp932")
    except UnicodeDecodeError:
        return None
    if text.count('"') != said:
        return None
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    found = np.array(text.encode().split(b"\n")[:-1], np.object_)
    places = np.cumsum([end.size for end in ends])[:-1]
    return [part.reshape(end.shape) for part, end in zip(np.split(found, places), ends, strict=True)]


def _one_by_one(passages: Sequence[Passages], rows: _Bytes) -> tuple[list[_Texts], list[int]]:
    found: list[_Texts] = []
    odd: set[int] = set()
    for one in passages:
        texts = np.full((len(rows), len(one.places)), b"", np.object_)
        for number, row in enumerate(rows):
            for column, place in enumerate(one.places.tolist()):
                try:
                    said = one.load(row[place : place + one.length].tobytes())
                except ValueError:
                    odd.add(number)
                else:
                    texts[number, column] = orjson.dumps(said)[1:-1] + one.end if said is not None else b""
        found.append(texts)
    return found, sorted(odd)
