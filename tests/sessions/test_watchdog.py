"""What a worker was last heard to do, and whether that means that it hangs."""

import pytest

from jvgate.sessions.holders import Activity
from jvgate.sessions.watchdog import CallLimits, verdict

LIMITS = CallLimits()
NOW = 10_000.0


def heard(doing, ago_s, *, silent_s=0.0, busy=0.0, dialog=""):
    return Activity(doing, NOW - ago_s, NOW - silent_s, busy, dialog)


@pytest.mark.parametrize(
    ("activity", "hangs_in"),
    [
        (heard("idle", 9999, silent_s=9999), None),
        (heard("start", 29), None),
        (heard("start", 31), "start"),
        (heard("start", 29, silent_s=29), None),
        (heard("JVOpen", 59), None),
        (heard("JVOpen", 61), "JVOpen"),
        (heard("JVOpen setup", 7000), None),
        (heard("JVOpen setup", 7300), "JVOpen setup"),
        (heard("JVRTOpen", 61), "JVRTOpen"),
        (heard("JVGets", 29), None),
        (heard("JVGets", 31), "JVGets"),
        (heard("JVStatus", 31), "JVStatus"),
        (heard("silks", 31), "silks"),
        (heard("JVGets", 30), None),
        (heard("JVGets", 1, silent_s=10), None),
        (heard("JVOpen", 100, busy=0.5), None),
        (heard("JVOpen setup", 7000, busy=0.5), None),
        (heard("JVGets", 31, busy=0.01), "JVGets"),
        (heard("JVGets", 5, silent_s=11, busy=0.5), "JVGets (not a sign of life)"),
        (heard("JVGets", 5, dialog="JV-Link"), None),
        (heard("JVGets", 31, busy=0.5), None),
        (heard("JVGets", 121, busy=0.5), "JVGets"),
        (heard("JVGets", 5, silent_s=11), "JVGets (not a sign of life)"),
        (heard("JVOpen", 61, dialog="JV-Link: 新しい版"), "JVOpen (blocked by a dialog: JV-Link: 新しい版)"),
    ],
)
def test_a_call_hangs_after_its_own_limit(activity, hangs_in):
    found = verdict(activity, LIMITS, now=NOW)
    assert (found and found[0]) == hangs_in


@pytest.mark.parametrize(
    ("busy", "ago_s", "hangs"), [(0.0, 0.4, False), (0.0, 0.6, True), (0.5, 4, False), (0.5, 6, True)]
)
def test_a_read_that_nobody_waits_for_has_little_time_to_end(busy, ago_s, hangs):
    found = verdict(heard("JVGets", 1, busy=busy), LIMITS, now=NOW, cancelled_at=NOW - ago_s)
    assert (found is not None) is hangs


@pytest.mark.parametrize("doing", ["idle", "start"])
def test_a_session_that_rests_or_starts_is_not_ended_for_a_read_that_was_cancelled(doing):
    assert verdict(heard(doing, 1), LIMITS, now=NOW, cancelled_at=NOW - 60) is None


@pytest.mark.parametrize(
    ("activity", "cancelled_at", "limit_s"),
    [
        (heard("JVOpen", 61), None, 60),
        (heard("JVOpen", 121, busy=0.5), None, 120),
        (heard("JVGets", 1, silent_s=11), None, 10),
        (heard("JVGets", 1), NOW - 1, 0.5),
    ],
)
def test_the_limit_that_was_passed_is_told(activity, cancelled_at, limit_s):
    assert verdict(activity, LIMITS, now=NOW, cancelled_at=cancelled_at)[1] == limit_s


def test_every_limit_can_be_another():
    limits = CallLimits(start_s=1, open_s=2, setup_s=3, read_s=4, other_s=5)
    calls = ("start", "JVOpen", "JVRTOpen", "JVOpen setup", "JVGets", "JVClose")
    assert [limits.of(call) for call in calls] == [1, 2, 2, 3, 4, 5]
