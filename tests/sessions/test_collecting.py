"""What a session is asked for a query, and what it gives as a dataset."""

import pytest

from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.sessions.collecting import Collected, request_of
from jvgate.values import Query, SourceFile
from tests.specs import JRA

RACE = Query("RACE", "20261101000000", option=1)


@pytest.mark.parametrize(
    ("query", "request_"),
    [
        (RACE, Request("RACE", "20261101000000", 1, limit_bytes=9)),
        (
            Query("RACE", "20261101000000", "20261108000000", option=2),
            Request("RACE", "20261101000000-20261108000000", 2, limit_bytes=9),
        ),
        (Query("0B12", key="20261108"), Request("0B12", key="20261108", limit_bytes=9)),
    ],
)
def test_a_query_is_asked_as_jvlink_wants_it(query, request_):
    assert request_of(query, JRA, limit_bytes=9) == request_


def test_there_need_not_be_a_limit():
    assert request_of(RACE, JRA, limit_bytes=None).limit_bytes is None


@pytest.mark.parametrize("query", [RACE, Query("0B12", key="20261108")])
def test_what_is_left_out_is_all_that_the_data_spec_delivers_but_what_is_wanted(query):
    kinds = JRA.dataspecs[query.dataspec].record_types
    one = Query(query.dataspec, query.from_time, option=query.option, key=query.key, records=(kinds[0],))
    assert request_of(one, JRA, limit_bytes=None).unwanted == frozenset(kinds[1:])
    assert request_of(query, JRA, limit_bytes=None).unwanted == frozenset()


def collected(*files):
    """A dataset of *files*: for each its name, time and batches."""
    sink = Collected(JRA.layouts)
    for name, provided, *batches in files:
        sink.begin(name, provided)
        for batch in batches:
            sink.records(batch, 1)
    return sink.dataset(RACE, Summary("20261108120000", 2, 7, 3, open_s=1.0, read_s=2.0), wait_s=0.5)


def test_a_dataset_is_every_batch_in_its_order_with_the_place_of_each_file():
    dataset = collected(("a", "20261107000000", b"ab", bytearray(b"cd")), ("b", "20261108000000", b"efg"))
    assert dataset.body == b"abcdefg"
    assert dataset.files == (SourceFile("a", "20261107000000", 0), SourceFile("b", "20261108000000", 4))


def test_a_dataset_tells_where_its_time_went_and_how_new_it_is():
    dataset = collected(("a", "", b"x"))
    assert (dataset.open_s, dataset.read_s, dataset.wait_s) == (1.0, 2.0, 0.5)
    assert (dataset.query, dataset.last_file_timestamp) == (RACE, "20261108120000")


def test_nothing_at_all_is_a_dataset():
    assert (collected().body, collected().files) == (b"", ())


def test_progress_is_passed_on():
    told = []
    Collected(JRA.layouts, told.append).progress(Progress(records_read=3))
    Collected(JRA.layouts).progress(Progress())  # nobody is interested
    assert told == [Progress(records_read=3)]
