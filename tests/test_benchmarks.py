"""The benchmarks do not rot: each asks its question, and those without a server give their figures."""

import json

import pytest
from benchmarks import archive, decode, l1_lookup, l2_hit, measuring, odds_json, tags
from benchmarks.__main__ import PARTS
from benchmarks.measuring import QUICK, Figure, Sample, Wanted, main, question_of


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_benchmark_asks_its_question_in_its_first_line(part):
    assert question_of(part.measure).endswith("?")


@pytest.mark.process
@pytest.mark.parametrize("part", [archive, decode, l1_lookup, l2_hit, odds_json, tags], ids=lambda part: part.__name__)
def test_a_trial_run_gives_figures(part):
    figures = part.measure(QUICK)
    assert figures
    assert all(figure.ours.median > 0 and figure.ratio for figure in figures)


def _measure_nothing(effort):
    return [Figure("slow", Sample("us", (3.0, 9.0)), Sample("us", (6.0, 9.0)), Wanted(least_ratio=4))]


def test_a_promise_that_is_not_kept_is_the_exit_status(capsys):
    assert main(_measure_nothing, arguments=[]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_trial_run_judges_nothing(capsys):
    assert main(_measure_nothing, arguments=["--quick"]) == 0
    assert "MISSED" not in capsys.readouterr().out


@pytest.mark.process  # `platform` asks uname
def test_json_tells_every_round(capsys):
    main(_measure_nothing, arguments=["--json"])
    (figures,) = json.loads(capsys.readouterr().out)["answers"].values()
    assert figures[0]["ours"]["rounds"] == [3.0, 9.0]
    assert figures[0]["ratio"] == 1.5


@pytest.mark.parametrize(
    ("ours", "wanted", "met"),
    [
        (2.0, Wanted(least_ratio=4), True),
        (2.1, Wanted(least_ratio=4), False),
        (0.5, Wanted(most=0.5), True),
        (0.6, Wanted(most=0.5), False),
    ],
)
def test_a_promise_is_a_least_ratio_or_a_largest_value(ours, wanted, met):
    assert Figure("x", Sample("us", (ours,)), Sample("us", (8.0,)), wanted).is_met is met


def test_the_ratio_goes_round_by_round():
    """A machine that is slow for one round is slow for both ways."""
    assert Figure("x", Sample("us", (1.0, 10.0, 2.0)), Sample("us", (4.0, 40.0, 8.0))).ratio == 4


def test_compare_runs_both_ways_on_every_item():
    seen = []
    measuring.compare("x", seen.append, lambda n: seen.append(-n), [1, 2, 3], effort=QUICK)
    assert {*seen} == {1, 2, 3, -1, -2, -3}
