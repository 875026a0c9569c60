"""Waiting for what will be so."""

import time

LIMIT_S = 20


def until(condition):
    """Ask again and again until *condition* gives something, and return that."""
    give_up = time.monotonic() + LIMIT_S
    while not (given := condition()):
        assert time.monotonic() < give_up, "it did not become so"
    return given
