"""The kinds of source URL, and the source that a URL or the settings name.

A new kind of source is one module that ends in a `SourceKind`, and one entry in the table here.
"""

from __future__ import annotations

from collections.abc import Sequence

from jvgate.errors import SettingsError
from jvgate.listeners import Listener
from jvgate.sessions.lane import Recycling
from jvgate.sessions.remote_session import SessionEvent
from jvgate.sessions.sources.agent import AGENT
from jvgate.sessions.sources.archive import ARCHIVE
from jvgate.sessions.sources.com import JVLINK, NVLINK
from jvgate.sessions.sources.demo import DEMO
from jvgate.sessions.sources.source import SETTING, Means, Source
from jvgate.settings import Settings

__all__ = ["parse_source", "source_of"]

_KINDS = {kind.scheme: kind for kind in (DEMO, ARCHIVE, JVLINK, NVLINK, AGENT)}


def source_of(settings: Settings, *, on_event: Sequence[Listener[SessionEvent]] = ()) -> Source:
    """Return the source of *settings*, without looking at it yet.  Raises SettingsError for one that cannot be.

    on_event: listeners to the events of every session of the source.
    """
    means = Means(
        worker_python=settings.worker_python,
        press_dialogs=settings.press_dialogs,
        agent_token=settings.agent_token.get_secret_value(),
        open_s=settings.open_limit_s or None,
        setup_s=settings.setup_limit_s or None,
        read_s=settings.read_limit_s or None,
        recycling=Recycling(settings.recycle_opens, settings.recycle_mb * 1_000_000),
        on_event=on_event,
    )
    return parse_source(settings.source, means)


def parse_source(url: str, means: Means | None = None) -> Source:
    """Return the source that *url* names, without looking at it yet.

    Raises SettingsError that names what is allowed.
    """
    scheme, colon, _ = url.partition(":")
    kind = _KINDS.get(scheme)
    if not colon or kind is None:
        raise SettingsError(SETTING, f"{url!r} names no source.", allowed=_allowed())
    return kind.make(url, means or Means())


def _allowed() -> str:
    *others, last = (f"{kind.form} ({kind.words})" for kind in _KINDS.values())
    return f"{', '.join(others)} or {last}."
