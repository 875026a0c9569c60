"""How the figures are taken: two ways side by side in the same minutes, and what is told of them.

Theory of operation.  A machine is never quiet, so two ways are compared in rounds: each round measures both, the
order changing from round to round, and gives one ratio; the figure is the median of these ratios, its spread the
distance between their quartiles.  Set-up lies before the first round, and its objects are out of the garbage
collector's sight.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter_ns
from typing import Any

__all__ = ["FULL", "QUICK", "Effort", "Figure", "Sample", "Wanted", "compare", "main", "percentile", "question_of"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure.  seconds: for one round of one way, where a benchmark goes by time."""

    rounds: int
    seconds: float


FULL = Effort(rounds=15, seconds=1.0)
QUICK = Effort(rounds=2, seconds=0.05)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one way gave: one value a round, all in *unit*.  bytes: what it read or wrote, of one item."""

    unit: str
    values: tuple[float, ...]
    p99: float | None = None
    bytes: int | None = None

    @property
    def median(self) -> float:
        """The middle value of the rounds."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """The distance between the quartiles, as a share of the median."""
        return _spread(self.values)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was promised: a ratio of at least so much, or a value of at most or at least so much."""

    least_ratio: float | None = None
    most: float | None = None
    least: float | None = None

    def is_met(self, figure: Figure) -> bool:
        """Whether *figure* keeps the promise."""
        if self.most is not None and figure.ours.median > self.most:
            return False
        if self.least is not None and figure.ours.median < self.least:
            return False
        return self.least_ratio is None or (figure.ratio is not None and figure.ratio >= self.least_ratio)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.  more_is_better: for throughput; less is, for times and bytes."""

    name: str
    ours: Sample
    reference: Sample | None = None
    wanted: Wanted | None = None
    more_is_better: bool = False

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times better ours was, round by round."""
        if self.reference is None:
            return ()
        pairs = zip(self.ours.values, self.reference.values, strict=True)
        return tuple(ours / other if self.more_is_better else other / ours for ours, other in pairs)

    @property
    def ratio(self) -> float | None:
        """The middle one of `ratios`."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def is_met(self) -> bool | None:
        """Whether the promise is kept; None where nothing was promised."""
        return None if self.wanted is None else self.wanted.is_met(self)

    def as_dict(self) -> dict[str, Any]:
        """Return everything that is known, for `--json`."""
        return {
            "name": self.name,
            "unit": self.ours.unit,
            "ours": _sample_dict(self.ours),
            "reference": self.reference and _sample_dict(self.reference),
            "ratio": self.ratio,
            "ratio_spread": _spread(self.ratios) if self.ratios else None,
            "wanted": self.wanted and asdict(self.wanted),
            "is_met": self.is_met,
        }


def compare(
    name: str,
    ours: Callable[[Any], object],
    reference: Callable[[Any], object],
    items: Sequence[Any],
    *,
    effort: Effort,
    batch: int = 1,
    wanted: Wanted | None = None,
    sizes: tuple[int, int] | None = None,
) -> Figure:
    """Return how long both ways take for one item of *items*, microseconds.

    batch: items timed together, for what is too short to be timed alone; the p99 is then of batches.
    sizes: bytes of one item, ours and the reference's.
    """
    gc.collect()
    gc.freeze()
    pieces = [items[at : at + batch] for at in range(0, len(items), batch)]
    spent: dict[Callable[[Any], object], list[list[float]]] = {ours: [], reference: []}
    for number in range(-1, effort.rounds):  # round -1 warms up
        for way in (ours, reference) if number % 2 else (reference, ours):
            times = _timed(way, pieces)
            if number >= 0:
                spent[way].append(times)
    gc.unfreeze()
    own_bytes, other_bytes = sizes or (None, None)
    return Figure(name, _sample(spent[ours], own_bytes), _sample(spent[reference], other_bytes), wanted)


def _timed(way: Callable[[Any], object], pieces: Sequence[Sequence[Any]]) -> list[float]:
    """Return the microseconds that *way* takes for one item, a value a piece."""
    times: list[float] = []
    for piece in pieces:
        began = perf_counter_ns()
        for item in piece:
            way(item)
        times.append((perf_counter_ns() - began) / 1000 / len(piece))
    return times


def _sample(rounds: Sequence[Sequence[float]], size: int | None) -> Sample:
    every = [value for times in rounds for value in times]
    return Sample("us", tuple(statistics.fmean(times) for times in rounds), p99=percentile(every, 99), bytes=size)


def percentile(values: Iterable[float], percent: int) -> float:
    """Return the value below which *percent* of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle if middle else 0.0


def _sample_dict(sample: Sample) -> dict[str, Any]:
    return {"median": sample.median, "p99": sample.p99, "spread": sample.spread, "bytes": sample.bytes,
            "rounds": list(sample.values)}  # fmt: skip


def main(*measures: Callable[[Effort], list[Figure]], arguments: Sequence[str] | None = None) -> int:
    """Measure, print the report and return the exit status: 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    parser.add_argument("--quick", action="store_true", help="a trial run: no verdict")
    chosen = parser.parse_args(arguments)
    answers: dict[str, list[Figure]] = {}
    for measure in measures:
        print(question_of(measure), file=sys.stderr, flush=True)
        answers[question_of(measure)] = measure(QUICK if chosen.quick else FULL)
    if chosen.json:
        told = {question: [figure.as_dict() for figure in figures] for question, figures in answers.items()}
        print(json.dumps({"machine": _machine(), "answers": told}, indent=1))
    else:
        print(_table(answers, judged=not chosen.quick))
    figures = [figure for found in answers.values() for figure in found]
    return int(not chosen.quick and any(figure.is_met is False for figure in figures))


def question_of(measure: Callable[[Effort], list[Figure]]) -> str:
    """Return the question that the module of *measure* answers: its first line."""
    return (sys.modules[measure.__module__].__doc__ or "").partition("\n")[0]


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.platform(), "processors": os.cpu_count()}


_HEAD = ("question", "ours", "p99", "reference", "p99", "ratio", "spread", "bytes", "wanted", "verdict")
_WORDS = ("question", "wanted", "verdict")


def _table(answers: Mapping[str, Sequence[Figure]], *, judged: bool) -> str:
    rows = {question: [_row(figure, judged=judged) for figure in figures] for question, figures in answers.items()}
    every = [_HEAD, *(row for found in rows.values() for row in found)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    lines = [_line(_HEAD, widths)]
    for question, found in rows.items():
        lines += [question, *(_line(row, widths) for row in found)]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return a row: words to the left, numbers to the right."""
    cells = zip(row, widths, _HEAD, strict=True)
    return "  ".join(cell.ljust(w) if head in _WORDS else cell.rjust(w) for cell, w, head in cells).rstrip()


def _row(figure: Figure, *, judged: bool) -> tuple[str, ...]:
    ours, other = figure.ours, figure.reference
    return (
        f"  {figure.name}",
        f"{_number(ours.median)} {ours.unit}",
        _number(ours.p99),
        f"{_number(other.median)} {other.unit}" if other else "",
        _number(other.p99) if other else "",
        f"{_number(figure.ratio)}x" if figure.ratio else "",
        f"{_spread(figure.ratios or ours.values):.0%}",
        "/".join(str(sample.bytes) for sample in (ours, other) if sample and sample.bytes),
        _promise(figure),
        "" if figure.is_met is None or not judged else "kept" if figure.is_met else "MISSED",
    )


def _promise(figure: Figure) -> str:
    if figure.wanted is None:
        return ""
    if figure.wanted.most is not None:
        return f"<= {figure.wanted.most:g} {figure.ours.unit}"
    if figure.wanted.least is not None:
        return f">= {figure.wanted.least:g} {figure.ours.unit}"
    return f">= {figure.wanted.least_ratio:g}x"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
