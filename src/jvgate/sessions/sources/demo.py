"""`demo:`: the generated season, played by the simulator; and the process that holds one of its sessions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from jvgate.errors import SettingsError
from jvgate.jvlink.holding import Holding
from jvgate.sessions.sources.simulated import Play, hold, parse_play, serve_session, simulated_source
from jvgate.sessions.sources.source import SETTING, Means, Source, SourceKind
from jvgate.spec.spec import Spec

__all__ = ["DEMO", "Demo", "holding_of", "parse_demo"]

_LEAST_S = 5.0
_PUMP_S = 0.5


@dataclass(frozen=True, slots=True)
class Demo:
    """The parts of a `demo:` URL."""

    seed: int = 1
    play: Play = field(default_factory=Play)


def parse_demo(url: str) -> Demo:
    """Return the parts of *url*.  Raises SettingsError that names what is allowed."""
    place, _, query = url.removeprefix("demo:").partition("?")
    if place:
        raise SettingsError(SETTING, f"demo: takes no place ({place!r}).", allowed="demo:?seed=1&date=2026-11-08")
    parameters, play = parse_play(query, own="seed")
    return Demo(_seed(parameters.get("seed", "1")), play)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SettingsError(SETTING, f"seed={text} is no whole number.", allowed="0 to 999999999999999999")
    return int(text)


def holding_of(demo: Demo, spec: Spec, began: float) -> Holding:
    """Return how a session of *demo* is held.  The season is loaded here, where it is played, and only here."""
    from jvgate.season.shelf import SeasonShelf  # noqa: PLC0415

    shelf = SeasonShelf(spec.layouts, demo.seed)
    return hold(demo.play, shelf, spec, began, can_refetch=True, one_type_per_file=True, pump_s=_PUMP_S)


def _demo_source(url: str, means: Means) -> Source:
    demo = parse_demo(url)
    identity = demo.play.identity("jra", "demo", f"seed_{demo.seed}")
    return simulated_source(url, demo.play, means, identity=identity, module=__name__, least_s=_LEAST_S)


DEMO = SourceKind("demo:", "a generated season", _demo_source)


def main(url: str, began: str) -> int:
    """Hold one session of *url* for the server at the other end of the pipes; return the exit status."""
    return serve_session("jra", lambda spec: holding_of(parse_demo(url), spec, float(began)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
