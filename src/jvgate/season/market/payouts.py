"""What a race pays: the winning combinations of every pool and their payouts.

A dead heat is every order in which its horses could have come: several combinations win.  Each is paid its odds
as the O records show them (place and wide: within their range), so that HR and O records of a race agree.

Maker: `settle`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jvgate.season.market.market import ENTERED, Board, Market, shared_odds
from jvgate.season.market.pools import POOLS, slot_names

__all__ = ["Payout", "Settlement", "settle"]

_MOST = {"win": 3, "place": 5, "bracket": 3, "quinella": 3, "wide": 7, "exacta": 6, "trio": 3, "trifecta": 6}
"""Slots of HR by pool."""

_SPECIAL_YEN = {"win": 80, "place": 80}
_OTHER_SPECIAL_YEN = 70
Order = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Payout:
    """One winning combination as printed (`"0305"`), what 100 yen on it pay, and its rank; rank 0 is none."""

    combination: str
    pay_yen: int
    rank: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The payouts of one pool; special: nobody had the winner, and every ticket gets this back."""

    payouts: tuple[Payout, ...]
    special: bool = False


def settle(market: Market, places: Mapping[int, int]) -> dict[str, Settlement]:
    """Return the settlement of every pool that was sold.

    places: official place by horse number, tied horses with the same one; horses without a place left out.
    """
    orders = _orders(places)
    sold = [name for name in POOLS if market.board(name).sold]
    return {name: _pay(market.board(name), _winners(name, orders, market)) for name in sold}


def _orders(places: Mapping[int, int]) -> tuple[Order, ...]:
    """Return every possible order of the first three, dead heats broken in all ways."""
    ranked = sorted(places, key=lambda horse: (places[horse], horse))
    at_stake = [horse for horse in ranked if places[horse] <= 3]
    groups = [tuple(tied) for _, tied in itertools.groupby(at_stake, key=places.__getitem__)]
    broken = itertools.product(*(itertools.permutations(group) for group in groups))
    return tuple(dict.fromkeys(tuple(itertools.chain(*order))[:3] for order in broken))


def _winners(pool: str, orders: Iterable[Order], market: Market) -> list[str]:
    """Return the winning combinations, as printed, in ascending order."""
    brackets = market.book.brackets
    paid: set[Order] = set()
    for order in orders:
        if pool == "bracket":
            paid.add(tuple(sorted(brackets[horse - 1] for horse in order[:2])))
        elif pool == "place":
            paid.update((horse,) for horse in order[: market.book.places])
        else:
            paid.update(_ORDERS[pool](order))
    width = POOLS[pool].number_width
    return ["".join(f"{number:0{width}d}" for number in numbers) for numbers in sorted(paid)]


_ORDERS: dict[str, Callable[[Order], Iterable[Order]]] = {
    "win": lambda order: [order[:1]],
    "quinella": lambda order: [tuple(sorted(order[:2]))],
    "wide": lambda order: itertools.combinations(sorted(order), 2),
    "exacta": lambda order: [order[:2]],
    "trio": lambda order: [tuple(sorted(order))],
    "trifecta": lambda order: [order],
}


def _pay(board: Board, combinations: list[str]) -> Settlement:
    """Return what the winning *combinations* of a pool pay."""
    names = slot_names(board.pool.name)
    slots = {text: names[text] for text in combinations if text in names}
    alive = {text: slot for text, slot in slots.items() if board.state[slot] == ENTERED and board.votes[slot]}
    if not alive:
        yen = _SPECIAL_YEN.get(board.pool.name, _OTHER_SPECIAL_YEN)
        return Settlement((Payout("0" * len(next(iter(names))), yen, 0),), special=True)
    paid = sum(int(board.votes[slot]) for slot in alive.values())
    payouts = [
        Payout(text, 10 * _tenths(board, slot, paid=paid, winners=len(alive)), int(board.rank[slot]))
        for text, slot in alive.items()
    ]
    return Settlement(tuple(payouts[: _MOST[board.pool.name]]))


def _tenths(board: Board, slot: int, *, paid: int, winners: int) -> int:
    """Return the odds paid in tenths: the displayed ones, or for place and wide those of the actual winners."""
    low, high = int(board.low[slot]), int(board.high[slot])
    net = board.total - board.refunded
    shared = shared_odds(board.votes[slot], paid, net=net, pool=board.pool, winners=winners)
    return min(max(int(shared), low), high)
