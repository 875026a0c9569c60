"""`racing`: order, times, laps and corners agree with one another."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest

from jvgate.season.world.lineup import field_of
from jvgate.season.world.programme import races_on
from jvgate.season.world.racing import MARGINS, result_of

DAYS = [date(2025, 3, 1) + timedelta(days=7 * week + day) for week in range(0, 30, 9) for day in (0, 1)]


@pytest.fixture(scope="module")
def results():
    return [result_of(1, race) for day in DAYS for race in races_on(1, day)]


def _placed(result):
    return [line for line in result.finishes if line.place]


def test_every_runner_has_one_line(results):
    for result in results:
        assert sorted(line.runner.number for line in result.finishes) == [r.number for r in field_of(1, result.race)]


def test_laps_add_up_to_the_winners_time(results):
    flat = [result for result in results if result.race.surface != "jump"]
    assert all(sum(result.laps) == result.winner.time for result in flat)
    assert all(len(result.laps) == -(-result.race.distance // 200) for result in flat)


def test_the_order_follows_the_times(results):
    for result in results:
        times = [line.time for line in _placed(result)]
        assert times == sorted(times)


def test_margins_add_up_to_the_differences(results):
    for result in results:
        behind = 0
        for line in _placed(result)[1:]:
            behind += MARGINS[line.margin]
            assert abs((line.time - result.winner.time) * 10 - behind) < 10


def test_a_dead_heat_shares_place_time_and_prize(results):
    ties = [(a, b) for result in results for a, b in pairwise(_placed(result)) if b.margin == "D  "]
    assert ties
    assert all((a.place, a.time, a.prize, a.tied) == (b.place, b.time, b.prize, b.tied) for a, b in ties)


def test_corner_texts_agree_with_the_positions(results):
    for result in results:
        for corner in result.corners:
            place = 1
            for group in re.findall(r"\(([^)]*)\)|(\d+)", corner.text):
                numbers = [int(number) for number in re.findall(r"\d+", group[0] or group[1])]
                at = {line.runner.number: line.corners[corner.number - 1] for line in _placed(result)}
                assert {at[number] for number in numbers} == {place}
                place += len(numbers)
            assert len(corner.text) <= 70


def test_who_has_no_place_has_no_time(results):
    others = [line for result in results for line in result.finishes if not line.place]
    assert others
    assert all(line.time == 0 and line.runner.status in "1234" for line in others)


def test_the_last_600_metres_are_plausible(results):
    times = [line.last3f for result in results if result.laps for line in _placed(result)]
    assert 300 < min(times) <= max(times) < 480


@pytest.mark.parametrize("share", [range(25, 45)])
def test_the_favourite_wins_about_one_race_in_three(results, share):
    won = sum(
        max(field_of(1, r.race), key=lambda runner: runner.appeal * runner.starts) == r.winner.runner for r in results
    )
    assert won * 100 // len(results) in share
