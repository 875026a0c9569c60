"""The document of the JSON answer as a pickle, whose bytes depend on the values alone."""

import pickle
from itertools import product

import pytest

from jvgate.records.plan import MEMO_ENTRIES
from jvgate.render.formats.registry import FORMATS, offered_formats
from jvgate.settings import Settings
from tests.raceday import record
from tests.render.asking import MIXED, SELECTIONS, answer, as_json


@pytest.mark.parametrize("parameters", SELECTIONS, ids=str)
def test_pickle_says_what_json_says(parameters):
    expected = as_json(*MIXED, **parameters)
    assert pickle.loads(answer(*MIXED, format="pickle", **parameters).body) == expected


def kinds_in(value):
    """The types of everything in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {type(value)}.union(*map(kinds_in, inner))


def test_a_pickle_holds_nothing_but_plain_values():
    body = answer(*MIXED, format="pickle").body
    assert body[:2] == b"\x80\x05"
    assert kinds_in(pickle.loads(body)) <= {dict, list, str, int, float, bool, type(None)}


def test_a_pickle_is_the_same_bytes_whatever_the_readers_remember():
    letters = [chr(number) for number in range(0x30A1, 0x30F7)]
    names = [f"{one}{other}{third}" for one, other, third in product(letters, letters, "アイ")]
    runners = [record("SE", Umaban=number % 18 + 1, Bamei=name) for number, name in enumerate(names)]
    few = MEMO_ENTRIES * 2 // 3
    before = answer(*runners[:few], *runners[:few], format="pickle", record="SE").body
    answer(*runners[few:], format="pickle", record="SE")
    assert answer(*runners[:few], *runners[:few], format="pickle", record="SE").body == before


def test_a_pickle_is_offered_only_when_switched_on():
    assert "pickle" not in offered_formats(Settings())
    assert offered_formats(Settings(allow_pickle=True)) == tuple(FORMATS)
