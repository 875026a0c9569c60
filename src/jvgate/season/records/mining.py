"""Predictions: running times (DM) and scores (TM) for the horses of a race.

Maker: `predictions` (world, race -> DM and TM).  They lean on what the horses will do and on what the public thinks
of them, with an error that shrinks from the day before to the last version.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from jvgate.records.encode import encode
from jvgate.season.records.heads import race_head
from jvgate.season.world.model import Race, Runner
from jvgate.season.world.rng import Dice
from jvgate.season.world.tracks import base_time
from jvgate.season.world.world import World

__all__ = ["LAST_BEFORE_POST", "in_results", "predictions"]

_ERRORS = {"1": 90, "2": 70, "3": 50, "7": 50}
"""DataKubun -> spread of the error in hundredths of a second; the final version is the last one of the day."""

_LAST = "3"

LAST_BEFORE_POST = timedelta(minutes=40)
"""The last predictions are made after the weights."""


def predictions(
    world: World, race: Race, *, kubun: str, made: date, at: datetime, specs: Iterable[str] = ("DM", "TM")
) -> list[bytes]:
    """Return the prediction records of *race* made at the moment *at*; horses withdrawn by then have none."""
    runners = [runner for runner in world.field(race) if runner.withdrawn_at is None or runner.withdrawn_at > at]
    version = _LAST if kubun == "7" else kubun
    head = {"MakeHM": f"{at:%H:%M}"}
    groups = {"DM": ("DMInfo", _times), "TM": ("TMInfo", _scores)}
    records = []
    for spec in specs:
        group, make = groups[spec]
        slots = make(world, race, runners, version)
        records.append(encode(race_head(spec, kubun, made, race=race) | head | {group: slots}, world.layouts))
    return records


def in_results(world: World, race: Race) -> dict[int, dict[str, object]]:
    """Return what a runner's final record repeats of the last time prediction, by horse number."""
    at = race.post - LAST_BEFORE_POST
    runners = [runner for runner in world.field(race) if runner.withdrawn_at is None or runner.withdrawn_at > at]
    slots = _times(world, race, runners, _LAST)
    order = sorted(slots, key=lambda slot: (float(str(slot["DMTime"])), int(str(slot["Umaban"]))))
    ranked = [slot | {"DMKubun": _LAST, "DMJyuni": rank} for rank, slot in enumerate(order, start=1)]
    return {int(str(slot["Umaban"])): slot for slot in ranked}


def _times(world: World, race: Race, runners: list[Runner], version: str) -> list[dict[str, object]]:
    """Return predicted times: half way between the field's average and what each horse will run."""
    ran = {each.runner.number: each.time for each in world.result(race).finishes if each.time}
    average = sum(ran.values()) // len(ran) if ran else base_time(race.surface, race.distance)
    spread = _ERRORS[version]
    slots: list[dict[str, object]] = []
    for runner in runners:
        dice = Dice(world.seed, f"DM{version}", int(race.key), runner.number)
        hundredths = 5 * (average + ran.get(runner.number, average)) + dice.bell(spread)
        doubt = 20 + spread // 2 + dice.below(30)
        slots.append(
            {
                "Umaban": runner.number,
                "DMTime": hundredths / 100,
                "DMGosaP": doubt / 100,
                "DMGosaM": (doubt + dice.below(25)) / 100,
            }
        )
    return slots


def _scores(world: World, race: Race, runners: list[Runner], version: str) -> list[dict[str, object]]:
    """Return scores of 0.0-100.0: the public's favourite is near the top."""
    best = max((runner.appeal for runner in runners), default=1)
    slots: list[dict[str, object]] = []
    for runner in runners:
        dice = Dice(world.seed, f"TM{version}", int(race.key), runner.number)
        score = 280 + 600 * runner.appeal // best + dice.bell(_ERRORS[version])
        slots.append({"Umaban": runner.number, "TMScore": min(max(score, 0), 1000) / 10})
    return slots
