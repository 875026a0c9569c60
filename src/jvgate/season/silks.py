"""Jockeys' silks as JV-Link draws them: a description such as `水色，赤山形一本輪，水色袖` -> a bitmap of 50 by 50.

The description names the ground of the body, what is on it, and the sleeves; each mark has its colour before it.  Words
that are neither a colour nor a mark are passed over.
Source: the 13 colours and the marks of JRA's rules of racing (競馬施行規程, 服色); the drawing is our own.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from math import floor

__all__ = ["COLOURS", "SIZE", "draw"]

SIZE = 50
"""Pixels, both ways."""

_RGB = tuple[int, int, int]
_Point = tuple[float, float]
_Shape = Callable[[float, float], bool]

COLOURS: Mapping[str, _RGB] = {
    "白": (255, 255, 255), "黒": (24, 24, 24), "赤": (220, 20, 40), "青": (20, 70, 200), "黄": (255, 220, 0),
    "緑": (0, 140, 60), "桃": (255, 150, 190), "水": (120, 200, 245), "紫": (110, 40, 140), "薄紫": (190, 150, 220),
    "茶": (140, 80, 30), "えび茶": (120, 30, 50), "ねずみ": (150, 150, 150),
}  # fmt: skip
_SAME_COLOUR = {"海老茶": "えび茶", "海老": "えび茶", "えび": "えび茶", "鼠": "ねずみ", "水色": "水"}
_PAPER: _RGB = (255, 255, 255)
_LINE: _RGB = (90, 90, 90)
_UNDYED = "白"

# The right half of the jacket, x from its middle line: the body, and one sleeve hanging off the shoulder.
_BODY: tuple[_Point, ...] = ((0, 8), (3, 4), (6, 4), (12, 8), (12, 46), (0, 46))
_SLEEVE: tuple[_Point, ...] = ((12, 8), (16, 10), (23, 36), (16, 39), (12, 23))
_MIDDLE, _BODY_MIDDLE = 24.5, 25.5
_SLEEVE_TOP, _SLEEVE_END = (13.5, 11.0), (19.5, 37.5)
_STAR = ("..#..", "#####", ".###.", ".#.#.", ".....")


def _rings(count: int, *, rise: float = 0.0) -> _Shape:
    """Return so many bands around; with a *rise* each is a mountain, highest in the middle."""
    gap = 11 if count == 2 else 9
    middles = [gap * (number - (count - 1) / 2) for number in range(count)]
    return lambda x, y: any(abs(y - rise * (abs(x) - 5) - middle) < 2.6 for middle in middles)


def _belt(*, rise: float = 0.0) -> _Shape:
    return lambda x, y: 9 <= y - rise * (abs(x) - 5) < 16


def _sash(*ways: int) -> _Shape:
    return lambda x, y: any(abs(y - way * 1.5 * x) < 6 for way in ways)


def _saw_teeth(x: float, y: float) -> bool:
    return y < -11 + abs((x + 3) % 6 - 3) * 2.6


def _diamond_ring(x: float, y: float) -> bool:
    return abs((x + 4) % 8 - 4) + abs(y) * 0.8 < 4


def _stripes(x: float, y: float) -> bool:
    return (abs(x) + 2) % 8 < 4


def _lattice(x: float, y: float) -> bool:
    return (x + 1) % 8 < 2.5 or (y + 1) % 8 < 2.5


def _chess(x: float, y: float) -> bool:
    return (floor(x / 6) + floor(y / 6)) % 2 == 0


def _diamonds(x: float, y: float) -> bool:
    return abs((x + 4) % 8 - 4) / 4 + abs((y + 6) % 12 - 6) / 6 < 1


def _scales(x: float, y: float) -> bool:
    row = floor(y / 6)
    return abs((x + 3 + row % 2 * 3) % 6 - 3) * 2 < y - row * 6


def _wells(x: float, y: float) -> bool:
    across, down = _tile(x, y, 12)
    return abs(across) < 5 and abs(down) < 5 and (2 <= abs(across) < 3.4 or 2 <= abs(down) < 3.4)


def _dots(x: float, y: float) -> bool:
    across, down = _tile(x, y, 9)
    return across**2 + down**2 < 6.5


def _rounds(x: float, y: float) -> bool:
    across, down = _tile(x, y, 11)
    return 3 < across**2 + down**2 < 16


def _coins(x: float, y: float) -> bool:
    across, down = _tile(x, y, 11)
    return across**2 + down**2 < 17 and max(abs(across), abs(down)) > 1.3


def _stars(x: float, y: float) -> bool:
    across, down = _tile(x, y, 10)
    column, row = floor(across + 2.5), floor(down + 2.5)
    return 0 <= column < 5 and 0 <= row < 5 and _STAR[row][column] == "#"


def _tile(x: float, y: float, size: float) -> _Point:
    """Return where a point lies in its tile, seen from the tile's middle; every other row is shifted by half a tile."""
    row = floor(y / size + 0.5)
    return (x + row % 2 * size / 2 + size / 2) % size - size / 2, y - row * size


# Seen from the middle of the body or the sleeve, x across and y down, in pixels.
_MARKS: Mapping[str, _Shape] = {
    "一本輪": _rings(1), "二本輪": _rings(2), "三本輪": _rings(3), "一文字": _rings(1), "帯": _belt(),
    "山形一本輪": _rings(1, rise=0.7), "山形二本輪": _rings(2, rise=0.7), "山形三本輪": _rings(3, rise=0.7),
    "山形一文字": _rings(1, rise=0.7), "山形帯": _belt(rise=0.7), "菱山形": _diamond_ring, "鋸歯形": _saw_teeth,
    "襷": _sash(1), "十字襷": _sash(1, -1), "縦縞": _stripes, "格子": _lattice, "元禄": _chess,
    "ダイヤモンド": _diamonds, "鱗": _scales, "井桁絣": _wells, "玉霰": _dots, "星散": _stars, "蛇目散": _rounds,
    "銭形散": _coins,
}  # fmt: skip
_SAME_MARK = {
    "山形": "山形一本輪", "輪": "一本輪", "ひし山形": "菱山形", "のこぎり歯形": "鋸歯形", "鋸歯": "鋸歯形",
    "たすき": "襷", "十字たすき": "十字襷", "十文字襷": "十字襷", "縦じま": "縦縞", "格子じま": "格子",
    "元ろく": "元禄", "うろこ": "鱗", "井桁": "井桁絣", "玉あられ": "玉霰", "蛇の目": "蛇目散", "蛇目": "蛇目散",
    "銭形": "銭形散",
}  # fmt: skip
_ROUND_THE_SLEEVES = ("一文字", "山形一文字")
_SLEEVES = "袖"
_WORDS = (*COLOURS, *_SAME_COLOUR, *_MARKS, *_SAME_MARK, _SLEEVES)
_WORD = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))


@dataclass(slots=True)
class _Part:
    """The body or the sleeves.  marks: name and colour, drawn one over the other."""

    ground: str = ""
    marks: list[tuple[str, str]] = field(default_factory=list)

    def colour(self, x: float, y: float) -> _RGB:
        """Return the colour of a point, seen from the part's middle."""
        colour = self.ground
        for mark, dye in self.marks:
            colour = dye if _MARKS[mark](x, y) else colour
        return COLOURS[colour]


def draw(pattern: str) -> bytes | None:
    """Return the silks that *pattern* describes as a 24-bit bitmap, None when it names no colour that there is."""
    body, sleeves = _understood(unicodedata.normalize("NFKC", pattern))
    if not (body.ground or sleeves.ground or body.marks or sleeves.marks):
        return None
    body.ground = body.ground or _UNDYED
    sleeves.ground = sleeves.ground or body.ground
    sleeves.marks = sleeves.marks or [mark for mark in body.marks if mark[0] in _ROUND_THE_SLEEVES]
    return _bitmap([[_pixel(column, row, body, sleeves) for column in range(SIZE)] for row in range(SIZE)])


def _understood(pattern: str) -> tuple[_Part, _Part]:
    """Return body and sleeves.  A colour belongs to the mark right behind it, else it is the ground of its part."""
    body, sleeves = _Part(), _Part()
    for phrase in re.split("[,、]", pattern):
        part = sleeves if _SLEEVES in phrase else body
        words = [_SAME_COLOUR.get(word, _SAME_MARK.get(word, word)) for word in _WORD.findall(phrase)]
        for word, following in pairwise([*words, ""]):
            if word in COLOURS and following in _MARKS:
                part.marks.append((following, word))
            elif word in COLOURS:
                part.ground = part.ground or word
    return body, sleeves


def _pixel(column: int, row: int, body: _Part, sleeves: _Part) -> _RGB:
    x = column - _MIDDLE
    where = _cut()[row][column]
    if where == "body":
        return body.colour(x, row - _BODY_MIDDLE)
    if where == "sleeve":
        return sleeves.colour(*_on_sleeve(abs(x), row))
    return _LINE if where == "line" else _PAPER


@cache
def _cut() -> tuple[tuple[str, ...], ...]:
    """Return what lies where: body, sleeve, the line around each of them, or "" for the paper."""
    return tuple(tuple(_lies(abs(column - _MIDDLE), row) for column in range(SIZE)) for row in range(SIZE))


def _lies(x: float, y: float) -> str:
    part = _part_at(x, y)
    around = {_part_at(abs(x + right), y + down) for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1))}
    return "line" if part and ("" in around or (part == "sleeve" and "body" in around)) else part


def _part_at(x: float, y: float) -> str:
    return "body" if _is_inside(x, y, _BODY) else "sleeve" if _is_inside(x, y, _SLEEVE) else ""


def _is_inside(x: float, y: float, outline: tuple[_Point, ...]) -> bool:
    """Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(outline, outline[1:] + outline[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            crossings += 1
    return crossings % 2 == 1


def _on_sleeve(x: float, y: float) -> _Point:
    """Return where a point lies on the sleeve: across and along, from its middle."""
    (x1, y1), (x2, y2) = _SLEEVE_TOP, _SLEEVE_END
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    right, down = (x2 - x1) / length, (y2 - y1) / length
    from_x, from_y = x - (x1 + x2) / 2, y - (y1 + y2) / 2
    return from_x * down - from_y * right, from_x * right + from_y * down


def _bitmap(rows: list[list[_RGB]]) -> bytes:
    """Return the pixels as a Windows bitmap: blue, green, red; the lowest row first, each filled up to four bytes."""
    padding = bytes(-SIZE * 3 % 4)
    pixels = b"".join(b"".join(bytes((b, g, r)) for r, g, b in row) + padding for row in reversed(rows))
    head_bytes = 14 + 40
    file_head = struct.pack("<2sIHHI", b"BM", head_bytes + len(pixels), 0, 0, head_bytes)
    image_head = struct.pack("<IiiHHIIiiII", 40, SIZE, SIZE, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return file_head + image_head + pixels
