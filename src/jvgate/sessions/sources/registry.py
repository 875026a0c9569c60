"""Where the data comes from, named by a URL, and what holds its sessions.

`demo:` (a generated season) and `archive:DIR` (a folder of raw JV-Data) are played by the simulator; `jvlink:` and
`nvlink:` are the COM objects on Windows.  Each session of theirs lives in a worker process.  `agent://HOST:PORT` are
the sessions of another machine.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path, PurePath

from jvgate.errors import SettingsError
from jvgate.sessions.agent import link as agent_link
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.sessions.archive.index import Summary
from jvgate.sessions.archive.rawfile import shown
from jvgate.sessions.holders import Worker
from jvgate.sessions.lane import Recycling
from jvgate.sessions.remote_session import start_process
from jvgate.sessions.sources.simulated import SETTING, Play, parse_play
from jvgate.sessions.watchdog import CallLimits
from jvgate.spec.spec import Provider, Spec
from jvgate.values import SourceClock

__all__ = ["Means", "Source", "parse_source", "python_command"]

PYTHON_SETTING = "JVGATE_WORKER_PYTHON (--worker-python)"
STORED, REALTIME = "stored", "realtime"
BOTH = frozenset({STORED, REALTIME})
_SOURCES = (
    "demo: (a generated season), archive:DIR (a folder of raw JV-Data), jvlink: (JV-Link on this machine), "
    "nvlink: (NV-Link, local racing) or agent://HOST:PORT (another machine's `jvgate agent`)."
)
_SIMULATED_SESSIONS, _MAX_SESSIONS = 5, 64


@dataclass(frozen=True, slots=True)
class Means:
    """What a source may need beside its URL, from the settings.

    worker_python: the command of the Python that JV-Link loads into; "" is this one.  press_dialogs: whether No or
    Cancel may be pressed on a dialog that blocks.  agent_token: what an agent asks for.  open_s, setup_s, read_s:
    limits of calls, None for the source's own.
    """

    worker_python: str = ""
    press_dialogs: bool = False
    agent_token: str = ""
    open_s: float | None = None
    setup_s: float | None = None
    read_s: float | None = None
    recycling: Recycling = field(default_factory=Recycling)

    def limits(self, own: CallLimits) -> CallLimits:
        """Return the source's *own* limits, but for those that are set."""
        given = {"open_s": self.open_s, "setup_s": self.setup_s, "read_s": self.read_s}
        return replace(own, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Source:
    """One source of data, shared by all sessions.

    name: its URL.  provider: whose data it has.  start: a new worker with a session, for the calling thread.
    check: raises SourceError when it cannot serve.  clock: what time it is there, and how fast that passes.
    command: that of its worker processes.  sessions, max_sessions: by default, and at most.  is_single: it has one
    session for everything, or one for stored and one for real-time data: more is not known to be safe (`behaviour`,
    section 4).
    archive: tells which files an archive has, and which are passed over; None for other sources.
    """

    name: str
    start: Callable[[], Worker]
    check: Callable[[Spec], None]
    clock: SourceClock
    provider: Provider = "jra"
    command: tuple[str, ...] = ()
    sessions: int = _SIMULATED_SESSIONS
    max_sessions: int = _MAX_SESSIONS
    is_single: bool = False
    limits: CallLimits = field(default_factory=CallLimits)
    recycling: Recycling = field(default_factory=Recycling)
    archive: Callable[[Spec], Summary] | None = None

    def lanes(self, sessions: int) -> list[frozenset[str]]:
        """Return what each of *sessions* may read; 0: as many as the source has by itself.  Raises SettingsError."""
        count = sessions or self.sessions
        if count > self.max_sessions:
            why = f"{self.name} takes no {count} sessions."
            raise SettingsError("JVGATE_SESSIONS (--sessions)", why, allowed=f"1 to {self.max_sessions}")
        if self.is_single and count > 1:
            return [frozenset({STORED}), frozenset({REALTIME})]
        return [BOTH] * count


def parse_source(url: str, means: Means | None = None) -> Source:
    """Return the source that *url* names, without looking at it yet.

    Raises SettingsError that names what is allowed.
    """
    scheme, colon, rest = url.partition(":")
    makers: dict[str, Callable[[str, str, Means], Source]] = {
        "demo": _simulated,
        "archive": _simulated,
        "jvlink": _com,
        "nvlink": _com,
        "agent": _agent,
    }
    if not colon or scheme not in makers:
        raise SettingsError(SETTING, f"{url!r} names no source.", allowed=_SOURCES)
    return makers[scheme](url, rest, means or Means())


def _simulated(url: str, rest: str, means: Means) -> Source:
    play, began = parse_play(url), time.time()
    shelf_of: Callable[[Spec], ArchiveShelf] = cache(partial(ArchiveShelf, play.place))
    command = (sys.executable, "-m", "jvgate.sessions.sources.simulated", url, repr(began))
    return Source(
        name=shown(url),
        start=partial(start_process, command),
        check=(lambda spec: None) if play.is_demo else lambda spec: shelf_of(spec).check(),
        archive=None if play.is_demo else lambda spec: shelf_of(spec).summary(),
        provider=play.provider,
        clock=play.clock(began),
        command=command,
        limits=means.limits(_played_limits(play)),
        recycling=means.recycling,
    )


def _played_limits(play: Play) -> CallLimits:
    """Return the limits of a simulator, which waits only where it plays slow; an archive may lie on a slow disk."""
    least_s = 5.0 if play.is_demo else 30.0
    open_s = least_s + 2 * play.latency.open_ms / 1000
    return CallLimits(
        open_s=open_s, setup_s=open_s, read_s=least_s + 2 * play.latency.read_us / 1e6, other_s=least_s
    )  # fmt: skip


def _com(url: str, rest: str, means: Means) -> Source:
    scheme = url.partition(":")[0]
    if rest:
        raise SettingsError(SETTING, f"{scheme}: takes nothing behind it ({rest!r}).", allowed=f"{scheme}:")
    return _com_source(url, scheme, means)


def _com_source(url: str, scheme: str, means: Means) -> Source:
    command = com_command(scheme, means)
    return Source(
        name=url,
        start=partial(start_process, command),
        check=lambda spec: None,
        provider="nv" if scheme == "nvlink" else "jra",
        clock=SourceClock(),
        command=command,
        sessions=1,
        max_sessions=2,
        is_single=True,
        limits=means.limits(CallLimits()),
        recycling=means.recycling,
    )


def com_command(scheme: str, means: Means) -> tuple[str, ...]:
    """Return the command of a worker for `jvlink` or `nvlink`.

    It may be another Python than this one, of 32 bits or under Wine, in which jvgate is not installed: the package's
    folder goes to the end of its path, so that its own pywin32 comes first.
    """
    python = python_command(means.worker_python, is_windows=sys.platform == "win32")
    root = str(Path(__file__).parents[3])
    if any(PurePath(word).stem.startswith("wine") for word in python[:1]):
        root = f"Z:{root}"  # where Wine shows this machine's files
    way_in = f"import sys; sys.path.append({root!r})"
    code = f"{way_in}; from jvgate.jvlink.com_process import main; sys.exit(main(sys.argv[1:]))"
    return (*python, "-c", code, scheme, *(("--press-dialogs",) if means.press_dialogs else ()))


def python_command(setting: str, *, is_windows: bool) -> list[str]:
    """Return the command of the workers' Python, this one's for "".  Raises SettingsError for quotes that do not close.

    A path with blanks stands in quotes.  On Windows a backslash is no more than that.
    """
    try:
        words = shlex.split(setting, posix=not is_windows)
    except ValueError as exc:
        allowed = 'py -3.12-32, or a path; one with blanks in quotes: "C:\\Program Files\\Python\\python.exe"'
        raise SettingsError(PYTHON_SETTING, f"{setting!r} has a quote that is not closed.", allowed=allowed) from exc
    python = [word.strip('"') for word in words] if is_windows else words  # there they keep their quotes
    return python or [sys.executable]


def _agent(url: str, rest: str, means: Means) -> Source:
    address, clock = agent_link.parse_address(url), SourceClock()
    return Source(
        name=url,
        start=partial(agent_link.connect, address, token=means.agent_token, clock=clock),
        check=lambda spec: agent_link.check(address),
        provider=address.provider,
        clock=clock,
        sessions=2 if address.is_split else 1,
        max_sessions=2 if address.is_split else _MAX_SESSIONS,
        is_single=address.is_split,
        limits=means.limits(CallLimits()),
        recycling=means.recycling,
    )
