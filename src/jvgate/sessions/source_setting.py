"""The source that the settings name, for commands that need no gateway."""

from __future__ import annotations

from jvgate.sessions.lane import Recycling
from jvgate.sessions.sources.registry import Means, Source, parse_source
from jvgate.settings import Settings

__all__ = ["source_of"]


def source_of(settings: Settings) -> Source:
    """Return the source of *settings*, without looking at it yet.  Raises SettingsError for one that cannot be."""
    means = Means(
        worker_python=settings.worker_python,
        press_dialogs=settings.press_dialogs,
        agent_token=settings.agent_token.get_secret_value(),
        open_s=settings.open_limit_s or None,
        setup_s=settings.setup_limit_s or None,
        read_s=settings.read_limit_s or None,
        recycling=Recycling(settings.recycle_opens, settings.recycle_mb * 1_000_000),
    )
    return parse_source(settings.source, means)
