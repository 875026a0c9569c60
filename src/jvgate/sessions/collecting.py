"""A query as a session reads it, and what the session gives as a dataset."""

from __future__ import annotations

import time
from collections.abc import Callable

from jvgate.jvlink.request import Progress, Request, Summary
from jvgate.spec.layouts import Layouts
from jvgate.spec.spec import Spec
from jvgate.values import Dataset, Query, SourceFile

__all__ = ["Collected", "request_of"]


def request_of(query: Query, spec: Spec, *, limit_bytes: int | None) -> Request:
    """Return what a session is asked for *query*."""
    unwanted = _unwanted(query, spec)
    if query.is_realtime:
        return Request(query.dataspec, key=query.key, unwanted=unwanted, limit_bytes=limit_bytes)
    return Request(query.dataspec, query.jvopen_fromtime, query.option, unwanted=unwanted, limit_bytes=limit_bytes)


class Collected:
    """A sink that keeps everything, on the session's thread; a dataset once the read is whole.

    layouts: of the records that come.
    """

    def __init__(self, layouts: Layouts, on_progress: Callable[[Progress], None] = lambda progress: None) -> None:
        self._layouts = layouts
        self._on_progress = on_progress
        self._batches: list[bytes | bytearray] = []
        self._files: list[SourceFile] = []
        self._bytes = 0

    def begin(self, name: str, provided: str) -> None:
        """Note where the file's records start."""
        self._files.append(SourceFile(name, provided, self._bytes))

    def records(self, batch: bytes | bytearray, count: int) -> None:
        """Keep them."""
        self._batches.append(batch)
        self._bytes += len(batch)

    def progress(self, progress: Progress) -> None:
        """Pass it on."""
        self._on_progress(progress)

    def dataset(self, query: Query, summary: Summary, wait_s: float) -> Dataset:
        """Return what came, now that the read has ended as it should; on the session's thread, since it is scanned."""
        return Dataset.landed(
            query,
            b"".join(self._batches),
            files=tuple(self._files),
            layouts=self._layouts,
            last_file_timestamp=summary.last_file_timestamp,
            read_at=time.time(),
            open_s=summary.open_s,
            read_s=summary.read_s,
            wait_s=wait_s,
        )


def _unwanted(query: Query, spec: Spec) -> frozenset[str]:
    """Return the record types that a query leaves out; what nobody knows is never left out unseen."""
    known = spec.dataspec(query.dataspec) if query.records else None
    return frozenset(known.record_types if known is not None else ()).difference(query.records)
