"""The current index of an archive: shared through its file with other processes, and made anew every minute.

Theory of operation.  A question takes the index that this process holds and has the times of the folders compared that
it needs.  Between questions, a thread makes the index anew before it is a minute old: whichever process has the lock
makes it, the others load what that one has kept.  A question waits for this only when there is no index younger than a
minute, at the start above all.  `_lock` guards the index held; `_renewing` lets one thread of the process renew it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import Event, Lock, Thread

import structlog
from msgspec.structs import replace

from jvgate.errors import ArchiveError
from jvgate.sessions.archive.index import EMPTY, ArchiveSummary, Index, IndexBuilder, IndexedFolder
from jvgate.sessions.archive.index_file import IndexFile
from jvgate.spec.spec import Spec

__all__ = ["SharedIndex"]

_KEEP_S = 60.0  # a file overwritten in place changes no folder: no question sees older facts
_RENEW_S = 45.0
_LOOK_S = 2.0

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.archive")


class SharedIndex:
    """The index of the archive at *root*; several threads may ask it.

    spec: of the provider whose data it holds.  clock: seconds since the epoch.
    """

    def __init__(self, root: Path, spec: Spec, *, clock: Callable[[], float] = time.time) -> None:
        self._root = os.fsencode(root)
        self._clock = clock
        self._file = IndexFile(root, facts=(spec.provider, *spec.dataspecs, *spec.layouts.types))
        self._builder = IndexBuilder(
            root,
            spec,
            clock=clock,
            checkpoint=lambda index: self._file.save(index, made_at=0.0),
        )
        self._lock = Lock()
        self._renewing = Lock()
        self._index = EMPTY
        self._digest: str | None = None
        self._made_at = -inf

    def current(self, needed: Callable[[Index], Iterable[bytes]]) -> Index:
        """Return the index with the folders up to date that are *needed*.

        Raises ArchiveError when the archive's folder cannot be listed.
        """
        if self._age_s() >= _KEEP_S:
            self.renew(_KEEP_S)
        with self._lock:
            index = self._builder.refreshed(self._index, needed(self._index))
            if index is not self._index:
                self._index, self._digest = index, None
            return index

    def summary(self) -> ArchiveSummary:
        """Return the index in short, without holding it where another process keeps it up to date.

        Raises ArchiveError as `current`.
        """
        head = self._file.head()
        if head is not None and 0 <= self._clock() - head.made_at < _KEEP_S and self._is_there(head.summary.sample):
            return head.summary
        summary = self.current(lambda index: index.folders).summary()
        if self._digest is not None:
            self._hold(EMPTY, None, -inf)
        return summary

    def _is_there(self, sample: bytes) -> bool:
        return bool(sample) and os.path.exists(os.path.join(self._root, sample))  # noqa: PTH110, PTH118  (bytes)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Keep the index young while the block runs, from a thread of its own."""
        ended = Event()
        thread = Thread(target=self._keep_young, args=(ended,), name="jvgate-index", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()  # not waited for: a slow disk must not hold up the end

    def renew(self, limit_s: float = 0.0, *, wait: bool = True) -> None:
        """Load or make the index anew, unless it is younger than *limit_s* by then.

        wait: for the thread or process that is at it.  Raises ArchiveError when the folder cannot be listed.
        """
        if not self._renewing.acquire(blocking=wait):
            return
        try:
            with self._file.locked(wait=wait) as is_free:
                if is_free and self._age_s() >= limit_s and not self._loads(limit_s):
                    self._make()
        finally:
            self._renewing.release()

    def _loads(self, limit_s: float) -> bool:
        """Take over what another process has kept; return whether it is younger than *limit_s*."""
        head = self._file.head()
        if head is not None and head.digest == self._digest:
            self._made_at = head.made_at
        elif head is not None and (head.made_at > self._made_at or not self._index.has_files()):
            kept = self._file.load()
            if kept is not None:
                self._hold(_reusing(self._index, kept[1]), kept[0].digest, kept[0].made_at)
        return self._age_s() < limit_s

    def _make(self) -> None:
        made_at, digest = self._clock(), None
        index = self._builder.made(self._index)
        if index.has_files():  # an empty mount point must not cost what was learnt
            digest = self._file.save(index, made_at=made_at)
        self._hold(index, digest, made_at)

    def _hold(self, index: Index, digest: str | None, made_at: float) -> None:
        with self._lock:
            self._index, self._digest, self._made_at = index, digest, made_at

    def _age_s(self) -> float:
        """Return the age of the index; infinite for none, and after the clock was set back."""
        age_s = self._clock() - self._made_at
        return age_s if age_s >= 0 and self._index.has_files() else inf

    def _keep_young(self, ended: Event) -> None:
        delay_s = 0.0
        while not ended.wait(delay_s):
            delay_s = _LOOK_S
            if self._age_s() < _RENEW_S:
                continue
            try:
                self.renew(_RENEW_S, wait=False)
            except ArchiveError:  # questions are told
                delay_s = _RENEW_S
            except Exception:
                log.exception("the index of the archive could not be made anew")
                delay_s = _RENEW_S


def _reusing(before: Index, index: Index) -> Index:
    """Return *index* with the facts of *before* where they are equal: what was derived from them stays valid."""
    return Index(
        {
            path: _reused(kept, folder) if (kept := before.folders.get(path)) is not None else folder
            for path, folder in index.folders.items()
        }
    )


def _reused(before: IndexedFolder, folder: IndexedFolder) -> IndexedFolder:
    if before == folder:
        return before
    known = before.files
    files = {name: known[name] if known.get(name) == facts else facts for name, facts in folder.files.items()}
    return replace(folder, files=files)
