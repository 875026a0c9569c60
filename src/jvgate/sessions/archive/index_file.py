"""The file that keeps the index of an archive between runs, for all processes that read the archive.

It lies in the user's cache directory, never in the archive.  Its first line is a JSON object with the index in short;
the index follows as MessagePack.  The file's own time of change tells when the index was made; 0 stands for an
unfinished one.  What cannot be read, does not fit its digest or belongs to somebody else is no index.  Where the
directory cannot be written, every process keeps an index of its own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from jvgate import __version__
from jvgate.sessions.archive.index import ArchiveSummary, Index

__all__ = ["IndexFile", "KeptHead"]

_FORMAT = 1
_LOCK_WAIT_S = 60.0
_UNUSED_S = 30 * 86_400.0

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate.archive")


class _Head(msgspec.Struct, frozen=True):
    digest: str
    summary: ArchiveSummary


@dataclass(frozen=True, slots=True)
class KeptHead:
    """The first line of the file.  digest: the same for the same index.  made_at: seconds since the epoch."""

    digest: str
    summary: ArchiveSummary
    made_at: float


class IndexFile:
    """The index file of the archive at *root*.

    facts: names that the facts of a file depend on; other ones get another file.  folder: the cache directory.
    """

    def __init__(self, root: Path, *, facts: Collection[str], folder: Path | None = None) -> None:
        self._folder = folder or user_cache_path("jvgate", appauthor=False) / "archives"
        named = (str(_FORMAT), __version__, *sorted(facts))
        place = os.fsencode(os.path.realpath(root))
        name = hashlib.sha256("\0".join(named).encode() + b"\0" + place).hexdigest()[:32]
        self._path = self._folder / f"{name}.index"
        self._lock = FileLock(self._folder / f"{name}.lock", thread_local=False, fallback_to_soft=False)
        self._is_refused = False

    @contextmanager
    def locked(self, *, wait: bool) -> Iterator[bool]:
        """Hold the lock under which one process makes the index; False when another one has it.

        wait: for the other one, but not for ever.  True also where no lock can be had at all.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=_LOCK_WAIT_S if wait else 0)
        except Timeout:
            yield wait
            return
        except (OSError, NotImplementedError):
            yield True
            return
        try:
            yield True
        finally:
            self._lock.release()

    def head(self) -> KeptHead | None:
        """Return the first line; None when there is no index."""
        found = self._read(head_only=True)
        return found[0] if found else None

    def load(self) -> tuple[KeptHead, Index] | None:
        """Return the index; None when there is none."""
        found = self._read(head_only=False)
        if found is None:
            return None
        head, body = found
        if _digest(body) != head.digest:
            return None
        try:
            return head, msgspec.msgpack.decode(body, type=Index)
        except msgspec.MsgspecError:  # a digest can be right for what is no index
            return None

    def save(self, index: Index, *, made_at: float) -> str | None:
        """Keep *index*; return its digest, or None where it cannot be kept.  made_at: 0 for an unfinished one."""
        body = msgspec.msgpack.encode(index)
        head = _Head(_digest(body), index.summary())
        moment_ns = int(made_at * 1e9)
        try:
            before = self.head()
            if before is None or before.digest != head.digest:
                self._write(msgspec.json.encode(head) + b"\n" + body, moment_ns)
            else:
                os.utime(self._path, ns=(moment_ns, moment_ns))
        except OSError as exc:
            if not self._is_refused:
                log.warning("the index of the archive cannot be kept", folder=str(self._folder), why=exc.strerror)
            self._is_refused = True
            return None
        self._is_refused = False
        return head.digest

    def _write(self, data: bytes, moment_ns: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=self._folder, suffix=".part")  # readable by this user alone
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.utime(part, ns=(moment_ns, moment_ns))
            Path(part).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(part).unlink()
            raise
        self._remove_unused()

    def _remove_unused(self) -> None:
        """Remove the indexes of archives that nobody has read for a month."""
        for path in (*self._folder.glob("*.index"), *self._folder.glob("*.part")):
            with suppress(OSError):  # another process may be faster
                if time.time() - max(path.stat().st_mtime, path.stat().st_ctime) > _UNUSED_S:
                    path.unlink()

    def _read(self, *, head_only: bool) -> tuple[KeptHead, bytes] | None:
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
                    return None
                head = msgspec.json.decode(file.readline(), type=_Head)
                body = b"" if head_only else file.read()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return KeptHead(head.digest, head.summary, status.st_mtime), body


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
