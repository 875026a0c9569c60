"""Waiting for what will be so."""

import time

LIMIT_S = 20
PAUSE_S = 0.005  # between two looks: the server that is asked runs in this process


def until(condition):
    """Look again and again until *condition* gives something, and return that."""
    give_up = time.monotonic() + LIMIT_S
    while not (given := condition()):
        assert time.monotonic() < give_up, "it did not become so"
        time.sleep(PAUSE_S)
    return given
