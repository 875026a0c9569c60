"""The market's records: odds (O1-O6), votes (H1, H6) and payouts (HR) of a race.

Makers (world, race -> records): `odds`, `votes`, `payouts`; `book_of` is what they bet on, `odds_times` when odds
are announced.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from jvgate.records.encode import encode
from jvgate.season.market.market import AFTER, Board, Book, Market
from jvgate.season.market.payouts import Settlement, settle
from jvgate.season.market.pools import POOLS, combinations
from jvgate.season.market.slips import odds_group, votes_group
from jvgate.season.records.heads import announced, race_head
from jvgate.season.world.model import Race
from jvgate.season.world.rng import draw
from jvgate.season.world.world import World

__all__ = ["book_of", "market_of", "odds", "odds_times", "payouts", "sales_open", "votes"]

ODDS = {
    "O1": (
        ("win", "TansyoFlag", "OddsTansyoInfo", "TotalHyosuTansyo"),
        ("place", "FukusyoFlag", "OddsFukusyoInfo", "TotalHyosuFukusyo"),
        ("bracket", "WakurenFlag", "OddsWakurenInfo", "TotalHyosuWakuren"),
    ),
    "O2": (("quinella", "UmarenFlag", "OddsUmarenInfo", "TotalHyosuUmaren"),),
    "O3": (("wide", "WideFlag", "OddsWideInfo", "TotalHyosuWide"),),
    "O4": (("exacta", "UmatanFlag", "OddsUmatanInfo", "TotalHyosuUmatan"),),
    "O5": (("trio", "SanrenpukuFlag", "OddsSanrenInfo", "TotalHyosuSanrenpuku"),),
    "O6": (("trifecta", "SanrentanFlag", "OddsSanrentanInfo", "TotalHyosuSanrentan"),),
}
"""Pool, sales flag, group and total of each odds record."""

VOTES = {
    "win": "HyoTansyo",
    "place": "HyoFukusyo",
    "bracket": "HyoWakuren",
    "quinella": "HyoUmaren",
    "wide": "HyoWide",
    "exacta": "HyoUmatan",
    "trio": "HyoSanrenpuku",
}
"""Group of each pool in H1, in the order of its flags and totals."""

PAYOUTS = {
    "win": ("PayTansyo", "Umaban"),
    "place": ("PayFukusyo", "Umaban"),
    "bracket": ("PayWakuren", "Umaban"),
    "quinella": ("PayUmaren", "Kumi"),
    "wide": ("PayWide", "Kumi"),
    "": ("PayReserved1", "Kumi"),
    "exacta": ("PayUmatan", "Kumi"),
    "trio": ("PaySanrenpuku", "Kumi"),
    "trifecta": ("PaySanrentan", "Kumi"),
}
"""Group and combination field of each pool in HR, in the order of its flags; "" is the reserved place."""

_BY_NUMBER = ("PayTansyo", "PayFukusyo")  # a number; the other pools name their combinations by digits
_SOLD, _UNSOLD = "7", "0"
_SALES_LEAST, _SALES_MOST = 10_000_000, 400_000_000  # votes of all pools of a race


def sales_open(race: Race) -> datetime:
    """Return when the sales of *race* begin: the evening before."""
    return datetime.combine(race.day - timedelta(days=1), time(19, 30))


def odds_times(race: Race) -> tuple[datetime, ...]:
    """Return when interim odds of *race* are announced: more and more often towards the start."""
    evening = [sales_open(race) + timedelta(hours=hour) for hour in range(1, 4)]
    morning = datetime.combine(race.day, time(9, 0))
    minutes = int((race.post - morning).total_seconds()) // 60
    left = [m for m in range(minutes, 0, -1) if m % 30 == 0 or (m < 60 and m % 10 == 0) or (m < 10 and m % 2 == 0)]
    return (*evening, *(race.post - timedelta(minutes=m) for m in left))


def book_of(world: World, race: Race, *, at: datetime | None = None) -> Book:
    """Return what the public bets on, with the withdrawals known at the moment *at*; all of them without one."""
    runners = world.field(race)
    gone = {r.number: r.withdrawn_at for r in runners if r.withdrawn_at and (at is None or r.withdrawn_at <= at)}
    opened = sales_open(race)
    return Book(
        seed=draw(world.seed, "market", int(race.key)),
        weights=tuple(runner.appeal for runner in runners),
        brackets=tuple(runner.bracket for runner in runners),
        scratched_before=frozenset(number for number, when in gone.items() if when <= opened),
        scratched_after=frozenset(number for number, when in gone.items() if when > opened),
        sales=min(_SALES_LEAST + 100 * race.prizes[0], _SALES_MOST),
    )


def market_of(world: World, race: Race, *, at: datetime | None = None) -> Market:
    """Return the market of *race* as it stood at the moment *at*; the final one without."""
    book, opened = book_of(world, race, at=at), sales_open(race)
    if at is None or at >= race.post:
        return Market(book)
    step, steps = ((moment - opened) // timedelta(minutes=1) for moment in (at, race.post))
    return Market(book, step=max(1, step), steps=steps)


def odds(
    world: World, race: Race, *, kubun: str, made: date, at: datetime | None = None, specs: Iterable[str] = tuple(ODDS)
) -> list[bytes]:
    """Return the odds records of *race*: interim ones (DataKubun 1, with the time) as of *at*, final ones without."""
    market = market_of(world, race, at=at)
    when = announced(at) if at is not None and kubun == "1" else None
    return [
        _odds_record(world, market, spec, _head(spec, kubun, made, race=race, market=market) | {"HappyoTime": when})
        for spec in specs
    ]


def votes(
    world: World, race: Race, *, kubun: str, made: date, at: datetime | None = None, specs: Iterable[str] = ("H1", "H6")
) -> list[bytes]:
    """Return the votes records of *race*, as of *at* for the last ones of the day before."""
    market = market_of(world, race, at=at)
    make = {"H1": _votes_record, "H6": _trifecta_record}
    return [make[spec](world, market, _head(spec, kubun, made, race=race, market=market)) for spec in specs]


def payouts(world: World, race: Race, *, kubun: str, made: date) -> list[bytes]:
    """Return the payout record of *race*."""
    market = market_of(world, race)
    places = {each.runner.number: each.place for each in world.result(race).finishes if each.place}
    settled = settle(market, places)
    record = _head("HR", kubun, made, race=race, market=market) | _refunds(market)
    record["FuseirituFlag"] = ["0"] * len(PAYOUTS)
    record["TokubaraiFlag"] = [_flag(pool in settled and settled[pool].special) for pool in PAYOUTS]
    record["HenkanFlag"] = [_flag(pool in POOLS and _refunded(market.board(pool))) for pool in PAYOUTS]
    for pool, (group, field) in PAYOUTS.items():
        if pool:
            record[group] = _payout_slots(settled.get(pool), field, number=group in _BY_NUMBER)
    if market.book.places == 2 and isinstance(paid := record["PayFukusyo"], list) and len(paid) == 2:
        paid.append(_no_number("Umaban"))
    return [encode(record, world.layouts)]


def _head(spec: str, kubun: str, made: date, *, race: Race, market: Market) -> dict[str, object]:
    book = market.book
    starters = book.runners - len(book.scratched_after)
    return race_head(spec, kubun, made, race=race) | {"TorokuTosu": len(book.weights), "SyussoTosu": starters}


def _odds_record(world: World, market: Market, spec: str, record: dict[str, object]) -> bytes:
    if spec == "O1":
        record["FukuChakuBaraiKey"] = str(market.book.places)
    for pool, flag, group, total in ODDS[spec]:
        board = market.board(pool)
        record[flag] = _SOLD if board.sold else _UNSOLD
        record[group] = odds_group(board)
        record[total] = board.total if board.sold else None
    return encode(record, world.layouts)


def _votes_record(world: World, market: Market, record: dict[str, object]) -> bytes:
    boards = [market.board(pool) for pool in VOTES]
    record |= _refunds(market) | {"FukuChakuBaraiKey": str(market.book.places)}
    record["HatubaiFlag"] = [_SOLD if board.sold else _UNSOLD for board in boards]
    record |= {VOTES[board.pool.name]: votes_group(board) for board in boards}
    record["HyoTotal"] = [board.total if board.sold else None for board in boards] + [_refund(b) for b in boards]
    return encode(record, world.layouts)


def _trifecta_record(world: World, market: Market, record: dict[str, object]) -> bytes:
    board = market.board("trifecta")
    record |= {"HatubaiFlag": _SOLD if board.sold else _UNSOLD, "HyoSanrentan": votes_group(board)}
    record["HenkanUma"] = _horse_flags(market.book, 18)
    record["HyoTotal"] = [board.total if board.sold else None, _refund(board)]
    return encode(record, world.layouts)


def _refund(board: Board) -> int | None:
    """Return the refunded votes; blank when nothing was refunded."""
    return board.refunded or None


def _refunded(board: Board) -> bool:
    return bool((board.state == AFTER).any())


def _refunds(market: Market) -> dict[str, object]:
    """Return the refund flags of horses, brackets and same-bracket pairs."""
    pairs = market.board("bracket")
    same = [slot for slot, (low, high) in enumerate(combinations("bracket").tolist()) if low == high]
    emptied = [pairs.sold and _emptied(market.book, bracket) for bracket in range(1, 9)]
    return {
        "HenkanUma": _horse_flags(market.book, 28),
        "HenkanWaku": [_flag(each) for each in emptied],
        "HenkanDoWaku": [_flag(bool(pairs.state[slot] == AFTER)) for slot in same],
    }


def _emptied(book: Book, bracket: int) -> bool:
    """Return whether the last horses of *bracket* were taken out after sales began."""
    horses = {number for number, each in enumerate(book.brackets, start=1) if each == bracket} - book.scratched_before
    return bool(horses) and horses <= book.scratched_after


def _horse_flags(book: Book, count: int) -> list[str]:
    return [_flag(number in book.scratched_after) for number in range(1, count + 1)]


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _payout_slots(settlement: Settlement | None, field: str, *, number: bool) -> list[dict[str, object]]:
    """Return the slots of a pool; one without a number when it was not sold or paid everybody back."""
    if settlement is None:
        return [_no_number(field)]
    if settlement.special:
        return [_no_number(field) | {"Pay": settlement.payouts[0].pay_yen}]
    paid = ((int(each.combination) if number else each.combination, each) for each in settlement.payouts)
    return [{field: name, "Pay": each.pay_yen, "Ninki": each.rank} for name, each in paid]


def _no_number(field: str) -> dict[str, object]:
    return {field: None, f"{field}Mark": "no_winning_number"}
