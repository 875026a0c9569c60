"""WIN5 (WF): one ticket names the winners of five races of a Sunday.

Maker: `win_five`.  Votes left after a leg follow from the win pool of its race.  What nobody wins, and what is above
the ceiling of a payout, is carried over to the next Sunday.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from jvgate.records.encode import encode
from jvgate.season.market.market import ENTERED
from jvgate.season.records.heads import head
from jvgate.season.records.tickets import market_of
from jvgate.season.world.meetings import SEASON_START
from jvgate.season.world.model import Race
from jvgate.season.world.rng import draw
from jvgate.season.world.world import World

__all__ = ["LEGS", "Outcome", "win_five", "win_five_races"]

LEGS = 5
_RETURNED_YEN = 70  # of a vote of 100 yen
_MOST_YEN = 600_000_000
_BOLDNESS = 25
_FEW = 2  # with more winning votes no payout reaches the ceiling


class _Leg(NamedTuple):
    """The winners of a race: votes on each, of the whole."""

    votes: dict[int, int]
    whole: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a Sunday's WIN5 ended.  alive: votes left after each leg.  hits: winning votes by combination."""

    sold: int
    alive: tuple[int, ...]
    hits: dict[str, int]

    def pool_yen(self, carried: int) -> int:
        """Return what there is to pay out."""
        return self.sold * _RETURNED_YEN + carried

    def pays(self, carried: int) -> dict[str, int]:
        """Return the payout of each combination; 0 without a winner."""
        share = self.pool_yen(carried) // len(self.hits)
        return {name: min(share // hits // 10 * 10, _MOST_YEN) if hits else 0 for name, hits in self.hits.items()}

    def left_yen(self, carried: int) -> int:
        """Return what is carried over to the next time."""
        pays = self.pays(carried)
        if not any(self.hits.values()):
            return self.pool_yen(carried)
        if _MOST_YEN not in pays.values():
            return 0
        return self.pool_yen(carried) - sum(pays[name] * hits for name, hits in self.hits.items())


def win_five_races(world: World, sunday: date) -> tuple[Race, ...]:
    """Return the five races by post time: the late ones of all meetings; none on a day without racing."""
    late = sorted((race for race in world.races(sunday) if 9 <= race.number <= 11), key=lambda race: -race.number)
    return tuple(sorted(late[:LEGS], key=lambda race: (race.post, race.meeting.course)))


def win_five(world: World, sunday: date, *, kubun: str, made: date, legs: int = LEGS) -> list[bytes]:
    """Return the WF record of *sunday*.

    kubun: 1 before the first leg, 2 while it runs, 3 and 7 with the payout.  legs: how many are confirmed (kubun 2).
    """
    races = win_five_races(world, sunday)
    if len(races) < LEGS:
        return []
    carried = _carried(world, sunday)
    record = head("WF", kubun, made) | {
        "KaisaiDate": sunday.isoformat(),
        "WFRaceInfo": [_race_slot(race) for race in races],
        "COShoki": carried,
    }
    if kubun != "1":
        outcome = _outcome(world, sunday)
        known = legs if kubun == "2" else LEGS
        record["Hatsubai_Hyo"] = outcome.sold
        record["WFYukoHyoInfo"] = [{"Yuko_Hyo": votes} for votes in outcome.alive[:known]]
    if kubun in ("3", "7"):
        record |= _payout(outcome, carried)
    return [encode(record, world.layouts)]


def _race_slot(race: Race) -> dict[str, object]:
    meeting = race.meeting
    return {
        "JyoCD": meeting.course,
        "Kaiji": meeting.kaiji,
        "Nichiji": meeting.nichiji,
        "RaceNum": race.number,
    }


def _payout(outcome: Outcome, carried: int) -> dict[str, object]:
    pays = outcome.pays(carried)
    return {
        "HenkanFlag": "0",
        "FuseiritsuFlag": "0",
        "TekichunashiFlag": "0" if any(outcome.hits.values()) else "1",
        "COZanDaka": outcome.left_yen(carried),
        "WFPayInfo": [{"Kumiban": name, "Pay": pays[name], "Tekichu_Hyo": hits} for name, hits in outcome.hits.items()],
    }


def _carried(world: World, sunday: date) -> int:
    """Return what the Sunday before left over."""
    before = sunday - timedelta(days=7)
    if before < SEASON_START or len(win_five_races(world, before)) < LEGS:
        return 0
    outcome = _outcome(world, before)
    # Only then what was carried into it matters: the way back ends after a Sunday or two.
    if min(outcome.hits.values()) > 0 and max(outcome.hits.values()) > _FEW:
        return 0
    return outcome.left_yen(_carried(world, before))


@lru_cache(maxsize=16)
def _outcome(world: World, sunday: date) -> Outcome:
    legs = [_leg(world, race) for race in win_five_races(world, sunday)]
    sold = 6_000_000 + draw(world.seed, "win five", sunday.toordinal()) % 6_000_000
    alive = tuple(sum(_hits(sold, legs[:count]).values()) for count in range(1, LEGS + 1))
    return Outcome(sold, alive, _hits(sold, legs))


def _hits(sold: int, legs: Sequence[_Leg]) -> dict[str, int]:
    """Return the votes left for every combination of winners."""
    found = {}
    for winners in itertools.product(*(sorted(leg.votes) for leg in legs)):
        left = sold
        for leg, winner in zip(legs, winners, strict=True):
            left = left * leg.votes[winner] // leg.whole
        found["".join(f"{winner:02d}" for winner in winners)] = left
    return found


def _leg(world: World, race: Race) -> _Leg:
    board = market_of(world, race).board("win")
    won = [each.runner.number for each in world.result(race).finishes if each.place == 1]
    bets = np.where(board.state == ENTERED, board.votes, 0)
    # Whoever must name five winners keeps to the well backed ones even more.
    named = bets * (bets + int(bets.sum()) // _BOLDNESS)
    return _Leg({number: int(named[number - 1]) for number in won}, max(1, int(named.sum())))
