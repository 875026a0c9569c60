"""What the tests of the commands share: the command to run, and a source for it."""

import pytest

from tests.commands.command import runner
from tests.raceday import RACE_KEY, archive, race_day


@pytest.fixture
def jvgate(tmp_path):
    """Run the command in an empty folder, without settings of the machine's own."""
    return runner(tmp_path)


@pytest.fixture
def source(tmp_path):
    """An archive of one race."""
    folder = archive(tmp_path / "data", *race_day())
    archive(folder, *race_day()[:5], dataspec="0B12", name=f"{RACE_KEY}.jvd")
    return f"archive:{folder}?date=2026-11-18"
