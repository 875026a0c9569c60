"""Races and runners as records, from the entries to the final result: RA, SE, JG, TK and YS.

A *stage* is the record's DataKubun: 1 entries, 2 card, 3 first three, 4 first five, 5 all, 6 all with corners, 7 final.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from jvgate.records.encode import encode
from jvgate.season.market.market import win_odds
from jvgate.season.records.heads import head, race_head
from jvgate.season.records.mining import in_results
from jvgate.season.records.tickets import book_of
from jvgate.season.world.model import Finish, Horse, Jockey, MeetingDay, Race, Result, Runner
from jvgate.season.world.programme import GRADED
from jvgate.season.world.world import World

__all__ = ["body_weight", "exclusions", "meeting_days", "past_run", "race_card", "runners", "special_entries"]

Record = dict[str, object]
_WEEKDAY_CODES = {5: "1", 6: "2"}
_AGES = (2, 3, 4, 5)


def race_card(world: World, race: Race, *, stage: str, made: date, at: datetime | None = None) -> list[bytes]:
    """Return the RA record of *race*.  at: the moment whose changes are known before the result; none without."""
    record = race_head("RA", stage, made, race=race) | _race_info(race, english=stage != "1") | _conditions(race)
    record |= _course(race, stage, at) | {"Honsyokin": list(race.prizes), "TorokuTosu": len(world.field(race))}
    if stage != "1":
        record |= {"CourseKubunCD": race.rail, "Fukasyokin": list(race.added)}
    if stage >= "3":
        sky = world.result(race).conditions
        surfaces = {"SibaBabaCD": sky.turf} if race.surface != "dirt" else {}
        surfaces |= {"DirtBabaCD": sky.dirt} if race.surface != "turf" else {}
        record |= {"TenkoCD": sky.weather} | surfaces
    if stage >= "6":
        record |= _outcome(world.result(race))
    return [encode(record, world.layouts)]


def _race_info(race: Race, *, english: bool) -> Record:
    """Return day, titles and edition: the fields that RA and TK share."""
    title = race.title
    return {
        "YoubiCD": _WEEKDAY_CODES[race.day.weekday()],
        "TokuNum": title.number,
        "Hondai": title.main,
        "HondaiEng": title.latin if english else None,
        "Ryakusyo10": title.short10,
        "Ryakusyo6": title.short6,
        "Ryakusyo3": title.short3,
        "Kubun": "1" if title.running else "0",
        "Nkai": title.running,
        "GradeCD": race.grade,
    }


def _conditions(race: Race) -> Record:
    """Return who may run: one class for every age that may, and the youngest's once more."""
    youngest, oldest = race.ages
    classes = [race.condition if youngest <= age <= oldest else "000" for age in _AGES]
    return {
        "SyubetuCD": race.kind,
        "KigoCD": race.symbol,
        "JyuryoCD": race.weights,
        "JyokenCD": [*classes, race.condition],
    }


def _course(race: Race, stage: str, at: datetime | None) -> Record:
    """Return distance, track and post time, with what they were before a change once the result is coming."""
    moved = race.course_changed_at is not None and (stage >= "3" or (at is not None and at >= race.course_changed_at))
    late = race.post_changed_at is not None and (stage >= "3" or (at is not None and at >= race.post_changed_at))
    record: Record = {
        "Kyori": race.distance if moved else race.distance_before or race.distance,
        "TrackCD": race.track if moved else race.track_before or race.track,
        "HassoTime": f"{race.post if late else race.post_before or race.post:%H:%M}",
    }
    if stage >= "3" and moved:
        record |= {"KyoriBefore": race.distance_before, "TrackCDBefore": race.track_before}
    if stage >= "3" and late and race.post_before is not None:
        record["HassoTimeBefore"] = f"{race.post_before:%H:%M}"
    return record


def _outcome(result: Result) -> Record:
    """Return counts, laps and corners of a result."""
    started = [line for line in result.finishes if line.runner.starts]
    jump = result.race.surface == "jump"
    mile = result.winner.time * 1609 // result.race.distance if jump else 0
    return {
        "SyussoTosu": len(started),
        "NyusenTosu": sum(1 for line in started if line.place),
        "LapTime": [lap / 10 for lap in result.laps],
        "SyogaiMileTime": mile / 10 if jump else None,
        "HaronTimeS3": result.first3f / 10,
        "HaronTimeS4": result.first4f / 10,
        "HaronTimeL3": result.last3f / 10,
        "HaronTimeL4": result.last4f / 10,
        "CornerInfo": [
            {"Corner": str(corner.number), "Syukaisu": str(corner.lap), "Jyuni": corner.text}
            for corner in result.corners
        ],
    }


_SHOWN = {"3": 3, "4": 5}
"""Stage -> the last place that is settled; later stages show all."""


def runners(
    world: World,
    race: Race,
    *,
    stage: str,
    made: date,
    at: datetime | None = None,
) -> list[bytes]:
    """Return the SE records of *race*: by name in the entries, by number in the card and the results."""
    if stage == "1":
        named = sorted(world.field(race), key=lambda runner: runner.horse.name.kana)
        return [encode(_runner(race, runner, stage, made, at), world.layouts) for runner in named]
    if stage == "2":
        return [encode(_runner(race, runner, stage, made, at), world.layouts) for runner in world.field(race)]
    lines = [line for line in world.result(race).finishes if stage >= "5" or 0 < line.place <= _SHOWN[stage]]
    return [
        encode(run_record(world, race, line, stage=stage, made=made), world.layouts)
        for line in sorted(lines, key=lambda line: line.runner.number)
    ]


def _runner(race: Race, runner: Runner, stage: str, made: date, at: datetime | None) -> Record:
    """Return a runner before the race; at: the moment whose changes of riders are known."""
    changed = runner.jockey_changed_at is not None and (
        stage >= "3" or (at is not None and at >= runner.jockey_changed_at)
    )
    jockey = runner.jockey if changed else runner.jockey_before or runner.jockey
    mark = runner.apprentice if changed or runner.jockey_before is None else runner.apprentice_before
    carried = runner.carried if changed else runner.carried_before or runner.carried
    horse = runner.horse
    return race_head("SE", stage, made, race=race) | {
        "Wakuban": None if stage == "1" else runner.bracket,
        "Umaban": None if stage == "1" else runner.number,
        **_horse(horse),
        "HinsyuCD": "1",
        "KeiroCD": horse.coat,
        "Barei": horse.age_on(race.day),
        "TozaiCD": runner.trainer.home,
        "ChokyosiCode": runner.trainer.code,
        "ChokyosiRyakusyo": runner.trainer.name.short,
        "BanusiCode": horse.owner.code,
        "BanusiName": horse.owner.name.text,
        "Fukusyoku": horse.owner.silks,
        "Futan": carried / 10,
        "Blinker": "1" if runner.blinkers else "0",
        **_jockey(jockey, mark),
    }


def _horse(horse: Horse) -> Record:
    return {"KettoNum": horse.number, "Bamei": horse.name.text, "UmaKigoCD": horse.symbol, "SexCD": horse.sex}


def _jockey(jockey: Jockey, mark: str, tail: str = "") -> Record:
    return {f"KisyuCode{tail}": jockey.code, f"KisyuRyakusyo{tail}": jockey.name.short, f"MinaraiCD{tail}": mark}


@lru_cache(maxsize=512)
def _win_odds(world: World, race: Race) -> tuple[list[int], list[int]]:
    """Return final win odds (tenths) and ranks by horse number, as O1 has them."""
    return win_odds(book_of(world, race))


@lru_cache(maxsize=512)
def _mined(world: World, race: Race) -> dict[int, dict[str, object]]:
    """Return the last predictions by horse number, as DM has them."""
    return in_results(world, race)


def run_record(world: World, race: Race, line: Finish, *, stage: str, made: date) -> Record:
    """Return the fields of a runner once the result is coming in."""
    runner, at = line.runner, line.runner.number - 1
    record = _runner(race, runner, stage, made, None)
    if runner.jockey_before is not None:
        record |= _jockey(runner.jockey_before, runner.apprentice_before, "Before")
        if runner.carried_before != runner.carried:
            record["FutanBefore"] = runner.carried_before / 10
    record |= body_weight(runner) | {"IJyoCD": runner.status, "KakuteiJyuni": line.place}
    if line.place:
        record |= {"Time": line.time / 10, "ChakusaCD": line.margin}
    if runner.starts:
        odds, ranks = _win_odds(world, race)
        record |= {"Odds": odds[at] / 10, "Ninki": ranks[at]}
    if stage >= "6":
        record |= _finished(world, race, line)
    if stage == "7":
        record |= {"Honsyokin": line.prize, "Fukasyokin": line.added} | _mined(world, race).get(runner.number, {})
    return record


def past_run(world: World, race: Race, line: Finish, *, made: date) -> bytes:
    """Return the final SE record of one runner."""
    return encode(run_record(world, race, line, stage="7", made=made), world.layouts)


def body_weight(runner: Runner) -> Record:
    """Return body weight and its change as SE and WH have them: none at a first start, no weight when withdrawn."""
    if not runner.weight_kg:
        return {"BaTaijyu": None, "BaTaijyuMark": "withdrawn"}
    change = runner.weight_change_kg
    if change is None:
        return {"BaTaijyu": runner.weight_kg}
    sign = "+" if change > 0 else "-" if change < 0 else " "
    return {"BaTaijyu": runner.weight_kg, "ZogenFugo": sign, "ZogenSa": abs(change)}


def _finished(world: World, race: Race, line: Finish) -> Record:
    """Return what is known when all is settled: corners, last 600 m, difference, and the horse to compare with."""
    if not line.place:
        no_time = {"HaronTimeL3": None, "HaronTimeL3Mark": "no_time", "TimeDiff": None, "TimeDiffMark": "no_time"}
        return no_time | {"ChakuUmaInfo": _rivals(world, race, line)}
    return {
        "NyusenJyuni": line.line_place,
        "DochakuKubun": "1" if line.tied else "0",
        "DochakuTosu": line.tied,
        **{f"Jyuni{corner}c": place for corner, place in enumerate(line.corners, start=1)},
        "HaronTimeL3": line.last3f / 10,
        "ChakuUmaInfo": _rivals(world, race, line),
        # A winner's lead is written with a minus, even when it is nothing on the clock.
        "TimeDiff": -0.0 if line.place == 1 and not line.behind else line.behind / 10,
        "KyakusituKubun": line.style,
    }


def _rivals(world: World, race: Race, line: Finish) -> list[Record]:
    """Return the winners, or for a winner the next horses."""
    others = [other for other in world.result(race).finishes if other.place and other is not line]
    best = 1 if line.place != 1 else min((other.place for other in others), default=0)
    found: list[Record] = [
        {"KettoNum": other.runner.horse.number, "Bamei": other.runner.horse.name.text}
        for other in others
        if other.place == best
    ]
    return found[:3]


def exclusions(world: World, race: Race, *, made: date) -> list[bytes]:
    """Return the JG records: the horses that were left out, in the order of their entry."""
    return [
        encode(
            race_head("JG", "1", made, race=race)
            | {
                "KettoNum": horse.number,
                "Bamei": horse.name.text,
                "ShutsubaTohyoJun": order * 3,
                "ShussoKubun": "2",
                "JogaiJotaiKubun": "2" if order > 1 else "1",
            },
            world.layouts,
        )
        for order, horse in enumerate(world.excluded(race), start=1)
    ]


def special_entries(world: World, race: Race, *, kubun: str, made: date) -> list[bytes]:
    """Return the TK record of a special race: field and excluded horses; kubun 2 has the handicaps."""
    weighed = kubun == "2"
    carried = {runner.horse.number: runner for runner in world.field(race)}
    horses = sorted(
        [*(runner.horse for runner in carried.values()), *world.excluded(race)], key=lambda horse: horse.name.kana
    )
    slots: list[Record] = []
    for number, horse in enumerate(horses, start=1):
        runner, trainer = carried.get(horse.number), world.trainer_of(horse, race.day)
        slot = {"Num": number, **_horse(horse), "TozaiCD": trainer.home}
        slot |= {"ChokyosiCode": trainer.code, "ChokyosiRyakusyo": trainer.name.short, "Koryu": "0"}
        if runner and (weighed or race.weights != "1"):
            slot["Futan"] = (runner.carried_before or runner.carried) / 10
        slots.append(slot)
    planned = _course(race, "1", None)
    record = race_head("TK", kubun, made, race=race) | _race_info(race, english=True) | _conditions(race)
    record |= {"Kyori": planned["Kyori"], "TrackCD": planned["TrackCD"], "CourseKubunCD": race.rail}
    handicap_day = f"{made:%Y-%m-%d}" if weighed and race.weights == "1" else None
    return [encode(record | {"HandiDate": handicap_day, "TorokuTosu": len(slots), "TokuUmaInfo": slots}, world.layouts)]


def meeting_days(world: World, meeting: MeetingDay, *, kubun: str, made: date) -> list[bytes]:
    """Return the YS record of a meeting day with its graded races."""
    graded = [race for race in world.races(meeting.day) if race.meeting == meeting and race.grade in GRADED]
    slots: list[Record] = []
    for race in graded[:3]:
        shared = _race_info(race, english=False)
        slot = {
            key: shared[key] for key in ("TokuNum", "Hondai", "Ryakusyo10", "Ryakusyo6", "Ryakusyo3", "Nkai", "GradeCD")
        }
        slot |= {"SyubetuCD": race.kind, "KigoCD": race.symbol, "JyuryoCD": race.weights}
        slots.append(
            slot | {"Kyori": race.distance_before or race.distance, "TrackCD": race.track_before or race.track}
        )
    record = head("YS", kubun, made) | {
        "Year": meeting.day.year,
        "MonthDay": f"{meeting.day:%m-%d}",
        "JyoCD": meeting.course,
        "Kaiji": meeting.kaiji,
        "Nichiji": meeting.nichiji,
        "YoubiCD": _WEEKDAY_CODES[meeting.day.weekday()],
    }
    return [encode(record | {"JyusyoInfo": slots}, world.layouts)]
