"""What a worker was last heard to do, and whether that means that it hangs."""

import pytest

from jvgate.sessions.watchdog import CallLimits, verdict
from jvgate.sessions.workers import Activity

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
        (heard("JVOpen", 59), None),
        (heard("JVOpen", 61), "JVOpen"),
        (heard("JVOpen setup", 7000), None),
        (heard("JVOpen setup", 7300), "JVOpen setup"),
        (heard("JVRTOpen", 61), "JVRTOpen"),
        (heard("JVGets", 29), None),
        (heard("JVGets", 31), "JVGets"),
        (heard("JVStatus", 31), "JVStatus"),
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
