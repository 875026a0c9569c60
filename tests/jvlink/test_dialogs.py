"""Dialogs that block a session are told once, and never answered with anything that could mean yes."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from jvgate.jvlink.dialogs import Button, Dialog, DialogWatcher, _User32, watching


@dataclass
class Desktop:
    """Dialogs that stand open; a pressed button closes its dialog."""

    open: list[tuple[Dialog, list[Button]]] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)

    def show(self, *captions, controls=()):
        ids = [*controls, *range(100, 110)]
        buttons = [Button(at, caption, ids[at]) for at, caption in enumerate(captions)]
        self.open.append((Dialog(len(self.open) + 1, "JV-Link", "新しいバージョンがあります。", captions), buttons))

    def dialogs(self):
        return list(self.open)

    def press(self, button):
        self.pressed.append(button.caption)
        self.open.clear()


@pytest.fixture
def desktop():
    return Desktop()


def test_a_dialog_is_told_once_and_its_end_too(desktop):
    told = []
    watcher = DialogWatcher(desktop, told.append, presses=False)
    watcher.look()
    desktop.show("はい(&Y)", "いいえ(&N)")
    watcher.look()
    watcher.look()
    desktop.open.clear()
    watcher.look()
    watcher.look()
    assert [dialog and (dialog.title, dialog.buttons) for dialog in told] == [
        ("JV-Link", ("はい(&Y)", "いいえ(&N)")),
        None,
    ]


def test_nothing_is_pressed_unless_it_is_switched_on(desktop):
    desktop.show("はい(&Y)", "いいえ(&N)")
    DialogWatcher(desktop, lambda dialog: None, presses=False).look()
    assert desktop.pressed == []


@pytest.mark.parametrize(
    ("captions", "pressed"),
    [
        (("はい(&Y)", "いいえ(&N)"), "いいえ(&N)"),
        (("&Yes", "&No"), "&No"),
        (("OK", "キャンセル"), "キャンセル"),
        (("はい", "いいえ", "キャンセル"), "いいえ"),
        (("Retry", "Cancel"), "Cancel"),
        (("はい(&Y)", ""), ""),
    ],
)
def test_no_or_cancel_is_pressed_where_it_is_switched_on(desktop, captions, pressed):
    desktop.show(*captions, controls=(6, 7))
    DialogWatcher(desktop, lambda dialog: None, presses=True).look()
    assert desktop.pressed == [pressed]


@pytest.mark.parametrize("captions", [("OK",), ("はい",), ("同意する", "次へ"), ("Nothing", "Node")])
def test_what_could_mean_yes_is_never_pressed(desktop, captions):
    desktop.show(*captions, controls=(2, 7))  # "OK" alone has the id of Cancel
    DialogWatcher(desktop, lambda dialog: None, presses=True).look()
    assert desktop.pressed == []


def test_a_dialog_that_stays_is_refused_again_and_told_once(desktop, monkeypatch):
    told, refused = [], []
    monkeypatch.setattr(desktop, "press", lambda button: refused.append(button.caption))
    desktop.show("はい(&Y)", "いいえ(&N)")
    watcher = DialogWatcher(desktop, told.append, presses=True)
    watcher.look()
    watcher.look()
    assert (refused, len(told)) == (["いいえ(&N)"] * 2, 1)


def test_elsewhere_than_on_windows_there_is_nothing_to_watch():
    with watching(lambda dialog: pytest.fail("there are no dialogs"), presses=True):
        pass


CHILDREN = {2: ("Static", "利用キーを入力してください。"), 3: ("Edit", "SECRET"), 4: ("Button", "OK")}


class Form(_User32):
    """A window with a label, a field that somebody typed into, and a button; no Windows behind it."""

    def __init__(self):
        self._user32 = SimpleNamespace(GetDlgCtrlID=lambda handle: 1)

    def _children(self, window):
        return list(CHILDREN)

    def _class(self, window):
        return CHILDREN[window][0]

    def _text(self, window):
        return CHILDREN[window][1] if window in CHILDREN else "JV-Link"


def test_what_somebody_typed_is_not_told():
    dialog, _ = Form()._described(1)
    assert (dialog.title, dialog.text, dialog.buttons) == ("JV-Link", "利用キーを入力してください。", ("OK",))
