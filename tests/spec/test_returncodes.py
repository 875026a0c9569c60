"""Return codes: what the same number means in each call, and what to do about it."""

from dataclasses import replace

import pytest

from jvgate.spec.returncodes import ReturnCodes, load_return_codes
from tests.specs import JRA

CODES = JRA.return_codes


@pytest.mark.parametrize(("method", "kind"), [("JVOpen", "empty"), ("JVGets", "control")])
def test_a_return_code_means_what_its_call_says(method, kind):
    assert CODES.get(-1, method).kind == kind


def test_what_the_specification_does_not_say_has_no_meaning():
    assert CODES.get(-999, "JVOpen") is None
    assert CODES.get(-1, "JVNothing") is None


def test_some_codes_say_how_long_to_wait():
    assert CODES.get(-504, "JVRTOpen").retry_after_s == 600


def test_every_error_code_has_a_problem():
    assert all(code.slug and code.http_status for code in CODES if code.kind == "error")


def test_of_two_meanings_in_one_call_the_first_counts_and_both_are_listed():
    first = CODES.get(-1, "JVOpen")
    both = ReturnCodes([first, second := replace(first, meaning_en="another")])
    assert both.get(-1, "JVOpen") is first
    assert list(both) == [first, second]


def test_the_texts_call_the_component_by_its_name():
    told = [text for code in load_return_codes("X-Link") for text in (code.meaning_ja, code.meaning_en, code.action)]
    assert any("X-Link" in text for text in told)
    assert not any("JV-Link" in text for text in told)
