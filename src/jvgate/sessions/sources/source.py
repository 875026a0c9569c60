"""A source of data, what it needs from the settings, and one kind of source URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from jvgate.errors import SettingsError
from jvgate.listeners import Listener
from jvgate.sessions.archive.index import ArchiveSummary
from jvgate.sessions.holders import Worker
from jvgate.sessions.lane import Recycling
from jvgate.sessions.remote_session import SessionEvent
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.watchdog import CallLimits
from jvgate.spec.spec import Provider, Spec
from jvgate.values import SourceClock

__all__ = [
    "BOTH",
    "MAX_SESSIONS",
    "REALTIME",
    "SETTING",
    "STORED",
    "Means",
    "Source",
    "SourceKind",
    "provider_named",
]

SETTING = "JVGATE_SOURCE (--source)"
STORED, REALTIME = "stored", "realtime"
BOTH = frozenset({STORED, REALTIME})
MAX_SESSIONS = 64
_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class Means:
    """What a source may need beside its URL, from the settings.

    worker_python: the command of the Python that JV-Link loads into; "" is this one.  press_dialogs: whether No or
    Cancel may be pressed on a dialog that blocks.  agent_token: what an agent asks for.  open_s, setup_s, read_s:
    limits of calls, None for the source's own.  on_event: listeners to the events of every session.
    """

    worker_python: str = ""
    press_dialogs: bool = False
    agent_token: str = ""
    open_s: float | None = None
    setup_s: float | None = None
    read_s: float | None = None
    recycling: Recycling = field(default_factory=Recycling)
    on_event: Sequence[Listener[SessionEvent]] = ()

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
    any_course: whether keys may name courses that the provider's tables lack: what an archive holds decides.
    identity: names its data in caches that servers share; while it is unknown, nothing is shared.
    """

    name: str
    start: Callable[[], Worker]
    check: Callable[[Spec], None]
    clock: SourceClock
    provider: Provider = "jra"
    command: tuple[str, ...] = ()
    sessions: int = _SESSIONS
    max_sessions: int = MAX_SESSIONS
    is_single: bool = False
    limits: CallLimits = field(default_factory=CallLimits)
    recycling: Recycling = field(default_factory=Recycling)
    archive: Callable[[Spec], ArchiveSummary] | None = None
    any_course: bool = False
    identity: SourceIdentity = field(default_factory=SourceIdentity)

    def lanes(self, sessions: int) -> list[frozenset[str]]:
        """Return what each of *sessions* may read; 0: as many as the source has by itself.  Raises SettingsError."""
        count = sessions or self.sessions
        if count > self.max_sessions:
            why = f"{self.name} takes no {count} sessions."
            raise SettingsError("JVGATE_SESSIONS (--sessions)", why, allowed=f"1 to {self.max_sessions}")
        if self.is_single and count > 1:
            return [frozenset({STORED}), frozenset({REALTIME})]
        return [BOTH] * count


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source URL.

    form: its URL, as messages show it; it begins with the scheme.  words: a description of the source.
    make: return the source of a URL without looking at it yet; raises SettingsError that names what is allowed.
    """

    form: str
    words: str
    make: Callable[[str, Means], Source]

    @property
    def scheme(self) -> str:
        """Return the part of the URL before the colon."""
        return self.form.partition(":")[0]


def provider_named(text: str) -> Provider:
    """Return the provider that a URL names.  Raises SettingsError."""
    if text == "jra":
        return "jra"
    if text == "nv":
        return "nv"
    allowed = "jra (JRA-VAN) or nv (NV-Link, local racing)"
    raise SettingsError(SETTING, f"provider={text} is not known.", allowed=allowed)
