"""Listeners: all are told in their order, and the fault of one is its own."""

import structlog

from jvgate.listeners import Listeners


def test_every_listener_is_told_in_the_order_of_registration():
    heard = []
    listeners = Listeners("an event", lambda event: heard.append(("first", event)))
    listeners.add(lambda event: heard.append(("second", event)))
    listeners.tell(7)
    assert heard == [("first", 7), ("second", 7)]


def test_a_listener_that_raises_is_logged_and_disturbs_no_other():
    heard = []
    listeners = Listeners("an event", lambda event: 1 / event, heard.append)
    with structlog.testing.capture_logs() as logs:
        listeners.tell(0)
    assert heard == [0]
    assert [(log["log_level"], log["event_kind"]) for log in logs] == [("error", "an event")]
