"""Silks as bitmaps: what is where, and what a description means."""

import struct

import pytest

from jvgate.season.shelf import SeasonShelf
from jvgate.season.silks import COLOURS, SIZE, draw
from jvgate.season.world.people import OWNERS, owner
from tests.specs import JRA

PAPER = (255, 255, 255)
BODY, HIP, SLEEVES = (25, 25), (25, 43), ((7, 28), (42, 28))


def pixels(bitmap):
    """The colour (red, green, blue) of every pixel by column and row."""
    assert bitmap[:2] == b"BM"
    assert struct.unpack_from("<I", bitmap, 2)[0] == len(bitmap)
    start = struct.unpack_from("<I", bitmap, 10)[0]
    width, height, planes, bits, packed = struct.unpack_from("<iiHHI", bitmap, 18)
    assert (width, height, planes, bits, packed) == (SIZE, SIZE, 1, 24, 0)
    line = (width * 3 + 3) // 4 * 4
    assert len(bitmap) == start + line * height
    return {
        (x, y): tuple(bitmap[start + (height - 1 - y) * line + x * 3 :][:3][::-1])
        for x in range(width)
        for y in range(height)
    }


def colours(pattern, *places):
    shown = pixels(draw(pattern))
    return [shown[place] for place in places]


@pytest.mark.parametrize(("body", "sleeves"), list(zip(COLOURS, [*list(COLOURS)[1:], "白"], strict=True)))
def test_body_and_sleeves_have_their_colours(body, sleeves):
    shown = colours(f"{body}，{sleeves}袖", BODY, HIP, *SLEEVES)
    assert shown == [COLOURS[body]] * 2 + [COLOURS[sleeves]] * 2


def test_around_the_jacket_is_paper():
    assert set(colours("黒，黒袖", (0, 0), (49, 0), (0, 49), (49, 49), (25, 1), (25, 49))) == {PAPER}


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("赤，白一本輪，赤袖", BODY),
        ("赤，白二本輪，赤袖", (25, 31)),
        ("赤，白三本輪，赤袖", (25, 34)),
        ("赤，白山形一本輪，赤袖", (25, 22)),
        ("赤，白帯，赤袖", (25, 38)),
        ("赤，白襷，赤袖", (18, 15)),
        ("赤，白十字襷，赤袖", (31, 15)),
        ("赤，白縦縞，赤袖", (25, 10)),
        ("赤，白鋸歯形，赤袖", (20, 9)),
        ("赤，白玉霰，赤袖", BODY),
        ("赤，赤袖白一本輪", (41, 24)),
        ("赤，袖白一本輪", (41, 24)),
    ],
)
def test_a_mark_is_where_it_belongs(pattern, place):
    assert colours(pattern, place) == [COLOURS["白"]]
    assert COLOURS["赤"] in pixels(draw(pattern)).values()


@pytest.mark.parametrize(
    ("pattern", "same_as"),
    [
        ("水色，赤山形一本輪，水色袖", "水、赤山形、水袖"),
        ("黒，赤十字襷，黄袖", "黒,赤十字たすき,黄袖"),
        ("青，白玉霰", "青，白玉霰，青袖"),
        ("青，白虎模様，白袖", "青，白袖"),
        ("海老茶，鼠袖", "えび茶，ねずみ袖"),
        ("赤縦縞", "白，赤縦縞，白袖"),
        ("薄紫，黄袖", "薄紫胴，黄袖"),
        ("白，青一文字，白袖", "白，青一文字"),
    ],
)
def test_another_way_to_say_it(pattern, same_as):
    assert draw(pattern) == draw(same_as)


@pytest.mark.parametrize("pattern", ["", "，", "なし", "jockey", "一本輪", "袖", "\x00", "模様" * 1000])
def test_nothing_is_drawn_without_a_colour(pattern):
    assert draw(pattern) is None


def test_the_same_words_give_the_same_bytes():
    assert draw("桃，緑菱山形，黄袖") == draw("桃，緑菱山形，黄袖")


def test_every_owner_of_the_season_can_be_drawn():
    shelf = SeasonShelf(JRA.layouts)
    described = [owner(1, number).silks for number in range(0, OWNERS, 20)]
    assert len({shelf.silks(silks) for silks in described} - {None}) > len(described) * 0.9
