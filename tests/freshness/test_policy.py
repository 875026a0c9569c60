"""The judge: what the content of a dataset and an error say of the cache."""

import time
from datetime import datetime

import pytest

from jvgate.errors import ArchiveError, JVLinkError, ReadCancelled, SessionTimeout, SourceBusy, SourceError
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.policy import Judge
from jvgate.values import SourceClock
from tests.cache.clocks import STOPPED
from tests.raceday import QUERY, dataset, race_day
from tests.specs import JRA

NOON = datetime(2026, 11, 18, 12)
JUDGE = Judge(JRA, Lifetimes(JRA), clock=STOPPED)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (SourceBusy(1), True),
        (SessionTimeout("a read", limit_s=1.0), True),
        (ReadCancelled("a read"), True),
        (JVLinkError(-504, "JVOpen"), True),  # maintenance
        (JVLinkError(-411, "JVOpen"), True),
        (JVLinkError(-301, "JVOpen"), False),  # the service key
        (JVLinkError(-9999, "JVOpen"), False),
        (ArchiveError("a", "it is gone"), True),
        (SourceError("closed"), False),
    ],
)
def test_what_may_pass_by_itself(error, passes):
    assert JUDGE.is_passing(error) is passes


@pytest.mark.parametrize("speed", [1.0, 60.0, 0.5])
def test_windows_are_reckoned_by_the_clock_of_the_source_and_told_in_wall_seconds(speed):
    read = dataset(*race_day())
    lives = [
        judge.judge(read, None)
        for judge in (
            Judge(JRA, Lifetimes(JRA), clock=SourceClock(NOON, began=time.time(), speed=at), dice=lambda: 0.0)
            for at in (0.0, speed)
        )
    ]
    still, moving = [(life.fresh_s, life.stale_s, life.error_s) for life in lives]
    assert moving == pytest.approx([seconds / speed for seconds in still], rel=0.01)


def test_what_is_not_fresh_any_more_is_of_use_for_wall_seconds():
    still, moving = (
        Judge(JRA, Lifetimes(JRA), clock=SourceClock(NOON, speed=speed)).after(QUERY) for speed in (0.0, 60.0)
    )
    assert moving == tuple(seconds / 60 for seconds in still)
