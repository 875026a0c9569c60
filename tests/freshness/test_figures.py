"""The plan's table, its readings corrected, and what the settings may change in it."""

from dataclasses import asdict

import pytest

from jvgate.errors import SettingsError
from jvgate.freshness.figures import figures_with
from tests.specs import JRA


@pytest.mark.parametrize(
    ("dataspec", "seconds"),
    [
        ("RACE", 86400), ("HOSE", 86400), ("HOYU", 86400), ("YSCH", 604800), ("DIFF", 300), ("SLOP", 1800),
        ("MING", 3600), ("0B12", 60), ("0B15", 60), ("0B30", 30), ("0B36", 30), ("TOKU", 600), ("0B13", 600),
    ],
)  # fmt: skip
def test_the_plain_figures_are_those_of_the_plan(dataspec, seconds):
    assert figures_with(JRA)[dataspec].fresh == seconds


@pytest.mark.parametrize("dataspec", JRA.dataspecs)
def test_the_figures_of_a_data_spec_are_in_order(dataspec):
    figures = figures_with(JRA)[dataspec]
    assert 0 < figures.floor <= figures.fresh <= figures.ceiling <= figures.settled
    assert 0 < figures.empty <= figures.fresh
    assert 0 < figures.stale <= figures.error


@pytest.mark.parametrize(("older", "newer"), [(s.id, s.replaced_by) for s in JRA.dataspecs.values() if s.replaced_by])
def test_an_older_data_spec_has_the_figures_of_its_successor(older, newer):
    """The same data in other layouts."""
    assert figures_with(JRA)[older] == figures_with(JRA)[newer]


def test_a_setting_changes_one_figure_and_no_other():
    before, after = figures_with(JRA), figures_with(JRA, {"0B30": {"fresh": 20}})
    assert asdict(after["0B30"]) == asdict(before["0B30"]) | {"fresh": 20}
    assert {name for name in before if before[name] != after[name]} == {"0B30"}


def test_a_setting_for_a_kind_reaches_those_without_a_figure_of_their_own():
    after = figures_with(JRA, {"real_time": {"error": 1200}, "0B12": {"error": 5}})
    assert [after[name].error for name in ("0B15", "0B12", "0B30", "RACE")] == [1200, 5, 300, 604800]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"0B99": {"fresh": 20}}, "'0B99'"),
        ({"race": {"fresh": 20}}, "'race'"),
        ({"0B30": {"frseh": 20}}, "0B30.frseh"),
        ({"0B30": 20}, "0B30 is 20"),
        ({"0B30": {"fresh": -1}}, "0B30.fresh is -1"),
        ({"0B30": {"fresh": "20"}}, "0B30.fresh is '20'"),
        ({"0B30": {"fresh": True}}, "0B30.fresh is True"),
        ({"0B30": {"fresh": float("nan")}}, "0B30.fresh is nan"),
        ({"0B30": {"settled": 1e12}}, "0B30.settled"),
        ({"0B30": {"fresh": 2}}, r"0B30.floor \(10\) is more than 0B30.fresh \(2\)"),
        ({"RACE": {"ceiling": 3600}}, "RACE.fresh"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_says_what_could(overrides, said):
    with pytest.raises(SettingsError, match=said) as caught:
        figures_with(JRA, overrides)
    assert caught.value.name == "JVGATE_LIFETIMES (lifetimes)"
    assert caught.value.allowed
