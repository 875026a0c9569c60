"""The document of the JSON answer as MessagePack."""

import msgspec
import pytest

from tests.raceday import record
from tests.render.asking import MIXED, SELECTIONS, answer, as_json


@pytest.mark.parametrize("parameters", SELECTIONS, ids=str)
def test_msgpack_says_what_json_says(parameters):
    expected = as_json(*MIXED, **parameters)
    assert msgspec.msgpack.decode(answer(*MIXED, format="msgpack", **parameters).body) == expected


@pytest.mark.parametrize("what", ["whole numbers stay whole", "fractions stay fractions"])
def test_numbers_keep_their_kind(what):
    sent = record("SE", Umaban=7, Futan=54.0)
    shown = msgspec.msgpack.decode(answer(sent, format="msgpack").body)["data"][0]
    assert (type(shown["Umaban"]), type(shown["Futan"])) == (int, float)
