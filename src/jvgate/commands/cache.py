"""`jvgate cache`: what a running server keeps, and how to get rid of some of it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import orjson
from rich.console import Console
from rich.table import Table

from jvgate.errors import SettingsError, SourceError
from jvgate.question.reading import Given

__all__ = ["purge", "stats"]

_LIMIT_S = 30.0
_PATH = "/api/v1/cache"


def stats(url: str, *, as_json: bool) -> None:
    """Show the cache of the server at *url*.  Raises SourceError when it does not answer."""
    figures = _ask("GET", url, {})
    if as_json:
        Console().print_json(orjson.dumps(figures).decode())
        return
    console = Console()
    console.print(f"source {figures['identity'] or 'not identified yet'}", highlight=False)
    console.print(_tiers(figures))
    tables = {"by data spec": _by_dataspec, "asked for most": _hottest, "longest in Redis": _longest_lived}
    for title, make in tables.items():
        table = make(figures)
        if table.row_count:
            console.print(f"\n{title}", highlight=False)
            console.print(table)


def purge(url: str, wanted: Given) -> None:
    """Have the server at *url* drop what is *wanted*, and say how much that was.  Raises SourceError, SettingsError."""
    done = _ask("DELETE", url, wanted)
    owed = "; Redis is out of reach, and is purged when it is back" if done["is_owed"] else ""
    Console().print(f"dropped {done['l1']} from memory, {done['l2']} from Redis{owed}", highlight=False)


def _ask(method: str, url: str, parameters: Given) -> dict[str, Any]:
    """Return the JSON document that the server answers.  Raises SourceError, and SettingsError for a refusal."""
    try:
        status, body = _exchange(method, f"{url.rstrip('/')}{_PATH}?{urlencode(parameters, doseq=True)}")
        document: dict[str, Any] = orjson.loads(body)
    except (HTTPException, OSError, ValueError) as exc:
        raise SourceError(f"no jvgate answers at {url} ({exc}); --url says where it is") from exc
    if not isinstance(document, dict) or not document.keys() & {"l1", "title"}:
        raise SourceError(f"what answers at {url} is no jvgate; --url says where it is")
    if status >= HTTPStatus.BAD_REQUEST:
        raise SettingsError("jvgate cache", f"{document.get('title')}.", allowed=str(document.get("allowed", "")))
    return document


def _exchange(method: str, url: str) -> tuple[int, bytes]:
    """Send one request; return the status and the body of its answer."""
    if urlsplit(url).scheme not in ("http", "https"):  # urllib opens files too
        raise ValueError("no URL that begins with http:// or https://")
    try:
        with urlopen(Request(url, method=method), timeout=_LIMIT_S) as response:  # noqa: S310  # checked above
            return response.status, response.read()
    except HTTPError as exc:
        with exc:
            return exc.code, exc.read()


def _tiers(figures: Mapping[str, Any]) -> Table:
    table = Table("tier", "state", "entries", "bytes", "hits", "requests", box=None, pad_edge=False)
    for name in ("l1", "l2"):
        tier = figures[name]
        state = tier.get("state", "on") + (f" ({tier['reason']})" if tier.get("reason") else "")
        size = f"{tier['bytes'] / 1e6:.1f} MB" if "bytes" in tier else ""
        table.add_row(name, state, str(tier["entries"]), size, _share(tier["hit_ratio"]), _counts(tier["requests"]))
    return table


def _by_dataspec(figures: Mapping[str, Any]) -> Table:
    table = Table("data spec", "tier", "hits", "requests", box=None, pad_edge=False)
    for tier in ("l1", "l2"):
        for name, found in figures[tier]["dataspecs"].items():
            counts = {how: count for how, count in found.items() if how != "hit_ratio"}
            table.add_row(name, tier, _share(found["hit_ratio"]), _counts(counts))
    return table


def _hottest(figures: Mapping[str, Any]) -> Table:
    table = Table("key", "hits/s", "age", box=None, pad_edge=False)
    for row in figures["l1"]["hottest"]:
        table.add_row(row["key"], f"{row['hits_per_s']:.3f}", _seconds(row["age_s"]))
    return table


def _longest_lived(figures: Mapping[str, Any]) -> Table:
    table = Table("query", "bytes", "age", "expires in", box=None, pad_edge=False)
    for row in figures["l2"]["longest_lived"]:
        table.add_row(row["query"], f"{row['bytes']:,}", _seconds(row["age_s"]), _seconds(row["expires_in_s"]))
    return table


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:,.0f} s"


def _share(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1%}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {how}" for how, count in counts.items())
