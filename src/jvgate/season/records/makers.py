"""What makes the records of a stored file: a maker per record type, told by a job for which days and what stage.

Most makers take the races of a day one by one; masters go by the horses of a weekend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from jvgate.season.records import (
    abroad,
    besttimes,
    cards,
    entrycounts,
    masters,
    mining,
    pedigree,
    texts,
    tickets,
    training,
    winfive,
)
from jvgate.season.world.meetings import SEASON_START, saturday_of, week_of
from jvgate.season.world.model import Horse, Race
from jvgate.season.world.world import World

__all__ = ["Maker", "MakerJob", "maker_of"]


@dataclass(frozen=True, slots=True)
class MakerJob:
    """What a maker of records is told.  day: of the races, or the week's Saturday.  made: of the delivery."""

    world: World
    day: date
    made: date
    stage: str
    length: int | None = None

    @property
    def days(self) -> tuple[date, date]:
        """Saturday and Sunday of the week."""
        saturday = saturday_of(week_of(self.day))
        return saturday, saturday + timedelta(days=1)


Maker = Callable[[MakerJob], Iterable[bytes]]


def _each_race(make: Callable[[MakerJob, Race], list[bytes]]) -> Maker:
    """Return the maker that takes the races of a day one by one."""
    return lambda job: (raw for race in job.world.races(job.day) for raw in make(job, race))


def _odds(spec: str) -> Maker:
    return _each_race(lambda job, race: tickets.odds(job.world, race, kubun=job.stage, made=job.made, specs=(spec,)))


def _votes(spec: str) -> Maker:
    return _each_race(lambda job, race: tickets.votes(job.world, race, kubun=job.stage, made=job.made, specs=(spec,)))


def _predictions(spec: str) -> Maker:
    return _each_race(
        lambda job, race: mining.predictions(
            job.world, race, kubun=job.stage, made=job.made, at=race.post - timedelta(minutes=40), specs=(spec,)
        )
    )


def _special(job: MakerJob) -> Iterator[bytes]:
    for day in job.days:
        for race in job.world.races(day):
            if race.grade != " ":
                yield from cards.special_entries(job.world, race, kubun=job.stage, made=job.made)


def _meetings(job: MakerJob) -> Iterator[bytes]:
    """Yield the meeting days: stage 3 the weekend that was and (2) the one to come, stage 1 all of next year."""
    if job.stage == "1":
        first = date(job.made.year + 1, 1, 1)
        coming = (first + timedelta(days=ahead) for ahead in range(366))
        found = [(day, "1") for day in coming if day.year == first.year]
    else:
        found = [(day, "3") for day in job.days] + [(day + timedelta(days=7), "2") for day in job.days]
    for day, kubun in found:
        for meeting in job.world.meetings(day):
            yield from cards.meeting_days(job.world, meeting, kubun=kubun, made=job.made)


def _ran(job: MakerJob) -> tuple[Horse, ...]:
    """Return the horses of the weekend."""
    return job.world.horses_in(*job.days)


def _new(job: MakerJob) -> tuple[Horse, ...]:
    """Return the horses of the weekend that were registered lately."""
    since = job.days[0] - timedelta(days=85)
    return tuple(horse for horse in _ran(job) if horse.entered > since)


def _chosen(job: MakerJob) -> tuple[Horse, ...]:
    return _new(job) if job.stage == "new" else _ran(job)


def _breeders(job: MakerJob) -> list[bytes]:
    found = {horse.breeder.code: horse.breeder for horse in _chosen(job)}
    return masters.breeders(job.world, [found[code] for code in sorted(found)], made=job.made, length=job.length)


def _owners(job: MakerJob) -> list[bytes]:
    found = {horse.owner.code: horse.owner for horse in _chosen(job)}
    return masters.owners(job.world, [found[code] for code in sorted(found)], made=job.made)


def _entry_counts(job: MakerJob) -> Iterator[bytes]:
    """Yield CK for every runner of a day, or (stage 2) for those of the weekend whose rider changed."""
    changed = job.stage == "2"
    for day in job.days if changed else (job.day,):
        for race in job.world.races(day):
            yield from entrycounts.entry_counts(
                job.world, race, kubun=job.stage, made=job.made, length=job.length, changed_only=changed
            )


_PAST = 3


def _past(job: MakerJob) -> Iterator[tuple[Horse, list[tuple[Race, bytes]]]]:
    """Yield the runners of the weekend with their latest races and SE records, newest first."""
    for horse in _ran(job):
        runs = job.world.runs_of(horse, job.days[0])[-_PAST:]
        yield (
            horse,
            [
                (run.race, cards.past_run(job.world, run.race, run.finish, made=job.made))
                for run in reversed(runs)
                if run.race.day >= SEASON_START
            ],
        )


def _past_races(job: MakerJob) -> Iterator[bytes]:
    """Yield each race of the past runs once, oldest first."""
    races: dict[str, Race] = {}
    for horse in _ran(job):
        for run in job.world.runs_of(horse, job.days[0])[-_PAST:]:
            races[run.race.key] = run.race
    for key in sorted(races):
        if races[key].day >= SEASON_START:
            yield from cards.race_card(job.world, races[key], stage="7", made=job.made)


_MAKERS: dict[str, Maker] = {
    "RA": _each_race(lambda job, race: cards.race_card(job.world, race, stage=job.stage, made=job.made)),
    "SE": _each_race(lambda job, race: cards.runners(job.world, race, stage=job.stage, made=job.made)),
    "JG": _each_race(lambda job, race: cards.exclusions(job.world, race, made=job.made)),
    "HR": _each_race(lambda job, race: tickets.payouts(job.world, race, kubun="2", made=job.made)),
    "H1": _votes("H1"),
    "H6": _votes("H6"),
    **{f"O{number}": _odds(f"O{number}") for number in range(1, 7)},
    "WF": lambda job: winfive.win_five(job.world, job.day, kubun="7", made=job.made),
    "DM": _predictions("DM"),
    "TM": _predictions("TM"),
    "TK": _special,
    "YS": _meetings,
    "UM": lambda job: masters.horses(job.world, _chosen(job), made=job.made, length=job.length),
    "KS": lambda job: masters.jockeys(job.world, made=job.made),
    "CH": lambda job: masters.trainers(job.world, made=job.made),
    "BR": _breeders,
    "BN": _owners,
    "RC": lambda job: besttimes.course_records(
        job.world, made=job.made, courses={meeting.course for day in job.days for meeting in job.world.meetings(day)}
    ),
    "HN": lambda job: pedigree.breeding_horses(job.world, _new(job), made=job.made, length=job.length),
    "SK": lambda job: pedigree.foals(job.world, _new(job), made=job.made, length=job.length),
    "BT": lambda job: pedigree.lineages(job.world, made=job.made, length=job.length),
    "HS": lambda job: pedigree.sales(job.world, _new(job), made=job.made, length=job.length),
    "HY": lambda job: texts.name_origins(job.world, _new(job), made=job.made),
    "CS": lambda job: texts.course_guides(job.world, made=job.made),
    "CK": _entry_counts,
    "HC": lambda job: training.slope_works(job.world, job.day),
    "WC": lambda job: training.wood_works(job.world, job.day),
}
"""Record type -> what makes its records for a job."""

_OTHER_MAKERS: dict[tuple[str, str], Maker] = {
    ("RA", "abroad"): lambda job: abroad.races(job.world, job.days[0], made=job.made),
    ("SE", "abroad"): lambda job: abroad.runners(job.world, job.days[0], made=job.made),
    ("RA", "past"): _past_races,
    ("SE", "past"): lambda job: (raw for _, runs in _past(job) for _, raw in runs),
}
"""(Record type, stage) -> the maker where it is not the usual one."""


def maker_of(record: str, stage: str) -> Maker:
    """Return what makes the records of a type at a stage."""
    return _OTHER_MAKERS.get((record, stage)) or _MAKERS[record]
