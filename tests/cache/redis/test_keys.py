"""Keys in Redis: the query's own text where it is valid, and never another key's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jvgate.cache.redis.keys import Keys, query_text
from jvgate.values import Query

KEYS = Keys("jra")
STORED = Query("RACE", from_time="20261101000000", to_time="20261108000000", option=1, records=("RA", "SE"))
REALTIME = Query("0B15", key="20261115", records=("O1",))

any_text = st.text(alphabet=":+-{}*%[]?\\ \x00lease:tagRA01馬\ud800", max_size=8)
any_query = st.builds(
    Query, any_text, any_text, any_text, st.integers(0, 9), any_text, st.lists(any_text, max_size=3).map(tuple)
)


@pytest.mark.parametrize("query", [STORED, REALTIME, Query("DIFN", from_time="20261101000000", option=2)])
def test_the_text_of_a_valid_query_is_its_canonical_form(query):
    assert query_text(query) == str(query)


def test_a_key_is_readable():
    assert KEYS.value(query_text(STORED)) == "jvgate:3:jra:jra:RACE:20261101000000-20261108000000:1:RA+SE"
    assert KEYS.lease(query_text(REALTIME)) == "jvgate:3:jra:lease:jra:0B15:20261115:O1"
    assert KEYS.tag("2026-11-15") == "jvgate:3:jra:tag:2026%2D11%2D15"


@pytest.mark.parametrize(
    ("forged", "honest"),
    [
        (Query("0B15", key="20261115:O1"), REALTIME),
        (Query("0B15:20261115", key="O1"), REALTIME),
        (Query("0B12", key="a-b", records=("1",)), Query("0B12", from_time="a", to_time="b", option=1)),
        (Query("RACE", "1", "2", 1, records=("RA+SE",)), Query("RACE", "1", "2", 1, records=("RA", "SE"))),
        (Query("RACE", "1-2", "", 1), Query("RACE", "1", "2-", 1)),
    ],
)
def test_a_separator_in_a_part_makes_no_other_part(forged, honest):
    assert query_text(forged) != query_text(honest)


@pytest.mark.parametrize("word", ["lease", "tag", "purges", "news"])
def test_no_query_can_take_the_key_of_something_else(word):
    assert not KEYS.value(query_text(Query(word, key="x"))).startswith(f"jvgate:3:jra:{word}")


@given(any_query, any_query)
def test_two_queries_share_a_key_only_when_they_ask_the_same(one, other):
    same = query_text(one) == query_text(other)
    assert same == (asked(one) == asked(other))


def asked(query):
    """What of a query matters: a key makes it a real-time one, whatever else is set."""
    if query.is_realtime:
        return query.dataspec, query.key, query.records
    return query.dataspec, query.from_time, query.to_time, query.option, query.records


@given(any_query)
def test_a_key_holds_safe_characters_alone(query):
    assert re.fullmatch(r"[A-Za-z0-9_.%:+-]+", KEYS.value(query_text(query)))
