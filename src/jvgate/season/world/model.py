"""The values of the season's world: who and what races, where, when, and how it ended.

All values are frozen and made of integers, strings and dates: the same seed gives the same world everywhere.
Times are naive and Japanese; money is in units of 100 yen; weights of riders are tenths of a kilogram; running times,
laps and differences are tenths of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

__all__ = [
    "Breeder",
    "BreedingHorse",
    "Conditions",
    "Corner",
    "Course",
    "Finish",
    "Horse",
    "Jockey",
    "MeetingDay",
    "Name",
    "Owner",
    "PastRun",
    "Race",
    "Result",
    "Runner",
    "Title",
    "Trainer",
]


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the forms of JV-Data.

    text: full-width; a person's has U+3000 between family and given name (8 characters at most; horses 9).
    kana: half-width katakana (a person's with a space between the two).  latin: ASCII.
    short: full-width, at most 4 characters (people only, "" for horses).
    """

    text: str
    kana: str
    latin: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Jockey:
    """A rider.  code: 5 digits.  sex: table 2202.  home: table 2301.  licence: table 2302.

    licensed, retires: first and last day of riding (retires may lie in the future).
    trainer_code: the stable of a rider, "00000" for a freelance.
    """

    code: str
    name: Name
    sex: str
    birth: date
    licensed: date
    retires: date
    home: str
    licence: str
    trainer_code: str
    skill: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer.  code: 5 digits.  home: 1 Miho, 2 Ritto (table 2301).  licensed, retires: first and last day."""

    code: str
    name: Name
    sex: str
    birth: date
    licensed: date
    retires: date
    home: str


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner.  code: 6 digits.  company: whether the full name carries a corporate form in front.

    name.text is without the corporate form; full_name with it.  silks: full-width, at most 30 characters.
    """

    code: str
    name: Name
    full_name: str
    silks: str


@dataclass(frozen=True, slots=True)
class Breeder:
    """A breeder.  code: 8 digits; old_code: the 6 of the layouts before 2023-08-08.  place: full-width town."""

    code: str
    old_code: str
    name: Name
    full_name: str
    place: str


@dataclass(frozen=True, slots=True)
class BreedingHorse:
    """A stallion or mare.  number: 10 digits; old_number: the 8 of the layouts before 2023-08-08.

    sex: 1 or 2.  coat: table 2203.  line: index of the sire line, 0-29 (a sire's sire has the same line).
    sire_number, dam_number (and their old forms by `World.breeding_horse`): the parents, always themselves in the
    world.
    """

    number: str
    old_number: str
    name: Name
    birth_year: int
    sex: str
    coat: str
    line: int
    sire_number: str
    dam_number: str
    place: str


@dataclass(frozen=True, slots=True)
class Horse:
    """A racehorse.  number: 10 digits (KettoNum).  sex: table 2202.  coat: 2203.  symbol: 2204.  home: 2301.

    pedigree: the 14 ancestors in JV-Data's order (sire, dam, sire's sire, sire's dam, dam's sire, dam's dam, then the
    eight great-grandparents likewise).  sire_line is pedigree[0].line.
    entered: the day its name was registered, before its first run.  retires: the day it was struck off, after its last.
    trainer_seat: who trains it on a day is `World.trainer_of(horse, day)`, since trainers retire.
    sale_price_yen: price at a yearling or foal sale (HS), 0 when never sold; sale_year: the year of that sale.
    talent: integer, about 0-1000; the better horses of a class have more.
    """

    number: str
    name: Name
    birth: date
    sex: str
    coat: str
    symbol: str
    home: str
    entered: date
    retires: date
    ancestry: Callable[[], tuple[BreedingHorse, ...]] = field(repr=False, compare=False)
    owner: Owner
    breeder: Breeder
    trainer_seat: int
    sale_price_yen: int
    sale_year: int
    talent: int
    base_weight_kg: int

    @property
    def pedigree(self) -> tuple[BreedingHorse, ...]:
        """The ancestors; worked out when asked for, since most races do not ask."""
        return self.ancestry()

    def age_on(self, day: date) -> int:
        """Return the age in years as racing counts it: one more on every first of January."""
        return day.year - self.birth.year


@dataclass(frozen=True, slots=True)
class Course:
    """A racecourse.  code: table 2001.  circuit: 0 east, 1 west, 2 the third meeting."""

    code: str
    name: str
    left_handed: bool


@dataclass(frozen=True, slots=True)
class MeetingDay:
    """One race day at one course.  kaiji, nichiji: the meeting of the year and the day in it."""

    day: date
    week: int
    circuit: int
    course: str
    kaiji: int
    nichiji: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """Weather (table 2011) and going (2010) from a moment on.  The first of a day is the initial announcement."""

    at: datetime
    weather: str
    turf: str
    dirt: str


@dataclass(frozen=True, slots=True)
class Title:
    """A race's names, empty for a race without one.  number: special race number, 4 digits.  running: N-th (graded)."""

    main: str = ""
    latin: str = ""
    short10: str = ""
    short6: str = ""
    short3: str = ""
    number: str = "0000"
    running: int = 0


@dataclass(frozen=True, slots=True)
class Race:
    """One race as programmed, with what was changed on the day.  All fields hold the state after the changes.

    number: 1-12.  surface: "turf", "dirt" or "jump".  distance in metres.  track: table 2009.  rail: "A " … or "  ".
    grade: 2003.  kind: 2005.  symbol: 2006.  weights: 2008.  condition: 2007 (701, 703, 005, 010, 016, 999).
    youngest: the youngest age allowed, 2 or 3; ages: (youngest, oldest).  prizes: places 1-5; added: places 1-3;
    100 yen. post: the moment of the start.  …_before: what it was before a change, else None; changed_at: when
    announced. size: how many horses were entered (numbers 1…size), withdrawn ones included.
    """

    meeting: MeetingDay
    number: int
    title: Title
    grade: str
    kind: str
    symbol: str
    weights: str
    condition: str
    ages: tuple[int, int]
    surface: str
    distance: int
    track: str
    rail: str
    prizes: tuple[int, ...]
    added: tuple[int, ...]
    post: datetime
    post_before: datetime | None = None
    post_changed_at: datetime | None = None
    distance_before: int | None = None
    track_before: str | None = None
    course_changed_at: datetime | None = None

    def __hash__(self) -> int:
        return hash((self.meeting.day, self.meeting.course, self.number))  # races are keys of caches: be quick

    @property
    def day(self) -> date:
        """The day of the race."""
        return self.meeting.day

    @property
    def key(self) -> str:
        """The 16-character race key YYYYMMDDJJKKHHRR."""
        m = self.meeting
        return f"{m.day:%Y%m%d}{m.course}{m.kaiji:02d}{m.nichiji:02d}{self.number:02d}"

    @property
    def short_key(self) -> str:
        """The 12-character race key YYYYMMDDJJRR."""
        return f"{self.meeting.day:%Y%m%d}{self.meeting.course}{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Runner:
    """A horse entered in a race, in the state of the race's end.  Sorted by number in `World.field`.

    number: 1-18.  bracket: 1-8.  carried: tenths of kg.  jockey: who rode; jockey_before: who was to ride, else None,
    carried_before: likewise; jockey_changed_at: when announced.
    weight_kg: body weight on the day, 0 when withdrawn; weight_change_kg: None at a first start.
    status: table 2101 ("0" ran and finished, "1" scratched, "2", "3" excluded, "4" did not finish).
    withdrawn_at: when a scratching or exclusion was announced (status 1, 2, 3), else None.
    appeal: positive integer, the share of the bets on it to win is appeal / sum of appeals of the runners that start
    (also given for those that do not, for sales before the announcement).  The market is made of these.
    """

    number: int
    bracket: int
    horse: Horse
    trainer: Trainer
    jockey: Jockey
    apprentice: str
    carried: int
    blinkers: bool
    weight_kg: int
    weight_change_kg: int | None
    status: str
    withdrawn_at: datetime | None
    appeal: int
    jockey_before: Jockey | None = None
    apprentice_before: str = "0"
    carried_before: int = 0
    jockey_changed_at: datetime | None = None

    @property
    def starts(self) -> bool:
        """Whether it came out of the gate."""
        return self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Finish:
    """How one runner ended.  place: official, 0 when it has none (withdrawn, did not finish).

    line_place: order over the line.  tied: how many others share the place.  time: tenths, 0 without.
    margin: table 2102 to the horse before ("   " for the winner).  behind: tenths behind the winner (the winner:
    minus its lead over the second, as a number <= 0).  corners: positions at corners 1-4, 0 where not passed or not
    running. last3f: its last 600 m in tenths (jump: its average per 200 m), 0 without.  style: 1 front-runner … 4
    deep closer. prize, added: what it earned, 100 yen.
    """

    runner: Runner
    place: int
    line_place: int
    tied: int
    time: int
    margin: str
    behind: int
    corners: tuple[int, int, int, int]
    last3f: int
    style: str
    prize: int
    added: int


@dataclass(frozen=True, slots=True)
class Corner:
    """The order at one corner.  number: 1-4.  lap: which time round.  text: JV-Data's form with ( ) , - = and *."""

    number: int
    lap: int
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a race.  finishes: by place, then those without one, by number.

    laps: per 200 m; where the distance is no multiple of 200, the first lap is the rest.  Empty for jump races;
    else their sum is the winner's time.  first3f … last4f: the leaders' 600 m and 800 m, 0 in jump races.
    conditions: weather and going at the start.
    """

    race: Race
    conditions: Conditions
    finishes: tuple[Finish, ...]
    laps: tuple[int, ...]
    first3f: int
    first4f: int
    last3f: int
    last4f: int
    corners: tuple[Corner, ...]

    @property
    def winner(self) -> Finish:
        """The first of those placed first."""
        return self.finishes[0]


@dataclass(frozen=True, slots=True)
class PastRun:
    """One past start of a horse: the race, the weather and going, and its own line of the result."""

    race: Race
    conditions: Conditions
    finish: Finish
