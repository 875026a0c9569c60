"""The session process of COM: what it holds, what it says of a dialog, and which products there are."""

from contextlib import contextmanager
from io import BytesIO

import pytest

from jvgate.jvlink import com_process
from jvgate.jvlink.com import JV_LINK, NV_LINK
from jvgate.jvlink.com_process import com_holding, main
from jvgate.jvlink.dialogs import Dialog
from jvgate.jvlink.simulator import Simulator
from jvgate.jvlink.wire import Channel, Kind
from tests.jvlink.memory_shelf import NOW, RULES, MemoryShelf
from tests.jvlink.standin import Machine, installed

DIALOG = Dialog(1, title="JV-Link", text="利用キー", buttons=("OK",))


@contextmanager
def told(monkeypatch, dialogs, **holding):
    """Hold a session while *dialogs* come and go; yield the frames that the server gets, and what was allowed."""
    allowed, stream = [], BytesIO()

    @contextmanager
    def watching(tell, *, presses):
        allowed.append(presses)
        for dialog in dialogs:
            tell(dialog)
        yield

    monkeypatch.setattr(com_process, "watching", watching)
    machine = Machine(lambda: Simulator(MemoryShelf({}), RULES, now=lambda: NOW))
    with installed(machine), com_holding(JV_LINK, **holding).make(Channel(stream, stream)):
        stream.seek(0)
        yield Channel(stream, stream), allowed


def test_a_dialog_is_told_with_its_words_and_its_end_without_any(monkeypatch):
    with told(monkeypatch, [DIALOG, None]) as (channel, _):
        frames = [channel.receive() for _ in range(2)]
    assert [frame.kind for frame in frames] == [Kind.DIALOG] * 2
    assert frames[0].fields() == {"title": "JV-Link", "text": "利用キー", "buttons": ["OK"]}
    assert frames[1].fields() == {}


@pytest.mark.parametrize("holding", [{}, {"presses": True}])
def test_buttons_are_pressed_only_where_that_was_asked_for(monkeypatch, holding):
    with told(monkeypatch, [], **holding) as (_, allowed):
        assert allowed == [bool(holding)]


@pytest.mark.parametrize("product", [JV_LINK, NV_LINK], ids=lambda product: product.prog_id)
def test_a_holding_names_its_product_and_delivers_messages(product):
    holding = com_holding(product)
    assert holding.facts == {"product": product.prog_id}
    assert 0 < holding.pump_s < 1


@pytest.mark.parametrize(
    ("words", "product", "presses"),
    [
        (["jvlink"], JV_LINK, False),
        (["nvlink", "--press-dialogs"], NV_LINK, True),
    ],
)
def test_the_arguments_choose_the_product(monkeypatch, words, product, presses):
    held = []
    monkeypatch.setattr(com_process, "com_holding", lambda product, *, presses: held.append((product, presses)))
    monkeypatch.setattr(com_process, "own_pipes", lambda: None)
    monkeypatch.setattr(com_process, "serve", lambda holding, pipes: 7)
    assert (main(words), held) == (7, [(product, presses)])
