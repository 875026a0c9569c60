"""A source's sessions and limits: its own, and what the settings say of them."""

import pytest

from jvgate.errors import SettingsError
from jvgate.sessions.lane import Recycling
from jvgate.sessions.sources.registry import parse_source
from jvgate.sessions.sources.source import BOTH, REALTIME, STORED, Means
from jvgate.sessions.watchdog import CallLimits

ARCHIVE = "archive:/data/jv"
AGENT = "agent://host:1"
ONE_EACH = [{STORED}, {REALTIME}]


@pytest.mark.parametrize(
    ("url", "sessions", "takes"),
    [
        ("demo:", 0, [BOTH] * 5),
        ("demo:", 64, [BOTH] * 64),
        (ARCHIVE, 3, [BOTH] * 3),
        ("jvlink:", 0, [BOTH]),
        ("jvlink:", 1, [BOTH]),
        ("jvlink:", 2, ONE_EACH),
        ("nvlink:", 2, ONE_EACH),
        (AGENT, 0, [BOTH]),
        (AGENT, 4, [BOTH] * 4),
        (f"{AGENT}?lanes=split", 0, ONE_EACH),
        (f"{AGENT}?lanes=split", 1, [BOTH]),
    ],
)
def test_a_source_has_so_many_sessions_for_this_and_that(url, sessions, takes):
    assert parse_source(url).lanes(sessions) == takes


@pytest.mark.parametrize(
    ("url", "sessions", "allowed"),
    [
        ("demo:", 65, "1 to 64"),
        ("jvlink:", 3, "1 to 2"),
        ("nvlink:", 9, "1 to 2"),
        (f"{AGENT}?lanes=split", 3, "1 to 2"),
    ],
)
def test_more_sessions_than_a_source_takes_are_refused(url, sessions, allowed):
    with pytest.raises(SettingsError, match="JVGATE_SESSIONS") as error:
        parse_source(url).lanes(sessions)
    assert error.value.allowed == allowed


@pytest.mark.parametrize("url", ["demo:", ARCHIVE, "jvlink:", AGENT])
def test_the_settings_have_the_last_word_on_limits_and_recycling(url):
    recycling = Recycling(opens=3)
    source = parse_source(url, Means(open_s=1.5, setup_s=2.5, read_s=3.5, recycling=recycling))
    assert (source.limits.open_s, source.limits.setup_s, source.limits.read_s) == (1.5, 2.5, 3.5)
    assert source.limits.silent_s == CallLimits().silent_s
    assert source.recycling is recycling
