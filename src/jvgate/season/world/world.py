"""The season's world behind one door: a seed gives every meeting, race, field, result and career of any week.

Theory of operation.  Nothing is simulated week after week.  The programme's classes are conveyor belts (`belts.py`): a
field has seats, a horse holds a seat for a fixed number of visits, wins its class on its last visit or leaves without,
and the winners take the seats that fall free in the next class.  So who runs in any week, and where it ran before, is
arithmetic, and results are computed only for the races somebody asks about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from jvgate.season.world import lineup, meetings, people, population, programme, racing
from jvgate.season.world.belts import stays_of
from jvgate.season.world.model import (
    Breeder,
    BreedingHorse,
    Conditions,
    Horse,
    Jockey,
    MeetingDay,
    Owner,
    PastRun,
    Race,
    Result,
    Runner,
    Trainer,
)
from jvgate.spec.layouts import Layouts

__all__ = ["World", "world_of"]


class World:
    """Everything that is so for one seed.  All answers are pure; caches are bounded and hold nothing else.

    layouts: of the records that tell of it.
    """

    def __init__(self, layouts: Layouts, seed: int = 1) -> None:
        self.layouts = layouts
        self.seed = seed

    def meetings(self, day: date) -> tuple[MeetingDay, ...]:
        """Return the meetings of *day*, sorted by course code; none on a day without racing."""
        return meetings.meetings_on(day)

    def races(self, day: date) -> tuple[Race, ...]:
        """Return the races of *day*, sorted by course code and race number."""
        return programme.races_on(self.seed, day)

    def race(self, key: str) -> Race | None:
        """Return the race of a key of 12 or 16 characters."""
        try:
            day = date(int(key[:4]), int(key[4:6]), int(key[6:8]))
        except ValueError:
            return None
        return next((race for race in self.races(day) if key in (race.key, race.short_key)), None)

    def conditions(self, meeting: MeetingDay) -> tuple[Conditions, ...]:
        """Return weather and going over the day, in time order."""
        return meetings.conditions_of(self.seed, meeting)

    def field(self, race: Race) -> tuple[Runner, ...]:
        """Return the runners by horse number, withdrawn ones included (see their status)."""
        return lineup.field_of(self.seed, race)

    def excluded(self, race: Race) -> tuple[Horse, ...]:
        """Return the horses that were entered but got no place in the field (JG, TK)."""
        return lineup.excluded(self.seed, race)

    def result(self, race: Race) -> Result:
        """Return the outcome, whether or not the race is over: the caller knows the time."""
        return racing.result_of(self.seed, race)

    def runs_of(self, horse: Horse, until: date) -> Sequence[PastRun]:
        """Return the starts of *horse* before the day *until* (exclusive), oldest first."""
        return _runs_of(self.seed, horse.number, until)

    def horse(self, number: str) -> Horse | None:
        """Return the horse with a ten-digit registration number."""
        root = population.root_of_number(self.seed, number)
        return population.horse_in(self.seed, root) if root else None

    def horses_in(self, first: date, last: date) -> tuple[Horse, ...]:
        """Return the horses with a start (or scratching) from *first* to *last*, by number: for master deliveries."""
        days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
        stays = {stay for day in days for race in self.races(day) for stay in lineup.entered(self.seed, race)}
        horses = {horse.number: horse for horse in (population.horse_in(self.seed, stay) for stay in stays)}
        return tuple(horses[number] for number in sorted(horses))

    def trainer_of(self, horse: Horse, day: date) -> Trainer:
        """Return who trains *horse* on *day*."""
        return people.trainer_in(self.seed, horse.trainer_seat, day)

    def jockeys(self, day: date) -> tuple[Jockey, ...]:
        """Return the licensed riders of *day*, by code."""
        riders = (people.jockey_in(self.seed, seat, day) for seat in range(people.JOCKEY_SEATS))
        return tuple(sorted(riders, key=lambda rider: rider.code))

    def trainers(self, day: date) -> tuple[Trainer, ...]:
        """Return the licensed trainers of *day*, by code."""
        trainers = (people.trainer_in(self.seed, seat, day) for seat in range(people.TRAINER_SEATS))
        return tuple(sorted(trainers, key=lambda trainer: trainer.code))

    def owners(self) -> tuple[Owner, ...]:
        """Return all owners, by code."""
        return tuple(people.owner(self.seed, number) for number in range(people.OWNERS))

    def breeders(self) -> tuple[Breeder, ...]:
        """Return all breeders, by code."""
        return tuple(people.breeder(self.seed, number) for number in range(people.BREEDERS))

    def breeding_horse(self, number: str) -> BreedingHorse:
        """Return the stallion or mare with a ten-digit breeding number.  Raises KeyError for a number of nobody."""
        return people.breeding_horse_of(self.seed, number)


def _runs_of(seed: int, number: str, until: date) -> tuple[PastRun, ...]:
    """Return the starts of a horse before *until*."""
    root = population.root_of_number(seed, number)
    runs: list[PastRun] = []
    for stay in stays_of(seed, root) if root else ():
        for race in lineup.visits(seed, stay):
            if race.day >= until:
                return tuple(runs)
            run = _run(seed, race, number)
            if run.finish.runner.starts:
                runs.append(run)
    return tuple(runs)


@lru_cache(maxsize=32_768)
def _run(seed: int, race: Race, number: str) -> PastRun:
    """Return a horse's line of a race; kept apart from results, since careers are asked for week after week."""
    result = racing.result_of(seed, race)
    finish = next(line for line in result.finishes if line.runner.horse.number == number)
    return PastRun(race, result.conditions, finish)


@lru_cache(maxsize=4)
def world_of(seed: int, layouts: Layouts) -> World:
    """Return the world of *seed*, shared by all who ask."""
    return World(layouts, seed)
