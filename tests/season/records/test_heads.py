"""`heads`: how records begin."""

from datetime import date, datetime

from jvgate.season.records.heads import announced, head, race_head
from jvgate.season.world.world import world_of
from tests.specs import JRA


def test_a_head_says_what_state_and_when():
    assert head("UM", "4", date(2026, 11, 23)) == {"RecordSpec": "UM", "DataKubun": "4", "MakeDate": "2026-11-23"}


def test_a_race_head_holds_the_race_key():
    race = world_of(1, JRA.layouts).races(date(2026, 11, 22))[10]
    fields = race_head("RA", "7", date(2026, 11, 23), race=race)
    key = f"{fields['Year']}{fields['MonthDay']}".replace("-", "") + str(fields["JyoCD"])
    assert key + f"{fields['Kaiji']:02d}{fields['Nichiji']:02d}{fields['RaceNum']:02d}" == race.key


def test_announcements_have_no_year():
    assert announced(datetime(2026, 11, 21, 15, 40)) == "11-21T15:40"
