"""How every record begins: type, state, date made and, for race records, the race's key."""

from __future__ import annotations

from datetime import date, datetime

from jvgate.season.world.model import Race

__all__ = ["announced", "head", "race_head", "race_key"]


def head(spec: str, kubun: str, made: date) -> dict[str, object]:
    """Return the fields of the record header."""
    return {"RecordSpec": spec, "DataKubun": kubun, "MakeDate": f"{made:%Y-%m-%d}"}


def race_head(spec: str, kubun: str, made: date, *, race: Race) -> dict[str, object]:
    """Return the record header and the race's key."""
    return head(spec, kubun, made) | race_key(race)


def race_key(race: Race) -> dict[str, object]:
    """Return the six fields of the race's key."""
    meeting = race.meeting
    return {
        "Year": meeting.day.year,
        "MonthDay": f"{meeting.day:%m-%d}",
        "JyoCD": meeting.course,
        "Kaiji": meeting.kaiji,
        "Nichiji": meeting.nichiji,
        "RaceNum": race.number,
    }


def announced(at: datetime) -> str:
    """Return a moment as the records write it: without the year."""
    return f"{at:%m-%dT%H:%M}"
