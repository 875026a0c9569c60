"""Tags say what an entry is about; a purge never misses an entry that holds what it names."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jvgate.errors import QueryError
from jvgate.freshness.tags import MOST_DAYS, MOST_RACES, is_purged, purge_tags, tags_of
from jvgate.records.runs import RawRecord
from jvgate.spec.places import place_of
from jvgate.values import Query
from tests.raceday import GARBAGE, dataset, frames_of, race_day, record
from tests.specs import JRA

SHORT, LONG = "202611150511", "2026111505050411"
DAY = SHORT[:8]


def realtime(key, *records, dataspec="0B12"):
    return dataset(*records, query=Query(dataspec, key=key))


def found(tagged):
    return tags_of(tagged)


def is_hit(tagged, **purge):
    return is_purged(found(tagged), purge_tags(JRA.key_rules, **purge))


def test_a_dataset_is_tagged_with_what_it_holds():
    assert found(dataset(*race_day())) == {
        "dataspec=RACE", "record=RA", "record=SE", "record=HR", "record=O1", f"date={DAY}", f"race={SHORT}",
    }  # fmt: skip


def test_an_empty_dataset_is_tagged_with_what_was_asked():
    assert found(dataset()) == {"dataspec=RACE"}
    assert found(realtime(LONG)) == {"dataspec=0B12", f"date={DAY}", f"race={SHORT}"}


@pytest.mark.parametrize("race", [SHORT, LONG])
@pytest.mark.parametrize("key", [SHORT, LONG, DAY, f"TC{SHORT}20261115103000"])
def test_a_purge_by_race_takes_both_forms_and_hits_every_key_of_that_race(key, race):
    assert is_hit(realtime(key), race=race)
    assert is_hit(realtime(key), date=DAY)


@pytest.mark.parametrize("key", ["202611150512", "202611140511", "20261114"])
def test_a_purge_by_race_leaves_other_races_alone(key):
    assert not is_hit(realtime(key), race=SHORT)


def test_the_answer_of_a_day_is_hit_by_a_race_that_it_does_not_hold_yet():
    assert is_hit(realtime(DAY, record("RA", RaceNum=1)), race=SHORT)


@pytest.mark.parametrize("kind", ["WE", "WF", "YS"])
def test_what_is_about_a_day_is_hit_by_each_of_its_races(kind):
    values = {"KaisaiDate": "2026-11-15"} if kind == "WF" else {}
    assert is_hit(dataset(record(kind, **values)), race=SHORT)
    assert not is_hit(dataset(record(kind, **values)), race="202611140511")


def test_a_record_that_mentions_a_race_is_not_about_it():
    assert found(dataset(record("UM"), record("KS"))) == {"dataspec=RACE", "record=UM", "record=KS"}


def test_beyond_the_bound_a_dataset_is_tagged_by_its_days_and_still_hit():
    courses, numbers = range(1, 11), range(1, MOST_RACES // 10 + 2)
    many = dataset(*(record("TC", JyoCD=f"{c:02}", RaceNum=n) for c in courses for n in numbers))
    assert len(found(many)) < 10
    assert is_hit(many, race=SHORT)
    assert not is_hit(many, race="202611140511")


def test_more_days_than_the_bound_are_any_day():
    days = [f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    many = dataset(*(record("TC", Year=year, MonthDay=day) for year in (2024, 2025) for day in days))
    assert len(days) * 2 > MOST_DAYS
    assert found(many) == {"dataspec=RACE", "record=TC", "date=any", "races=any"}
    assert is_hit(many, race=SHORT)
    assert is_hit(many, date="19990101")


@pytest.mark.parametrize("odd", [GARBAGE, record("RA")[:20], record("RA").replace(b"20261115", b"2026 115")])
def test_bytes_that_cannot_be_read_may_be_about_anything(odd):
    assert is_hit(dataset(record("UM"), odd), race="202001010101")
    assert is_hit(dataset(record("UM"), odd), date="20200101")
    assert not is_hit(dataset(record("UM"), odd), dataspec="DIFN")


def test_a_purge_of_several_things_means_all_of_them():
    assert is_hit(dataset(*race_day()), dataspec="RACE", date=DAY, record="HR")
    assert not is_hit(dataset(*race_day()), dataspec="0B12", date=DAY)


def test_a_purge_of_nothing_hits_nothing():
    assert not is_hit(dataset(*race_day()))


@pytest.mark.parametrize("wrong", [{"race": "2026"}, {"date": "20261301"}, {"race": DAY}, {"date": SHORT}])
def test_a_purge_of_what_is_no_race_or_day_is_refused(wrong):
    with pytest.raises(QueryError):
        purge_tags(JRA.key_rules, **wrong)


@cache
def race_record(kind, day, course, race):
    return record(kind, MonthDay=day, JyoCD=course, RaceNum=race)


pieces = st.lists(
    st.builds(
        race_record,
        st.sampled_from(["RA", "TC", "JG", "HR", "AV"]),
        st.sampled_from(["11-15", "11-22"]),
        st.sampled_from(["05", "08"]),
        st.integers(1, 12),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(pieces, st.integers(0, 2**32), st.sampled_from(["whole", "stripped", "cut", "overwritten", "nul"]))
def test_a_purge_never_misses_a_race_that_a_reader_would_find(records, seed, damage):
    body = damaged(records, random.Random(seed), damage)
    tags = found(dataset(body))
    for frame in frames_of(body):
        if isinstance(frame, RawRecord) and frame.layout is not None and place_of(frame.layout).race:
            spans = place_of(frame.layout).day + place_of(frame.layout).race
            race = b"".join(frame.raw[offset : offset + length] for offset, length in spans)
            if race.isdigit():
                assert {f"race={race.decode()}", f"races={race[:8].decode()}", "races=any"} & tags


def damaged(records, rng, damage):
    """The bytes of *records*, some of them harmed."""
    harmed = [raw.rstrip() + b"\r\n" if damage == "stripped" and rng.random() < 0.5 else raw for raw in records]
    body = bytearray((b"\0" if damage == "nul" else b"").join(harmed))
    for _ in range(rng.randrange(4) if body and damage in ("cut", "overwritten") else 0):
        at = rng.randrange(len(body))
        if damage == "cut":
            del body[at : at + rng.randrange(1, 40)]
        else:
            body[at : at + 2] = rng.choice([b"\r\n", b"xx", b"\0\0", b"99"])
    return bytes(body)
