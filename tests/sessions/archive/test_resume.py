"""`resume`: the mark of a recorded folder, and where the next run continues."""

from dataclasses import replace

import pytest

from jvgate.errors import ArchiveError, QueryError
from jvgate.sessions.archive.resume import MARK_NAME, SETUP, Mark, advanced, resumed
from jvgate.values import Query

RACE = Query("RACE", from_time="20261101000000", option=1)
REACHED = "20261115120000"


def begin(query: Query, before: Mark | None, *, origin: str = "", has_from: bool = True, is_empty: bool = False):
    return resumed(query, before, origin=origin, has_from=has_from, is_empty=is_empty)


def test_a_mark_comes_back_as_it_was_written(tmp_path):
    assert Mark.read(tmp_path) is None
    mark = Mark(1, ("RA", "SE"), "demo:?seed=7", REACHED, setup_until=REACHED)
    mark.write(tmp_path)
    assert Mark.read(tmp_path) == mark
    assert [path.name for path in tmp_path.iterdir()] == [MARK_NAME]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version": 2}',
        '{"version": 1}',
        "no JSON",
        '{"version": 1, "option": 1, "records": [1]}',
        '{"version": 1, "option": 1, "records": [], "last_file_timestamp": "soon"}',
    ],
)
def test_a_mark_that_makes_no_sense_is_told(tmp_path, text):
    (tmp_path / MARK_NAME).write_text(text)
    with pytest.raises(ArchiveError, match="remove it"):
        Mark.read(tmp_path)


def test_a_run_without_a_from_time_continues_where_the_last_one_ended():
    mark, query = begin(RACE, Mark(1, last_file_timestamp=REACHED), has_from=False)
    assert query.from_time == mark.last_file_timestamp == REACHED


def test_a_run_without_a_from_time_needs_a_run_that_came_to_its_end():
    with pytest.raises(QueryError, match="nothing to go on from"):
        begin(RACE, Mark(1), has_from=False)


@pytest.mark.parametrize("before", [Mark(1, ("RA",)), Mark(1, origin="nvlink:"), Mark(2)])
def test_another_selection_origin_or_option_is_refused(before):
    with pytest.raises(QueryError, match="another way would mix"):
        begin(RACE, replace(before, last_file_timestamp=REACHED))


def test_an_empty_folder_that_never_came_to_an_end_takes_any_selection():
    mark, _ = begin(RACE, Mark(1, ("RA",)), is_empty=True)
    assert mark == Mark(1)


@pytest.mark.parametrize("option", SETUP)
def test_the_normal_option_continues_a_set_up_after_its_end(option):
    mark, _ = begin(replace(RACE, from_time=REACHED), Mark(option, last_file_timestamp=REACHED))
    assert mark == Mark(1, last_file_timestamp=REACHED, setup_until=REACHED)


def test_the_normal_option_does_not_reach_back_into_a_set_up():
    with pytest.raises(QueryError, match="recorded by a set-up"):
        begin(RACE, Mark(3, last_file_timestamp=REACHED))


def test_an_end_before_the_reached_point_is_refused():
    query = replace(RACE, to_time="20261110000000")
    with pytest.raises(QueryError, match="not before --to"):
        begin(query, Mark(1, last_file_timestamp=REACHED), has_from=False)


def test_a_whole_run_moves_the_mark_to_its_newest_file():
    assert advanced(Mark(1), RACE, REACHED).last_file_timestamp == REACHED


def test_a_run_over_an_older_stretch_does_not_move_the_mark_back():
    mark = Mark(1, last_file_timestamp=REACHED)
    assert advanced(mark, RACE, "20261105000000") == mark


def test_a_run_that_leaves_a_gap_behind_the_mark_does_not_move_it():
    mark = Mark(1, last_file_timestamp="20261001000000")
    assert advanced(mark, RACE, REACHED) == mark
