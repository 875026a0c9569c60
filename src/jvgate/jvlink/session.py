"""One JV-Link session, driven by the rules: open, wait for the download, read to the end, close always.

It drives any object with JV-Link's interface, on one thread.  Where the specification says how an error is to be
cured, it is cured here: `REMEDIES`.  What ends early, by an error or because it was cancelled, raises: a read that
returns is whole.
Source: `behaviour` of JV-Link (interface specification 4.9.0.1, chapter 3).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from jvgate.errors import DatasetTooLarge, JVLinkError
from jvgate.jvlink.interface import JVLink
from jvgate.jvlink.reading import Read, Wait
from jvgate.jvlink.request import Limits, Request, Sink, Summary

__all__ = ["REMEDIES", "Remedy", "Session"]

_NOTHING = -1
_SETUP = (3, 4)
_DELETED = (0, -503)  # -503: it was gone already


@dataclass(frozen=True, slots=True)
class Remedy:
    """How to cure a return code, before the same open is repeated.

    rounds: how often, for one file where a file is to blame.  deletes: the file, so that it is fetched anew.
    waits: a moment, for what is being fetched.  initialises: JVInit again.
    """

    rounds: int
    deletes: bool = False
    waits: bool = False
    initialises: bool = False


# Every remedy begins with JVClose, which is due anyway.
REMEDIES = {
    -201: Remedy(rounds=1, initialises=True),
    -202: Remedy(rounds=1),
    -203: Remedy(rounds=1),
    -402: Remedy(rounds=3, deletes=True),
    -403: Remedy(rounds=3, deletes=True),
    -502: Remedy(rounds=3, waits=True),
    -503: Remedy(rounds=3, waits=True),
}


class Session:
    """The way to read through *link*.

    one_type_per_file: whether its stored files keep to JV-Link's promise of one record type each.
    doing: told what the session is at.  sleep, clock: seconds, as `time.sleep` and `time.monotonic`.
    """

    def __init__(
        self,
        link: JVLink,
        *,
        sid: str = "UNKNOWN",
        limits: Limits | None = None,
        one_type_per_file: bool = True,
        doing: Callable[[str], None] = lambda what: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._sid = sid
        self._limits = limits or Limits()
        self._one_type_per_file = one_type_per_file
        self._doing = doing
        self._sleep = sleep
        self._clock = clock
        self._initialised = False

    def initialise(self) -> None:
        """Call JVInit, once for the life of the object.  Raises JVLinkError."""
        if not self._initialised:
            self._doing("JVInit")
            if code := self._link.JVInit(self._sid):
                raise JVLinkError(code, "JVInit")
            self._initialised = True

    def read(self, request: Request, sink: Sink, *, cancelled: Callable[[], bool] = lambda: False) -> Summary:
        """Read all that JVOpen, or JVRTOpen for a key, finds.

        Raises JVLinkError, SessionTimeout, DatasetTooLarge, ReadCancelled, and SourceError when JV-Link contradicts
        itself.  What the sink raises goes through, after JVClose.
        """
        wait = Wait(str(request), self._limits, sleep=self._sleep, clock=self._clock, cancelled=cancelled)
        one_type_per_file = self._one_type_per_file and not request.key  # what comes for a key is one file of all
        read = Read(self._link, request, sink, wait, one_type_per_file, self._doing)
        cures = _Cures(self._link, wait)
        began = self._clock()
        while True:
            try:
                self.initialise()
                return self._open_and_read(read, cures, began)
            except JVLinkError as exc:
                cures.apply(exc)
                self._initialised = self._initialised and not REMEDIES[exc.code].initialises
                read.restart()

    def _open_and_read(self, read: Read, cures: _Cures, began: float) -> Summary:
        opening = self._clock()
        try:
            newest, files, downloads = self._open(read.request)
            open_s = self._clock() - opening
            if newest is None:
                return Summary(open_s=open_s)
            if files:
                self._check_announced(read.request)
                read.await_download(files, downloads)
            read.run()
            read_s = self._clock() - began - open_s
            if read.request.end and newest > read.request.end:
                newest = read.newest_in_time  # whoever goes on from there must not pass over what was left out
            return Summary(newest, files, read.given_bytes, read.given_records, open_s, read_s)
        except JVLinkError as exc:
            cures.before_close(exc)
            raise
        finally:
            self._doing("JVClose")
            self._link.JVClose()

    def _open(self, request: Request) -> tuple[str | None, int, int]:
        """Open -> (newest file or None for no data, files, files to download).  Raises JVLinkError."""
        method, newest, files, downloads = "JVOpen", "", 0, 0
        if request.key:
            method = "JVRTOpen"
            self._doing(method)
            code = self._link.JVRTOpen(request.dataspec, request.key)
        else:
            self._doing("JVOpen setup" if request.option in _SETUP else method)
            answer = self._link.JVOpen(request.dataspec, request.fromtime, request.option, 0, 0, "")
            code, files, downloads, newest = answer
        if code not in (0, _NOTHING):
            raise JVLinkError(code, method)
        return (newest if code == 0 else None), files, downloads

    def _check_announced(self, request: Request) -> None:
        """Refuse at once what is far too large; what is near the limit is counted while it is read.

        The announced size is JV-Link's own estimate (KiB) of all files, so it has to pass the limit by half, and says
        nothing where some of it is not wanted.
        """
        limit_bytes = request.limit_bytes
        is_cut_here = bool(request.end) and request.option in _SETUP
        if limit_bytes is None or request.unwanted or request.have or is_cut_here:
            return
        if self._link.m_TotalReadFilesize * 1024 > limit_bytes * 1.5:
            raise DatasetTooLarge(str(request), limit_bytes=limit_bytes)


class _Cures:
    """The remedies of one read: which error has been cured how often."""

    def __init__(self, link: JVLink, wait: Wait) -> None:
        self._link = link
        self._wait = wait
        self._rounds: Counter[tuple[int, str]] = Counter()

    def before_close(self, error: JVLinkError) -> None:
        """Delete the file that is to blame; where that fails, the next open would find the same one: no cure."""
        remedy = REMEDIES.get(error.code)
        if remedy and remedy.deletes and self._link.JVFiledelete(error.detail) not in _DELETED:
            self._rounds[_case(error, remedy)] = remedy.rounds

    def apply(self, error: JVLinkError) -> None:
        """Do what comes before the next open.  Raises *error* again when there is no cure, or none has helped."""
        remedy = REMEDIES.get(error.code)
        if remedy is None or self._rounds[_case(error, remedy)] >= remedy.rounds:
            raise error
        self._rounds[_case(error, remedy)] += 1
        if remedy.waits:
            self._wait.rest(self._wait.limits.reopen_s)


def _case(error: JVLinkError, remedy: Remedy) -> tuple[int, str]:
    """Return what is counted as one: a file that is broken, however it is, else the code."""
    return (0 if remedy.deletes else error.code), error.detail
