"""What is announced on a race day: weather and going, withdrawals, riders, times and courses changed, body weights.

A notice is one announcement: its event key (as `0B16` takes it), when it was made, and its records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from jvgate.records.encode import encode
from jvgate.season.records.cards import body_weight
from jvgate.season.records.heads import announced, head, race_head
from jvgate.season.world.model import Conditions, MeetingDay, Race
from jvgate.season.world.world import World

__all__ = ["WEIGHTS_BEFORE_POST", "Notice", "notices", "weights"]

WEIGHTS_BEFORE_POST = timedelta(minutes=55)


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement.  key: type, day, course, race (00: the whole course), 14 digits of when it was sent."""

    key: str
    at: datetime
    records: tuple[bytes, ...]


def notices(world: World, day: date) -> list[Notice]:
    """Return all announcements of *day* in order of type and time; those of the evening before included."""
    found = [notice for meeting in world.meetings(day) for notice in _weather(world, meeting)]
    races = world.races(day)
    for make in (_withdrawals, _riders, _posts, _courses):
        found += [notice for race in races for notice in make(world, race)]
    return found


def weights(world: World, race: Race, *, now: datetime) -> list[bytes]:
    """Return the WH record of *race*, nothing before the horses were weighed."""
    at = (race.post_before or race.post) - WEIGHTS_BEFORE_POST
    if now < at:
        return []
    slots = [
        {"Umaban": runner.number, "Bamei": runner.horse.name.text, **body_weight(runner)}
        for runner in world.field(race)
    ]
    return [
        encode(
            race_head("WH", "1", at.date(), race=race) | {"HappyoTime": announced(at), "BataijyuInfo": slots},
            world.layouts,
        )
    ]


def _key(kind: str, short_key: str, at: datetime) -> str:
    return f"{kind}{short_key}{at:%Y%m%d%H%M%S}"


def _weather(world: World, meeting: MeetingDay) -> list[Notice]:
    """Return the morning's announcement and the day's changes; weather and going changed at once are two records."""
    told = world.conditions(meeting)
    place = f"{meeting.day:%Y%m%d}{meeting.course}00"
    notices = [Notice(_key("WE", place, told[0].at), told[0].at, (_sky(world, meeting, "1", told[0], None),))]
    for before, after in pairwise(told):
        kinds = "2" * (before.weather != after.weather)
        kinds += "3" * ((before.turf, before.dirt) != (after.turf, after.dirt))
        records = tuple(_sky(world, meeting, kind, after, before) for kind in kinds)
        notices.append(Notice(_key("WE", place, after.at), after.at, records))
    return notices


def _sky(world: World, meeting: MeetingDay, kind: str, after: Conditions, before: Conditions | None) -> bytes:
    """Return one WE record; only what changed is told."""
    record = head("WE", "1", after.at.date()) | {
        "Year": meeting.day.year,
        "MonthDay": f"{meeting.day:%m-%d}",
        "JyoCD": meeting.course,
        "Kaiji": meeting.kaiji,
        "Nichiji": meeting.nichiji,
        "HappyoTime": announced(after.at),
        "HenkoID": kind,
    }
    for tail, sky in (("", after), ("Before", before)):
        if sky and kind in "12":
            record[f"TenkoBaba{tail}_TenkoCD"] = sky.weather
        if sky and kind in "13":
            record |= {f"TenkoBaba{tail}_SibaBabaCD": sky.turf, f"TenkoBaba{tail}_DirtBabaCD": sky.dirt}
    return encode(record, world.layouts)


def _withdrawals(world: World, race: Race) -> list[Notice]:
    """Return one AV notice for every runner that was scratched or excluded."""
    return [
        Notice(
            _key("AV", race.short_key, runner.withdrawn_at),
            runner.withdrawn_at,
            (
                encode(
                    race_head("AV", "1" if runner.status == "1" else "2", runner.withdrawn_at.date(), race=race)
                    | {
                        "HappyoTime": announced(runner.withdrawn_at),
                        "Umaban": runner.number,
                        "Bamei": runner.horse.name.text,
                    },
                    world.layouts,
                ),
            ),
        )
        for runner in world.field(race)
        if runner.withdrawn_at
    ]


def _riders(world: World, race: Race) -> list[Notice]:
    """Return one JC notice for every change of rider."""
    found = []
    for runner in world.field(race):
        at, before = runner.jockey_changed_at, runner.jockey_before
        if at is None or before is None:
            continue
        record = race_head("JC", "1", at.date(), race=race) | {
            "HappyoTime": announced(at),
            "Umaban": runner.number,
            "Bamei": runner.horse.name.text,
            "JCInfoAfter_Futan": runner.carried / 10,
            "JCInfoAfter_KisyuCode": runner.jockey.code,
            "JCInfoAfter_KisyuName": runner.jockey.name.text,
            "JCInfoAfter_MinaraiCD": runner.apprentice,
            "JCInfoBefore_Futan": runner.carried_before / 10,
            "JCInfoBefore_KisyuCode": before.code,
            "JCInfoBefore_KisyuName": before.name.text,
            "JCInfoBefore_MinaraiCD": runner.apprentice_before,
        }
        found.append(Notice(_key("JC", race.short_key, at), at, (encode(record, world.layouts),)))
    return found


def _posts(world: World, race: Race) -> list[Notice]:
    """Return the TC notice of a race that started later than planned."""
    at, before = race.post_changed_at, race.post_before
    if at is None or before is None:
        return []
    record = race_head("TC", "1", at.date(), race=race) | {
        "HappyoTime": announced(at),
        "TCInfoAfter_Ji": race.post.hour,
        "TCInfoAfter_Fun": race.post.minute,
        "TCInfoBefore_Ji": before.hour,
        "TCInfoBefore_Fun": before.minute,
    }
    return [Notice(_key("TC", race.short_key, at), at, (encode(record, world.layouts),))]


def _courses(world: World, race: Race) -> list[Notice]:
    """Return the CC notice of a race that was moved to another course."""
    at = race.course_changed_at
    if at is None:
        return []
    snow = world.conditions(race.meeting)[0].weather in "56"
    record = race_head("CC", "1", at.date(), race=race) | {
        "HappyoTime": announced(at),
        "CCInfoAfter_Kyori": race.distance,
        "CCInfoAfter_TruckCd": race.track,
        "CCInfoBefore_Kyori": race.distance_before,
        "CCInfoBefore_TruckCd": race.track_before,
        "JiyuCd": "3" if snow else "4",
    }
    return [Notice(_key("CC", race.short_key, at), at, (encode(record, world.layouts),))]
