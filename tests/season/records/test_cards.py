"""`cards`: races and runners as records, stage by stage."""

import hashlib
from datetime import date

import pytest

from jvgate.records.decode import decode
from jvgate.season.records import cards
from jvgate.season.world.world import world_of
from tests.specs import JRA

WORLD = world_of(1, JRA.layouts)
DAY, MADE = date(2026, 11, 22), date(2026, 11, 23)
RACES = WORLD.races(DAY)
STAKES = next(race for race in RACES if race.number == 11)


def _card(race, stage):
    return decode(cards.race_card(WORLD, race, stage=stage, made=MADE)[0], JRA.layouts)


def _runners(race, stage):
    return [decode(raw, JRA.layouts) for raw in cards.runners(WORLD, race, stage=stage, made=MADE)]


@pytest.mark.parametrize("stage", list("1234567"))
def test_every_record_of_every_stage_decodes_without_a_flaw(stage):
    for race in RACES:
        records = [_card(race, stage), *_runners(race, stage)]
        assert all("_errors" not in record and record["DataKubun"] == stage for record in records)


def test_thursdays_entries_have_neither_bracket_nor_number():
    entries = _runners(STAKES, "1")
    assert {(each["Wakuban"], each["Umaban"]) for each in entries} == {(None, None)}
    assert {each["KettoNum"] for each in entries} == {r.horse.number for r in WORLD.field(STAKES)}


@pytest.mark.parametrize(("stage", "last"), [("3", 3), ("4", 5)])
def test_quick_results_show_only_the_settled_places(stage, last):
    for race in RACES:
        assert max(record["KakuteiJyuni"] for record in _runners(race, stage)) <= last


def test_the_final_card_agrees_with_its_runners():
    for race in RACES:
        card, runners = _card(race, "7"), _runners(race, "7")
        assert card["TorokuTosu"] == len(runners)
        assert card["NyusenTosu"] == sum(record["KakuteiJyuni"] is not None for record in runners)
        winner = next(record for record in runners if record["KakuteiJyuni"] == 1)
        laps = sum(round(lap * 10) for lap in card["LapTime"] if lap)
        assert laps in (round(winner["Time"] * 10), 0)


def test_popularity_follows_the_odds():
    for race in RACES:
        ran = sorted((r for r in _runners(race, "7") if r["Ninki"]), key=lambda record: record["Ninki"])
        assert [record["Odds"] for record in ran] == sorted(record["Odds"] for record in ran)


def test_who_did_not_run_has_no_result():
    absent = [record for race in RACES for record in _runners(race, "7") if record["IJyoCD"] in ("1", "2", "3")]
    assert absent
    assert all(record["Time"] is None and record["TimeDiffMark"] == "no_time" for record in absent)


def test_special_entries_hold_the_field_and_those_left_out():
    record = decode(cards.special_entries(WORLD, STAKES, kubun="2", made=MADE)[0], JRA.layouts)
    horses = [*(r.horse for r in WORLD.field(STAKES)), *WORLD.excluded(STAKES)]
    assert {slot["KettoNum"] for slot in record["TokuUmaInfo"] if slot} == {horse.number for horse in horses}


def test_exclusions_name_those_left_out():
    for race in RACES:
        records = [decode(raw, JRA.layouts) for raw in cards.exclusions(WORLD, race, made=MADE)]
        assert [record["KettoNum"] for record in records] == [horse.number for horse in WORLD.excluded(race)]


def test_a_meeting_day_names_its_graded_races():
    meeting = STAKES.meeting
    record = decode(cards.meeting_days(WORLD, meeting, kubun="3", made=MADE)[0], JRA.layouts)
    graded = [race for race in RACES if race.meeting == meeting and race.grade in cards.GRADED]
    named = [slot for slot in record["JyusyoInfo"] if slot and slot["Hondai"]]
    assert [slot["TokuNum"] for slot in named] == [race.title.number for race in graded]


@pytest.mark.parametrize(
    ("key", "digest"),
    [("202401130611", "f0e988f1cb00"), ("202611220511", "cea780490f42"), ("203106010501", "5afd3452a485")],
)
def test_the_same_seed_gives_the_same_bytes_for_ever(key, digest):
    race = WORLD.race(key)
    raw = b"".join(
        cards.race_card(WORLD, race, stage="7", made=MADE) + cards.runners(WORLD, race, stage="7", made=MADE)
    )
    assert hashlib.blake2b(raw, digest_size=6).hexdigest() == digest
