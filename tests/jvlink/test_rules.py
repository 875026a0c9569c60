"""What JV-Link accepts, and which files match."""

import pytest

from jvgate.errors import JVLinkError
from jvgate.jvlink.rules import check_realtime, parse_span, select
from tests.jvlink.memory_shelf import NOW, RULES, MemoryFile

TIMES = ("20251231000000", "20261031235959", "20261112120000", "20261113120001", "20261120110000")


def provided(fromtime, option):
    files = [MemoryFile(time, time) for time in TIMES]
    return [file.provided for file in select(files, parse_span(fromtime), option=option, now=NOW)]


def test_the_start_is_left_out_and_the_end_is_taken_in():
    assert provided("20251231000000-20261112120000", 1) == list(TIMES[1:3])


def test_option_two_gives_the_last_seven_days():
    assert provided("20200101000000", 2) == list(TIMES[3:])


@pytest.mark.parametrize("option", [3, 4])
def test_the_end_of_a_setup_cuts_only_the_current_month(option):
    assert provided("20200101000000-20260101000000", option) == list(TIMES[:2])
    assert provided("20260101000000-20261112120000", option) == list(TIMES[1:3])


@pytest.mark.parametrize("key", ["JC20261108051120261108101530", "WE20261108G00020261108101530"])
def test_an_event_parameter_is_a_key(key):
    check_realtime(RULES, "0B16", key)


@pytest.mark.parametrize("key", ["JC20261308051120261108101530", "20261108", "JC2026110805112026110810153"])
def test_a_broken_event_parameter_is_none(key):
    with pytest.raises(JVLinkError) as error:
        check_realtime(RULES, "0B16", key)
    assert error.value.code == -114
