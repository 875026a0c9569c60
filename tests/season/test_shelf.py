"""`shelf`: what the simulator takes from the season."""

import time
from datetime import datetime, timedelta

from jvgate.season.shelf import SeasonShelf
from tests.specs import JRA

SHELF = SeasonShelf(JRA.layouts, 1)
NOW = datetime(2026, 11, 24, 9)


def test_nothing_is_there_before_it_was_provided():
    for hours in range(0, 24 * 8, 5):
        now = NOW - timedelta(hours=hours)
        assert all(file.provided <= f"{now:%Y%m%d%H%M%S}" for file in SHELF.stored("RACE", now=now, setup=False))


def test_normal_data_is_a_year_and_setup_data_all():
    kept, all_ = (SHELF.stored("RACE", now=NOW, setup=setup) for setup in (False, True))
    assert kept[0].provided >= "20251124"
    assert all_[0].provided < "20240106"
    assert list(all_[-len(kept) :]) == list(kept)


def test_a_year_of_files_is_listed_at_once():
    started = time.perf_counter()
    SHELF.stored("RACE", now=NOW, setup=False)
    assert time.perf_counter() - started < 0.5


def test_a_files_content_does_not_depend_on_when_it_is_asked_for():
    earlier, later = (SHELF.stored("RACE", now=NOW + timedelta(days=days), setup=False) for days in (0, 30))
    names = {file.name: file for file in later}
    file = next(file for file in reversed(earlier) if file.record == "SE")
    assert list(names[file.name].read()) == list(file.read())


def test_there_is_always_a_last_weekend_with_results_and_a_next_one_with_entries():
    for days in range(7):
        stages = {file.job.stage for file in SHELF.stored("RACE", now=NOW + timedelta(days=days), setup=False)[-60:]}
        assert stages & {"5", "7"}
    friday = SHELF.stored("RACE", now=datetime(2026, 11, 27, 9), setup=False)
    assert friday[-1].job.stage == "1"


def test_an_unknown_data_spec_has_no_files():
    assert SHELF.stored("ZZZZ", now=NOW, setup=True) == []
    assert SHELF.realtime("0B99", "20261122", now=NOW) is None


def test_two_seeds_are_two_seasons():
    file, other = (SeasonShelf(JRA.layouts, seed).stored("TOKU", now=NOW, setup=False)[-1] for seed in (1, 2))
    assert file.name == other.name
    assert list(file.read()) != list(other.read())
