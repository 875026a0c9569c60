"""A request: how it is shown and where it ends, and bounds that hold every record."""

import pytest

from jvgate.jvlink.request import Limits, Progress, Request, Summary
from tests.specs import JRA


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (Request("RACE", "20261101000000", 1), "RACE:20261101000000:1"),
        (Request("RACE", "20261101000000-20261102000000", 2), "RACE:20261101000000-20261102000000:2"),
        (Request("0B12", key="202611150511"), "0B12:202611150511"),
    ],
)
def test_a_request_is_shown_as_it_is_asked(request_, shown):
    assert str(request_) == shown


@pytest.mark.parametrize(
    ("fromtime", "end"),
    [
        ("20261101000000", ""),
        ("20261101000000-20261102000000", "20261102000000"),
        ("", ""),
    ],
)
def test_the_end_stands_behind_the_hyphen(fromtime, end):
    assert Request("RACE", fromtime, 1).end == end


def test_the_buffer_takes_the_longest_record():
    assert Limits().buffer_bytes > max(layout.length for layout in JRA.layouts.all())


def test_the_first_records_are_handed_over_sooner_than_the_others():
    assert 0 < Limits().first_s < Limits().batch_s < Limits().poll_s < Limits().stall_s


def test_a_read_without_data_has_an_empty_summary():
    assert Summary() == Summary("", 0, 0, 0, 0.0, 0.0)
    assert Progress() == Progress(0, 0, 0, 0, 0, 0, 0)
