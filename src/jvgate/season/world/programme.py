"""The programme: which race stands at which number of a meeting day, its conditions, title, money and post time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from jvgate.season.world.belts import BELTS, Belt
from jvgate.season.world.meetings import (
    conditions_of,
    meetings_on,
    month_start_round,
    round_on_or_after,
    saturday_of,
    week_of_round,
)
from jvgate.season.world.model import MeetingDay, Race, Title
from jvgate.season.world.names import race_word
from jvgate.season.world.rng import Dice
from jvgate.season.world.tracks import course_offers

__all__ = ["GRADED", "belt_of", "race_at", "race_index", "races_on", "round_of"]

GRADED = "ABCDFGH"
"""Grade codes of the races that count their runnings."""

_POSTS = (950, 1020, 1050, 1120, 1205, 1235, 1305, 1340, 1415, 1450, 1530, 1610)
_POST_DELAY = {0: 15, 1: 0, 2: 5}

_PRIZES = {
    "701": 72_000, "703": 56_000, "005": 80_000, "010": 114_000, "016": 184_000,
    "E": 220_000, "L": 270_000, "C": 410_000, "B": 600_000, "A": 1_500_000, "jump": 83_000, "H": 290_000, "G": 410_000,
    "F": 660_000,
}  # fmt: skip
"""Condition or grade -> what the winner earns, 100 yen."""

_SHARES = (100, 40, 25, 15, 10)
_ADDED_SHARES = (70, 20, 10)

_CLASSIC_WEEKS = {6: 0, 12: 1, 17: 1, 19: 0, 22: 1, 25: 0, 39: 0, 42: 1, 44: 0, 46: 1, 48: 0, 51: 0}
"""Week of the year -> circuit: where the Grade 1 race of that Sunday is run."""

_TITLE_ENDS = {
    "E9": "特別:Tokubetsu:特別",
    "E": "ステークス:Stakes:Ｓ",
    "G": "カップ:Cup:Ｃ",
    "A": "大賞典:Grand Prix:大賞",
    "jump": "ジャンプステークス:Jump Stakes:ＪＳ",
}


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in the programme: which belt's how-manieth race stands there."""

    belt: Belt
    index: int


@lru_cache(maxsize=8)
def _slots(circuit: int) -> dict[tuple[int, int], _Slot]:
    """Return the slots of a circuit's weekend by (day, race number)."""
    return {slot: _Slot(belt, at) for belt in BELTS[circuit].values() for at, slot in enumerate(belt.slots)}


def belt_of(race: Race) -> Belt:
    """Return the belt on which the horses of *race* are."""
    return _slots(race.meeting.circuit)[race.day.weekday() - 5, race.number].belt


def race_index(race: Race) -> int:
    """Return which of its belt's races of the weekend it is."""
    return _slots(race.meeting.circuit)[race.day.weekday() - 5, race.number].index


@lru_cache(maxsize=4096)
def round_of(race: Race) -> int:
    """Return the round in which *race* is run."""
    return round_on_or_after(race.meeting.circuit, race.day - timedelta(days=race.day.weekday() - 5))


@lru_cache(maxsize=512)
def races_on(seed: int, day: date) -> tuple[Race, ...]:
    """Return the races of *day* by course and number."""
    return tuple(
        _changed(seed, _planned(seed, meeting, number)) for meeting in meetings_on(day) for number in range(1, 13)
    )


def race_at(seed: int, belt: Belt, number: int, index: int) -> Race:
    """Return race *index* of a belt's round."""
    day, race_number = belt.slots[index]
    return _by_slot(seed, saturday_of(week_of_round(belt.circuit, number)) + timedelta(days=day))[
        belt.circuit, race_number
    ]


@lru_cache(maxsize=512)
def _by_slot(seed: int, day: date) -> dict[tuple[int, int], Race]:
    """Return the races of *day* by circuit and number."""
    return {(race.meeting.circuit, race.number): race for race in races_on(seed, day)}


def _planned(seed: int, meeting: MeetingDay, number: int) -> Race:
    """Return a race as it stands in the programme before any change of the day."""
    belt = _slots(meeting.circuit)[meeting.day.weekday() - 5, number].belt
    grade = _grade(meeting, belt, number)
    surface, distance, track = _course(seed, meeting, belt, number, grade)
    condition = _condition(meeting, belt)
    prize = _PRIZES.get(grade) or _PRIZES[condition if condition != "999" else "jump"]
    if belt.name == "jump":
        prize = _PRIZES.get(grade, _PRIZES["jump"])
    kind, youngest, oldest = _ages(meeting, belt)
    return Race(
        meeting=meeting,
        number=number,
        title=_title(meeting, number, grade, belt),
        grade=grade,
        kind=kind,
        symbol="A04" if grade in GRADED or grade == "L" else "A03" if belt.crop else "000",
        weights=_weights(belt, grade, number),
        condition=condition,
        ages=(youngest, oldest),
        surface=surface,
        distance=distance,
        track=track,
        rail="  " if surface == "dirt" else "ABCD"[(meeting.nichiji - 1) // 4 % 3] + " ",
        prizes=tuple(prize * share // 100 for share in _SHARES),
        added=tuple(prize // 40 * share // 100 for share in _ADDED_SHARES) if grade != " " else (),
        post=_post(meeting, number),
    )


def _post(meeting: MeetingDay, number: int) -> datetime:
    """Return the post time of a race: the meetings of a day start a few minutes apart."""
    hour, minute = divmod(_POSTS[number - 1], 100)
    start = datetime(meeting.day.year, meeting.day.month, meeting.day.day, hour, minute)
    return start + timedelta(minutes=_POST_DELAY[meeting.circuit])


def _week_in_year(meeting: MeetingDay) -> int:
    saturday = meeting.day - timedelta(days=meeting.day.weekday() - 5)
    return (saturday.timetuple().tm_yday - 1) // 7


def _grade(meeting: MeetingDay, belt: Belt, number: int) -> str:
    """Return the grade of a slot in a week of the year: the same every year, whatever the seed."""
    week, sunday = _week_in_year(meeting), meeting.day.weekday() == 6
    if belt.name == "jump":
        return "F" if week in (15, 51) else "G" if week % 17 == 8 else "H" if week % 9 == 4 else " "
    if belt.name != "open":
        return "E" if number in (9, 10) else " "
    if not sunday:
        return "C" if week % 4 == 1 else "LE"[week % 2]
    if meeting.circuit == 2:
        return "C" if week % 2 else "L"
    if _CLASSIC_WEEKS.get(week) == meeting.circuit:
        return "A"
    return "B" if (week + meeting.circuit) % 3 == 0 else "C"


def _condition(meeting: MeetingDay, belt: Belt) -> str:
    """Return the class (table 2007): in the first rounds of a crop every maiden has never run."""
    if belt.name != "maiden":
        return belt.condition
    number = round_on_or_after(meeting.circuit, meeting.day - timedelta(days=meeting.day.weekday() - 5))
    fresh = number - month_start_round(meeting.circuit, meeting.day.year, 6)
    return "701" if 0 <= fresh < belt.period else "703"


def _ages(meeting: MeetingDay, belt: Belt) -> tuple[str, int, int]:
    """Return kind (table 2005), youngest and oldest age: in spring the upper classes hold no three-year-olds."""
    number = round_on_or_after(meeting.circuit, meeting.day - timedelta(days=meeting.day.weekday() - 5))
    saturday = meeting.day - timedelta(days=meeting.day.weekday() - 5)
    spring = number < month_start_round(meeting.circuit, saturday.year, 6)
    if belt.crop:
        return ("12", 3, 3) if spring else ("11", 2, 2)
    if belt.name == "jump":
        return ("19", 4, 9) if spring else ("18", 3, 9)
    return ("14", 4, 9) if spring and belt.name != "win1" else ("13", 3, 9)


def _weights(belt: Belt, grade: str, number: int) -> str:
    """Return how weights are set (table 2008): the E, L and some C races are handicaps."""
    if belt.crop:
        return "3"
    if belt.free and grade in "CLE" and number == 11:
        return "1" if grade != "C" else "2"
    return "1" if belt.name == "win3" else "4"


def _course(seed: int, meeting: MeetingDay, belt: Belt, number: int, grade: str) -> tuple[str, int, str]:
    """Return surface, distance and track: stakes keep theirs from year to year, others draw theirs every week."""
    keys = (meeting.circuit, meeting.day.weekday(), number)
    when = 1_000 + _week_in_year(meeting) if grade != " " else meeting.week
    dice = Dice(seed, "course", *keys, when)
    if belt.name == "jump":
        return "jump", *dice.choice(course_offers(meeting.course, "jump"))
    dirt = dice.chance(250 if grade in GRADED else 300 if belt.name == "debut" else 520)
    surface = "dirt" if dirt else "turf"
    offers: Sequence[tuple[int, str]] = course_offers(meeting.course, surface)
    if belt.crop:
        offers = [offer for offer in offers if offer[0] <= 2000]
    return surface, *dice.choice(offers)


def _title(meeting: MeetingDay, number: int, grade: str, belt: Belt) -> Title:
    """Return the invented name of a special race: one for every slot and week of the year."""
    if grade == " ":
        return Title()
    week, sunday = _week_in_year(meeting), meeting.day.weekday() - 5
    rank = {9: 0, 10: 1, 11: 2}.get(number, 3)
    at = (week * 2 + sunday) * 3 + meeting.circuit
    word = race_word(at + rank * 131)
    end = (
        "jump"
        if belt.name == "jump"
        else "E9"
        if number == 9
        else "A"
        if grade == "A"
        else "G"
        if grade in "BC"
        else "E"
    )
    full, latin, short = _TITLE_ENDS[end].split(":")
    graded = grade in GRADED
    return Title(
        main=word.text + full,
        latin=f"{word.latin} {latin}",
        short10=(word.text + full)[:10],
        short6=(word.text + short)[:6],
        short3=word.text[:3],
        number=f"{1 + at * 4 + rank:04d}",
        running=meeting.day.year - 1950 - at % 40 if graded else 0,
    )


def _changed(seed: int, race: Race) -> Race:
    """Return the race after the day's changes: now and then a later post time, once in a while another course."""
    dice = Dice(seed, "change", race.day.toordinal(), int(race.meeting.course), race.number)
    if dice.chance(7):
        late = race.post + timedelta(minutes=dice.between(3, 10))
        return replace(race, post=late, post_before=race.post, post_changed_at=race.post - timedelta(minutes=12))
    sky = conditions_of(seed, race.meeting)[0]
    if race.surface == "turf" and race.number <= 8 and dice.chance(15 if sky.weather in "56" or sky.turf == "4" else 1):
        distance, track = min(
            course_offers(race.meeting.course, "dirt"), key=lambda offer: (abs(offer[0] - race.distance), offer)
        )
        return replace(
            race,
            surface="dirt",
            distance=distance,
            track=track,
            rail="  ",
            distance_before=race.distance,
            track_before=race.track,
            course_changed_at=datetime(race.day.year, race.day.month, race.day.day, 8, 30),
        )
    return race
