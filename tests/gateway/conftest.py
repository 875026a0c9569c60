"""The shelf of the tests of a gateway."""

import pytest

from tests.gateway.scene import GatedShelf
from tests.jvlink.memory_shelf import MemoryFile
from tests.raceday import PROVIDED, race_day


@pytest.fixture
def shelf():
    """One race in two files; the gate stands open."""
    records = race_day()
    shelf = GatedShelf(
        {"RACE": [MemoryFile("a.jvd", PROVIDED, records[:4]), MemoryFile("b.jvd", PROVIDED, records[4:])]}
    )
    shelf.gate.set()
    return shelf
