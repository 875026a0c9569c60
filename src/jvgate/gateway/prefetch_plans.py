"""What to read before anybody asks: plans, made by the rules of `prefetch_rules.json`; `prefetches.py` keeps count.

After an answer of races, the coming ones' cards and odds; near post time, what clients of that race asked for; after
the end of an answer that is asked for often, that answer again.  Plans only: no read is begun here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import FIFOCache

from jvgate.freshness.post_times import PostTimes, Start, about
from jvgate.spec.jst import DAY_S, day_at, epoch_of
from jvgate.values import Query

__all__ = ["Asked", "Wish", "after_answer", "after_expiry", "is_followed", "near_post"]

Rules = Mapping[str, Any]
"""The content of `prefetch_rules.json`."""

_LONG, _SHORT = 16, 12


@dataclass(frozen=True, slots=True)
class Wish:
    """A query worth reading, and why: `coming-race`, `near-post` or `hot`."""

    query: Query
    reason: str


class Asked:
    """What clients asked of which race lately, and in which form of its key."""

    def __init__(self, *, most_races: int = 1024, most_queries: int = 16) -> None:
        self._most_queries = most_queries
        self._races: FIFOCache[str, FIFOCache[Query, float]] = FIFOCache(most_races)
        self._dataspecs: dict[str, float] = {}
        self._long_keys = 0.0

    def __len__(self) -> int:
        return len(self._races)

    def note(self, query: Query, *, now: float) -> None:
        """Note a client's *query*; what is about no race is passed over."""
        if len(query.key) not in (_SHORT, _LONG):
            return
        race = about(query.key)
        queries = self._races.get(race) or FIFOCache(self._most_queries)
        self._races[race] = queries  # the last one to leave
        queries.pop(query, None)
        queries[query] = now
        self._dataspecs[query.dataspec] = now
        self._long_keys += 0.1 * ((len(query.key) == _LONG) - self._long_keys)

    def of(self, race: str, *, since: float) -> list[Query]:
        """Return what was asked of *race* (12 characters) at *since* or later, the newest first."""
        queries = self._races.get(race)
        return [] if queries is None else [query for query, at in reversed(list(queries.items())) if at >= since]

    def dataspecs(self, *, since: float) -> set[str]:
        """Return the data specs that were asked for, of any race."""
        return {dataspec for dataspec, at in self._dataspecs.items() if at >= since}

    def key_of(self, start: Start) -> str:
        """Return the key of a race in the form that clients mostly use."""
        return start.long if self._long_keys > 0.5 and start.long else start.race


def is_followed(query: Query, rules: Rules) -> bool:
    """Whether anything may follow an answer to *query*, so that its records are worth a look."""
    return any(query.dataspec in rule["of"] for rule in rules["after_answer"])


def after_answer(query: Query, starts: Iterable[Start], rules: Rules, *, now: float, asked: Asked) -> list[Wish]:
    """Return what follows an answer to *query* whose records tell *starts*, the next race's first."""
    wishes: list[Wish] = []
    for rule in rules["after_answer"]:
        if query.dataspec not in rule["of"]:
            continue
        names = [name for group in rule["ask"] for name in _wanted(group, asked, rules, now)]
        keys = [asked.key_of(start) for start in _coming(starts, now, days=rule["days"])]
        planned = [
            Wish(Query(name, key=key, provider=query.provider), rule["reason"]) for key in keys for name in names
        ]
        wishes += planned[: rule["most"]]
    return _distinct(wishes)


def near_post(posts: PostTimes, rules: Rules, *, now: float, asked: Asked) -> list[Wish]:
    """Return what clients asked lately of the races that start soon or have just started, the next race's first."""
    rule = rules["near_post"]
    starts = posts.between(now - rule["after_s"], now + rule["before_s"])
    starts.sort(key=lambda start: abs(start.post - now))
    since = now - rule["asked_within_s"]
    wishes = [Wish(query, rule["reason"]) for start in starts for query in asked.of(start.race, since=since)]
    return _distinct(wishes)[: rule["most"]]


def after_expiry(query: Query, rules: Rules, *, hits_per_s: float, life_s: float) -> list[Wish]:
    """Return *query* itself when it is asked for often enough to be asked again within the next *life_s*."""
    rule = rules["after_expiry"]
    return [Wish(query, rule["reason"])] if hits_per_s * life_s >= rule["least_hits"] else []


def _wanted(group: Sequence[str], asked: Asked, rules: Rules, now: float) -> Iterator[str]:
    """Yield those of *group* that clients asked for lately, else its first."""
    lately = asked.dataspecs(since=now - rules["lately_s"])
    found = [name for name in group if name in lately]
    yield from found or group[:1]


def _coming(starts: Iterable[Start], now: float, *, days: int) -> list[Start]:
    """Return the races among *starts* that start later than *now*, within so many days, the next one first."""
    today = day_at(now)
    end = (epoch_of(today) or now) + days * DAY_S
    return sorted(start for start in set(starts) if now < start.post < end)


def _distinct(wishes: Iterable[Wish]) -> list[Wish]:
    """Return *wishes* in their order, each query once, for its first reason."""
    found: dict[Query, Wish] = {}
    for wish in wishes:
        found.setdefault(wish.query, wish)
    return list(found.values())
