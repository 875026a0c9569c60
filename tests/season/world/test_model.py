"""The values of the world: keys, ages, and who came out of the gate."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from jvgate.season.world.model import Horse, MeetingDay, Name, Race, Result, Runner, Title

MEETING = MeetingDay(day=date(2026, 11, 15), week=46, circuit=0, course="05", kaiji=5, nichiji=4)
RACE = Race(
    meeting=MEETING, number=7, title=Title(), grade=" ", kind="11", symbol="000", weights="3", condition="701",
    ages=(2, 2), surface="turf", distance=1600, track="11", rail="A ", prizes=(500, 200, 130, 75, 50), added=(0, 0, 0),
    post=datetime(2026, 11, 15, 13, 5),
)  # fmt: skip


def horse(*, ancestry=tuple, birth=date(2023, 4, 30)):
    name = Name("テスト", "ﾃｽﾄ", "Test")
    return Horse(
        number="2023104567", name=name, birth=birth, sex="1", coat="01", symbol="00", home="1", entered=birth,
        retires=birth, ancestry=ancestry, owner=None, breeder=None, trainer_seat=0, sale_price_yen=0, sale_year=0,
        talent=500, base_weight_kg=480,
    )  # fmt: skip


def runner(**given):
    return Runner(
        number=1, bracket=1, horse=horse(), trainer=None, jockey=None, apprentice="0", carried=550, blinkers=False,
        weight_kg=480, weight_change_kg=None, appeal=100, **given,
    )  # fmt: skip


def test_the_keys_of_a_race_are_made_of_its_day_its_place_and_its_number():
    assert RACE.key == "2026111505050407"
    assert RACE.short_key == "202611150507"
    assert RACE.day == date(2026, 11, 15)


def test_a_race_is_found_by_an_equal_one():
    same, later = replace(RACE), replace(RACE, number=8)
    assert {RACE: "known"}[same] == "known"
    assert later not in {RACE}
    assert hash(later) != hash(RACE)


@pytest.mark.parametrize(
    ("day", "age"), [(date(2025, 12, 31), 2), (date(2026, 1, 1), 3), (date(2026, 12, 31), 3), (date(2023, 5, 1), 0)]
)
def test_a_horse_is_a_year_older_on_every_first_of_january(day, age):
    assert horse().age_on(day) == age


def test_a_pedigree_is_worked_out_when_it_is_asked_for():
    asked = []
    foal = horse(ancestry=lambda: asked.append("asked") or ("sire",))
    assert asked == []
    assert (foal.pedigree, asked) == (("sire",), ["asked"])


def test_horses_are_the_same_whoever_works_out_their_ancestors():
    assert horse(ancestry=lambda: ("one",)) == horse(ancestry=lambda: ("other",))


def test_who_was_withdrawn_does_not_start_but_who_did_not_finish_does():
    moment = RACE.post
    assert not runner(status="1", withdrawn_at=moment).starts
    assert runner(status="4", withdrawn_at=None).starts


def test_the_winner_is_the_first_of_the_finishes():
    result = Result(RACE, None, ("first", "second"), (), 0, 0, 0, 0, ())
    assert result.winner == "first"
