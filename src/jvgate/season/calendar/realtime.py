"""Real-time data: what JVRTOpen answers at a moment.  States follow the clock from each race's post time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial

from jvgate.season.records import cards, mining, notices, tickets, winfive
from jvgate.season.world.model import Race
from jvgate.season.world.world import World

__all__ = ["KEPT_DAYS", "answer", "events", "stage_of"]

KEPT_DAYS = {"0B41": 365, "0B42": 365}
"""Data spec -> days its data is kept after the race day; all others one week."""
_WEEK = 7

_STAGES = (("6", 20), ("5", 14), ("4", 10), ("3", 8))
"""Stage of RA and SE and minutes after the start, latest first."""
_PAYOUT, _CONFIRMED, _LAST_ODDS = timedelta(minutes=12), timedelta(minutes=12), timedelta(minutes=2)

RaceMaker = Callable[[World, Race, datetime], list[bytes]]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def stage_of(race: Race, now: datetime) -> tuple[str, datetime] | None:
    """Return the stage of RA and SE at a moment and since when, None before the entries are out."""
    for stage, minutes in _STAGES:
        since = race.post + timedelta(minutes=minutes)
        if now >= since:
            return stage, since
    card = _midnight(race.day) - timedelta(hours=12)
    if now >= card:
        return "2", card
    saturday = race.day - timedelta(days=race.day.weekday() - 5)
    entries = _midnight(saturday) - timedelta(days=2) + timedelta(hours=16, minutes=30)
    return ("1", entries) if now >= entries else None


def _race_information(world: World, race: Race, now: datetime, *, results_only: bool) -> list[bytes]:
    """Return RA, SE and HR as far as they are known."""
    stage = stage_of(race, now)
    if stage is None or (results_only and stage[0] < "3"):
        return []
    made = stage[1].date()
    found = cards.race_card(world, race, stage=stage[0], made=made, at=now)
    found += cards.runners(world, race, stage=stage[0], made=made, at=now)
    if now >= race.post + _PAYOUT:
        found += tickets.payouts(world, race, kubun="1", made=made)
    return found


def _weights(world: World, race: Race, now: datetime) -> list[bytes]:
    return notices.weights(world, race, now=now)


def _predictions(world: World, race: Race, now: datetime, *, spec: str) -> list[bytes]:
    """Return the prediction in force: of the day before (13:00), of the day (08:30), or after the weights."""
    moments = (
        ("3", race.post - timedelta(minutes=40)),
        ("2", _midnight(race.day) + timedelta(hours=8, minutes=30)),
        ("1", _midnight(race.day) - timedelta(hours=11)),
    )
    for kubun, at in moments:
        if now >= at:
            return mining.predictions(world, race, kubun=kubun, made=at.date(), at=at, specs=(spec,))
    return []


def _odds_state(race: Race, now: datetime) -> tuple[str, datetime] | None:
    """Return DataKubun and moment of the newest odds: 1 interim, 2 last of the day before, 3 last, 4 confirmed."""
    for kubun, since in (("4", race.post + _CONFIRMED), ("3", race.post + _LAST_ODDS)):
        if now >= since:
            return kubun, since
    told = [at for at in tickets.odds_times(race) if at <= now]
    if not told:
        return None
    morning = _midnight(race.day)
    return ("2" if told[-1] < morning <= now else "1"), told[-1]


def _odds(world: World, race: Race, now: datetime, *, specs: tuple[str, ...]) -> list[bytes]:
    """Return the newest odds."""
    state = _odds_state(race, now)
    if state is None:
        return []
    kubun, at = state
    return tickets.odds(world, race, kubun=kubun, made=at.date(), at=at if kubun in "12" else None, specs=specs)


def _odds_series(world: World, race: Race, now: datetime, *, spec: str) -> list[bytes]:
    """Return all interim odds up to now."""
    return [
        raw
        for at in tickets.odds_times(race)
        if at <= now
        for raw in tickets.odds(world, race, kubun="1", made=at.date(), at=at, specs=(spec,))
    ]


def _votes(world: World, race: Race, now: datetime) -> list[bytes]:
    """Return the votes: at the end of the day before's sale, or confirmed."""
    if now >= race.post + _CONFIRMED:
        return tickets.votes(world, race, kubun="4", made=race.day)
    evening = [at for at in tickets.odds_times(race) if at < _midnight(race.day)]
    if not evening or now < _midnight(race.day):
        return []
    return tickets.votes(world, race, kubun="2", made=race.day, at=evening[-1])


_BY_RACE: dict[str, RaceMaker] = {
    "0B11": _weights,
    "0B12": partial(_race_information, results_only=True),
    "0B13": partial(_predictions, spec="DM"),
    "0B15": partial(_race_information, results_only=False),
    "0B17": partial(_predictions, spec="TM"),
    "0B20": _votes,
    "0B30": partial(_odds, specs=tuple(tickets.ODDS)),
    **{f"0B3{number}": partial(_odds, specs=(f"O{number}",)) for number in range(1, 7)},
    "0B41": partial(_odds_series, spec="O1"),
    "0B42": partial(_odds_series, spec="O2"),
}
"""Data spec -> what it tells about one race at a moment."""

_BY_DAY_TOO = ("0B11", "0B12", "0B13", "0B15", "0B17")


def answer(world: World, dataspec: str, key: str, *, now: datetime) -> list[bytes] | None:
    """Return the records of a real-time request, None where there is no such data.

    key: a day, a race (12 or 16 characters) or an event (28), as the data spec takes it.
    """
    day = _day_of(key)
    if day is None or now >= _midnight(day) + timedelta(days=KEPT_DAYS.get(dataspec, _WEEK) + 1):
        return None
    found: list[bytes] = []
    if dataspec == "0B16":
        found = [raw for notice in _told(world, day, now) if notice.key == key for raw in notice.records]
    elif dataspec == "0B14" and len(key) == 8:
        found = [raw for notice in _told(world, day, now) for raw in notice.records]
    elif dataspec == "0B51" and len(key) == 8:
        found = _win_five(world, day, now)
    elif dataspec in _BY_RACE:
        races = world.races(day) if len(key) == 8 and dataspec in _BY_DAY_TOO else (world.race(key),)
        found = [raw for race in races if race for raw in _BY_RACE[dataspec](world, race, now)]
    return found or None


def _day_of(key: str) -> date | None:
    """Return the day in a key of any form."""
    text = key[2:10] if len(key) == 28 else key[:8]
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def _told(world: World, day: date, now: datetime) -> list[notices.Notice]:
    """Return the announcements of a race day made so far; the day before may have some already."""
    if now < _midnight(day) - timedelta(days=1):
        return []
    return [notice for notice in notices.notices(world, day) if notice.at <= now]


def _win_five(world: World, day: date, now: datetime) -> list[bytes]:
    """Return WIN5: the details from Thursday evening, then leg by leg, then the payout."""
    races = winfive.win_five_races(world, day) if day.weekday() == 6 else ()
    details = _midnight(day) - timedelta(days=3) + timedelta(hours=20)
    if not races or now < details:
        return []
    legs = sum(1 for race in races if now >= race.post + _CONFIRMED)
    kubun = "1" if not legs else "2" if legs < len(races) else "3"
    return winfive.win_five(world, day, kubun=kubun, made=day if legs else details.date(), legs=legs)


_EVENTS = {
    "WE": "JVEvtWeather",
    "AV": "JVEvtAvoid",
    "JC": "JVEvtJockeyChange",
    "TC": "JVEvtTimeChange",
    "CC": "JVEvtCourseChange",
}


def events(world: World, *, since: datetime, until: datetime) -> list[tuple[datetime, str, str]]:
    """Return what JVWatchEvent would tell from after *since* to *until*: moment, event name, key; in time order."""
    days = ((since + timedelta(days=ahead)).date() for ahead in range((until - since).days + 3))
    found = [event for day in days for event in _events_of(world, day) if since < event[0] <= until]
    return sorted(found)


def _events_of(world: World, day: date) -> Iterator[tuple[datetime, str, str]]:
    for notice in notices.notices(world, day):
        yield notice.at, _EVENTS[notice.key[:2]], notice.key
    for race in world.races(day):
        yield (race.post_before or race.post) - notices.WEIGHTS_BEFORE_POST, "JVEvtWeight", race.short_key
        for _, minutes in reversed(_STAGES):
            yield race.post + timedelta(minutes=minutes), "JVEvtPay", race.short_key
