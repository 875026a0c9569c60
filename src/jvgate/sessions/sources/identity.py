"""The identity of a source: a short printable text that names its data in every cache that servers share.

Servers whose sources have one identity take each other's data, so a text is never guessed: that of an agent's source
is unknown until the agent has told it.
"""

from __future__ import annotations

from threading import Lock

from jvgate.listeners import Listener, Listeners

__all__ = ["SourceIdentity"]


class SourceIdentity:
    """The identity of one source; any thread may ask it.

    text: `jra` or `nv` for JV-Link and NV-Link, which give every server the same; of other sources the provider, the
    kind and what makes its data.  "" while it is unknown.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.is_fixed = bool(text)
        self._lock = Lock()
        self._learned = Listeners[str]("the identity of the source")

    def __str__(self) -> str:
        """Return it as a log shows it."""
        return self.text or "unknown"

    def learn(self, text: str) -> None:
        """Note that the source has identity *text* from now on; listeners are told, on this thread, when it is new."""
        with self._lock:
            if text != self.text:
                self.text = text
                self._learned.tell(text)

    def add_listener(self, listener: Listener[str]) -> None:
        """Call *listener* with each new identity, and with the one that is known already."""
        with self._lock:
            self._learned.add(listener)
            if self.text:
                listener(self.text)
