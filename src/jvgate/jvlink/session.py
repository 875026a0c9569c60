"""One JV-Link session, driven by the rules: open, wait for the download, read to the end, close always.

It drives any object with JV-Link's interface, on one thread.  What ends early, by an error or because it
was cancelled, yields nothing: a `Reading` is whole.
Source: `behaviour` of JV-Link (interface specification 4.9.0.1, chapter 3).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from jvgate.errors import DatasetTooLarge, JVLinkError
from jvgate.jvlink.interface import JVLink
from jvgate.jvlink.reading import Limits, Progress, Read, Reading, Wait

__all__ = ["Session"]

_NOTHING = -1
_UNLIMITED = 1 << 62


class Session:
    """The way to read through *link*.  sleep, clock: seconds, as `time.sleep` and `time.monotonic`."""

    def __init__(
        self,
        link: JVLink,
        *,
        sid: str = "UNKNOWN",
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._sid = sid
        self._limits = limits or Limits()
        self._sleep = sleep
        self._clock = clock
        self._initialised = False

    def read_stored(
        self,
        dataspec: str,
        fromtime: str,
        option: int,
        *,
        unwanted: frozenset[str] = frozenset(),
        one_type_per_file: bool = False,
        limit_bytes: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Reading:
        """Read all that JVOpen finds.

        unwanted: record types to drop.  one_type_per_file: an unwanted first record rules out its whole file, as
        JV-Link promises and a folder of raw files does not.
        Raises JVLinkError, SessionTimeout, DatasetTooLarge, ReadCancelled.
        """
        read = self._new_read(
            f"{dataspec}:{fromtime}:{option}",
            unwanted=unwanted,
            skips_files=one_type_per_file,
            limit_bytes=limit_bytes,
            cancelled=cancelled,
            on_progress=on_progress,
        )
        began = self._clock()
        try:
            code, files, downloads, newest = self._link.JVOpen(dataspec, fromtime, option, 0, 0, "")
            opened = self._clock()
            if not _found(code, "JVOpen"):
                return Reading(open_s=opened - began)
            if limit_bytes is not None and not unwanted:
                self._check_announced(read.wait.what, limit_bytes)
            read.await_download(files, downloads)
            body = read.run()
            return Reading(body, tuple(read.files), newest, files, opened - began, self._clock() - opened)
        finally:
            self._link.JVClose()

    def read_realtime(
        self,
        dataspec: str,
        key: str,
        *,
        unwanted: frozenset[str] = frozenset(),
        limit_bytes: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Reading:
        """Read all that JVRTOpen finds for *key*; otherwise as `read_stored`."""
        read = self._new_read(
            f"{dataspec}:{key}",
            unwanted=unwanted,
            skips_files=False,
            limit_bytes=limit_bytes,
            cancelled=cancelled,
            on_progress=on_progress,
        )
        began = self._clock()
        try:
            code = self._link.JVRTOpen(dataspec, key)
            opened = self._clock()
            if not _found(code, "JVRTOpen"):
                return Reading(open_s=opened - began)
            body = read.run()
            return Reading(body, tuple(read.files), "", 0, opened - began, self._clock() - opened)
        finally:
            self._link.JVClose()

    def _check_announced(self, what: str, limit_bytes: int) -> None:
        """Refuse at once what is far too large; what is near the limit is counted while it is read.

        The announced size is JV-Link's own estimate (KiB), so it has to pass the limit by half.
        """
        if self._link.m_TotalReadFilesize * 1024 > limit_bytes * 1.5:
            raise DatasetTooLarge(what, limit_bytes=limit_bytes)

    def _new_read(
        self,
        what: str,
        *,
        unwanted: frozenset[str],
        skips_files: bool,
        limit_bytes: int | None,
        cancelled: Callable[[], bool],
        on_progress: Callable[[Progress], None],
    ) -> Read:
        if not self._initialised:
            if code := self._link.JVInit(self._sid):
                raise JVLinkError(code, "JVInit")
            self._initialised = True
        return Read(
            self._link,
            Wait(what, self._limits, self._sleep, self._clock, cancelled),
            self._limits.buffer_bytes,
            unwanted=frozenset(record.encode("ascii") for record in unwanted),
            skips_files=skips_files,
            limit_bytes=_UNLIMITED if limit_bytes is None else limit_bytes,
            on_progress=on_progress,
        )


def _found(code: int, method: str) -> bool:
    """Whether an open found data: -1 is an empty answer.  Raises JVLinkError for every other code but 0."""
    if code not in (0, _NOTHING):
        raise JVLinkError(code, method)
    return code == 0
