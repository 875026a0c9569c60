"""The worker process of `jvlink:` and `nvlink:`: a COM object on the main thread, a look-out for dialogs beside it.

Runs in a bare Python of the bitness that JV-Link has: standard library and pywin32 only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from jvgate.jvlink.com import JV_LINK, NV_LINK, ComLink, Product, open_com
from jvgate.jvlink.dialogs import Dialog, watching
from jvgate.jvlink.holding import Holding
from jvgate.jvlink.interface import FullJVLink
from jvgate.jvlink.session_process import own_pipes, serve
from jvgate.jvlink.wire import Channel, Kind

__all__ = ["com_holding", "main"]

PRODUCTS = {"jvlink": JV_LINK, "nvlink": NV_LINK}
PUMP_S = 0.05


def main(arguments: Sequence[str]) -> int:
    """Hold one session for the server at the other end of the pipes; return the exit status.

    arguments: `jvlink` or `nvlink`, and `--press-dialogs` to press No or Cancel on dialogs that block.
    """
    return serve(com_holding(PRODUCTS[arguments[0]], presses="--press-dialogs" in arguments), own_pipes())


def com_holding(product: Product, *, presses: bool = False) -> Holding:
    """Return how a session of *product* is held.  presses: whether dialogs may be answered with No or Cancel."""

    @contextmanager
    def make(channel: Channel | None) -> Iterator[FullJVLink]:
        with watching(lambda dialog: _report(channel, dialog), presses=presses), open_com(product) as link:
            yield link

    return Holding(make=make, prepare=_prepare, pump_s=PUMP_S, facts={"product": product.prog_id})


def _prepare(link: FullJVLink) -> None:
    cast(ComLink, link).prepare_unattended()


def _report(channel: Channel | None, dialog: Dialog | None) -> None:
    """Tell the server which dialog blocks the session, or that it is gone."""
    if channel is not None:
        words: dict[str, Any] = (
            {"title": dialog.title, "text": dialog.text, "buttons": dialog.buttons} if dialog else {}
        )
        channel.send(Kind.DIALOG, 0, words)
