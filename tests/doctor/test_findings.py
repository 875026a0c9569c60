"""A list of findings is well as long as nothing has failed."""

from dataclasses import FrozenInstanceError

import pytest

from jvgate.doctor.findings import Finding, is_well


def findings(*states):
    return [Finding("check", state, "in English", "日本語") for state in states]


@pytest.mark.parametrize("states", [(), ("ok",), ("ok", "warn"), ("skip", "warn", "skip")])
def test_warnings_and_skipped_checks_are_no_failure(states):
    assert is_well(findings(*states))


@pytest.mark.parametrize("states", [("fail",), ("fail", "ok"), ("ok", "warn", "fail")])
def test_one_failure_anywhere_is_enough(states):
    assert not is_well(findings(*states))


def test_a_finding_needs_no_advice_and_does_not_change():
    (finding,) = findings("ok")
    assert (finding.advice_en, finding.advice_ja) == ("", "")
    with pytest.raises(FrozenInstanceError):
        finding.state = "fail"
