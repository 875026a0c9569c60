"""Is a session still alive?  The limits of JV-Link's calls, and the verdict on what a worker was last heard to do.

A call to JV-Link cannot be interrupted, so a call that hangs costs its process.  A process that works hard is not
hanging, though: one that uses its core is given much longer than one that waits.
Source of the figures for JV-Link: what its users' watchdogs use (`behaviour`, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

from jvgate.sessions.holders import Activity

__all__ = ["CallLimits", "verdict"]

_BUSY = 0.02  # of a core: far more than heartbeats take


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Seconds that a session may take without moving.

    start_s: until it is ready.  open_s: JVOpen and JVRTOpen; setup_s: JVOpen with option 3 or 4.  read_s: JVGets.
    other_s: every other call.  silent_s: without a heartbeat.  busy_s: any of these, while its process works hard.
    cancel_s: to end a read that nobody waits for.
    """

    start_s: float = 30.0
    open_s: float = 60.0
    setup_s: float = 7200.0
    read_s: float = 30.0
    other_s: float = 30.0
    silent_s: float = 10.0
    busy_s: float = 120.0
    cancel_s: float = 0.5

    def of(self, doing: str) -> float:
        """Return the limit of what a session is at."""
        named = {
            "start": self.start_s,
            "JVOpen": self.open_s,
            "JVRTOpen": self.open_s,
            "JVOpen setup": self.setup_s,
            "JVGets": self.read_s,
        }
        return named.get(doing, self.other_s)


def verdict(
    activity: Activity, limits: CallLimits, *, now: float, cancelled_at: float | None = None
) -> tuple[str, float] | None:
    """Return what a session hangs in and the limit that it passed, seconds; None while all is well.

    now: monotonic seconds.  cancelled_at: since when nobody waits for the running read, None while somebody does.
    """
    if activity.doing == "idle":
        return None
    if now - activity.heard_at > limits.silent_s and activity.doing != "start":
        return f"{activity.doing} (not a sign of life)", limits.silent_s
    limit_s = limits.of(activity.doing)
    if activity.busy >= _BUSY:
        limit_s = max(limit_s, limits.busy_s)
    if now - activity.since > limit_s:
        blocked = f" (blocked by a dialog: {activity.dialog})" if activity.dialog else ""
        return activity.doing + blocked, limit_s
    if cancelled_at is None or activity.doing == "start":  # the next read can use what is being started
        return None
    if now - cancelled_at > limits.cancel_s * (10 if activity.busy >= _BUSY else 1):
        return f"{activity.doing}, though cancelled", limits.cancel_s
    return None
