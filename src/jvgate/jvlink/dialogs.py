"""Dialogs that block a session: found from within its own process, told, and if that is allowed answered with No.

JV-Link asks whether to load a new version, shows notices, wants its terms accepted - inside a call that then waits for
ever.  Such a window (class #32770) belongs to the process that called, is no main window, and can only be found by
enumerating.  What is never pressed is anything that could mean yes.  What is told of a dialog is its title, its words
and its buttons, and nothing that somebody typed: a service key may stand there.  Source: `behaviour`, section 3.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Protocol

__all__ = ["Button", "Dialog", "DialogWatcher", "WindowSystem", "watching"]

LOOK_EVERY_S = 1.0
_DIALOG_CLASS = "#32770"
_BUTTON_CLASS = "button"
_WORDS_CLASS = "static"
_WM_GETTEXT, _WM_COMMAND = 0x000D, 0x0111
_SMTO_ABORTIFHUNG = 0x0002
_TEXT_CHARACTERS = 1024
_TEXT_PATIENCE_MS = 200
# Captions that mean no, without their access keys; ids of the standard buttons: IDNO, IDCANCEL.
_NO_WORDS = ("いいえ", "no", "キャンセル", "cancel")
_NO_IDS = (7, 2)


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a dialog.  control: its id; IDNO is 7, IDCANCEL 2."""

    handle: int
    caption: str
    control: int


@dataclass(frozen=True, slots=True)
class Dialog:
    """What a dialog says.  buttons: captions, in their order."""

    handle: int
    title: str
    text: str
    buttons: tuple[str, ...]


class WindowSystem(Protocol):
    """The windows of this process."""

    def dialogs(self) -> Sequence[tuple[Dialog, Sequence[Button]]]:
        """Return the dialogs that stand open, each with its buttons."""

    def press(self, button: Button) -> None:
        """Press a button, without waiting for what it does."""


class DialogWatcher:
    """Tells each dialog once, and None once all are gone.

    presses: whether No or Cancel may be pressed; they are at every look, as long as the dialog stands.
    """

    def __init__(self, windows: WindowSystem, tell: Callable[[Dialog | None], None], *, presses: bool) -> None:
        self._windows = windows
        self._tell = tell
        self._presses = presses
        self._known: set[int] = set()

    def look(self) -> None:
        """Look once."""
        found = self._windows.dialogs()
        for dialog, buttons in found:
            if dialog.handle not in self._known:
                self._tell(dialog)
            refusal = _refusal(buttons)
            if self._presses and refusal is not None:
                self._windows.press(refusal)
        if self._known and not found:
            self._tell(None)
        self._known = {dialog.handle for dialog, _ in found}


@contextmanager
def watching(tell: Callable[[Dialog | None], None], *, presses: bool) -> Iterator[None]:
    """Look for dialogs every second, on a thread of its own, as long as the block runs; on Windows only.

    tell: called on that thread; an error that it raises ends the watching.
    """
    if sys.platform != "win32":
        yield
        return
    watcher, ended = DialogWatcher(_User32(), tell, presses=presses), Event()

    def look_on() -> None:
        while not ended.wait(LOOK_EVERY_S):
            watcher.look()

    Thread(target=look_on, name="jvgate-dialogs", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _refusal(buttons: Sequence[Button]) -> Button | None:
    """Return the button that says no, None when none does for sure."""
    for word in _NO_WORDS:
        for button in buttons:
            if _plain(button.caption) == word:
                return button
    # A standard id alone is not enough where the caption says something else: "OK" may have the id of Cancel.
    return next((button for button in buttons if button.control in _NO_IDS and not button.caption), None)


def _plain(caption: str) -> str:
    """Return a caption without its access key: `いいえ(&N)` and `&No` are `いいえ` and `no`."""
    return caption.partition("(&")[0].replace("&", "").strip().lower()


def _collect_into(found: list[int]) -> Callable[[int, int], int]:
    """Return what an enumeration calls for each window; 1 goes on."""

    def collect(window: int, _: int) -> int:
        found.append(window)
        return 1

    return collect


class _User32:
    """The windows of this process by user32.dll."""

    def __init__(self) -> None:
        loader: Any = ctypes
        self._user32 = loader.WinDLL("user32")  # one of its own: `windll` would share the result types set here
        self._user32.GetParent.restype = ctypes.c_void_p
        self._callback = loader.WINFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

    def dialogs(self) -> Sequence[tuple[Dialog, Sequence[Button]]]:
        """Return the dialogs of this process that can be seen."""
        return [self._described(window) for window in self._windows() if self._is_dialog(window)]

    def press(self, button: Button) -> None:
        """Tell the dialog of a click, as the button itself would: BM_CLICK may fail where the dialog is not active.

        Posted: a message that is sent would wait for what it does.
        """
        handle = ctypes.c_void_p(button.handle)
        dialog = ctypes.c_void_p(self._user32.GetParent(handle))
        self._user32.PostMessageW(dialog, _WM_COMMAND, ctypes.c_size_t(button.control & 0xFFFF), handle)

    def _described(self, window: int) -> tuple[Dialog, list[Button]]:
        children = self._children(window)
        classes = {child: self._class(child).lower() for child in children}
        buttons = [
            Button(child, self._text(child), int(self._user32.GetDlgCtrlID(ctypes.c_void_p(child))))
            for child in children
            if classes[child] == _BUTTON_CLASS
        ]
        words = " ".join(filter(None, (self._text(child) for child in children if classes[child] == _WORDS_CLASS)))
        captions = tuple(button.caption for button in buttons)
        return Dialog(window, self._text(window), words, captions), buttons

    def _is_dialog(self, window: int) -> bool:
        owner = ctypes.c_ulong(0)
        self._user32.GetWindowThreadProcessId(ctypes.c_void_p(window), ctypes.byref(owner))
        is_ours = owner.value == os.getpid() and bool(self._user32.IsWindowVisible(ctypes.c_void_p(window)))
        return is_ours and self._class(window) == _DIALOG_CLASS

    def _windows(self) -> list[int]:
        found: list[int] = []
        self._user32.EnumWindows(self._callback(_collect_into(found)), None)
        return found

    def _children(self, window: int) -> list[int]:
        found: list[int] = []
        self._user32.EnumChildWindows(ctypes.c_void_p(window), self._callback(_collect_into(found)), None)
        return found

    def _class(self, window: int) -> str:
        buffer = ctypes.create_unicode_buffer(256)
        self._user32.GetClassNameW(ctypes.c_void_p(window), buffer, len(buffer))
        return buffer.value

    def _text(self, window: int) -> str:
        """Return a window's text; "" when its thread does not answer, as GetWindowTextW would wait for ever then."""
        buffer, result = ctypes.create_unicode_buffer(_TEXT_CHARACTERS), ctypes.c_size_t()
        room, patience = ctypes.c_size_t(len(buffer)), (_SMTO_ABORTIFHUNG, _TEXT_PATIENCE_MS)
        self._user32.SendMessageTimeoutW(
            ctypes.c_void_p(window), _WM_GETTEXT, room, buffer, *patience, ctypes.byref(result)
        )
        return buffer.value
