"""The wire between a server and what holds a JV-Link session for it: frames over a pair of pipes or a socket.

A frame is a head of 20 bytes and a payload, numbers big-endian:

    0  2  "jv"
    2  1  version of this protocol
    3  1  kind: a letter, see `Kind`
    4  4  number of the job it belongs to; 0 for what belongs to none
    8  4  number of records in the payload
    12 4  length of the payload, bytes
    16 4  CRC-32 of the 16 bytes before and the payload's ends

What can go wrong on a pipe or a TCP connection is that bytes are put in, by a library that prints, or left out: then
the end of a payload is not where the head says.  So its first and last 512 bytes are looked at: a checksum of a
mebibyte takes longer than its way through a pipe.

Payloads are JSON objects (UTF-8), but for RECORDS: the records as JV-Link gave them, one after another.  A session
runs one job at a time.  READ is answered by FILE, RECORDS and PROGRESS and then END or ERROR; CALL by RESULT or ERROR.
HEARTBEAT comes by itself.  Whatever breaks these rules is a `WorkerLost`: a stray byte on a pipe can neither be taken
for a record nor hide one, since no frame behind it would fit.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import IO, Any
from zlib import crc32

from jvgate.errors import (
    ArchiveError,
    ComError,
    DatasetTooLarge,
    JVLinkError,
    NotInstalled,
    NotOffered,
    ReadCancelled,
    SessionTimeout,
    SourceBusy,
    SourceError,
    WorkerFailed,
    WorkerLost,
)

__all__ = ["ERROR_FIELDS", "HEAD_BYTES", "VERSION", "Channel", "Frame", "Kind", "error_fields", "error_of"]

VERSION = 1
HEAD = struct.Struct(">2sBcIII")
SUM = struct.Struct(">I")
HEAD_BYTES = HEAD.size + SUM.size
END_BYTES = 512
MAGIC = b"jv"
# A damaged archive may hold a stretch of 16 MiB that is handed on as one piece, behind a batch of 1 MiB.
LIMIT_BYTES = 18 << 20


class Kind(Enum):
    """What a frame says.  The first five go to the session, the others come from it."""

    READ = b"R"  # a request: the fields of `Request`
    CALL = b"C"  # {"errand", "arguments"}: one of ERRANDS, outside of a read
    CANCEL = b"X"  # give up the job
    WATCH = b"W"  # {"on"}: tell events, or no more
    QUIT = b"Q"  # close and end
    READY = b"r"  # {"pid", "python", "bits", "version" (JV-Link's), ...}: the session lives
    FILE = b"f"  # {"name", "provided"}: the records that follow are this file's
    RECORDS = b"d"
    PROGRESS = b"p"  # the fields of `Progress`
    END = b"e"  # the fields of `Summary`: the read is whole
    RESULT = b"v"  # {"value"}: what the call returned, bytes as {"base64"}
    ERROR = b"x"  # {"error", ...}: the job failed; without a job, the session
    EVENT = b"n"  # {"event", "parameter"}
    DIALOG = b"w"  # {"title", "text", "buttons"}: blocks the session; {} when it is gone
    HEARTBEAT = b"h"  # {"doing", "for_s", "cpu_s"}
    HELLO = b"l"  # between server and agent, before all else


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.  job: 0 for what belongs to no job.  count: of the records in a RECORDS frame, else 0."""

    kind: Kind
    job: int
    payload: bytes | bytearray
    count: int = 0

    def fields(self) -> dict[str, Any]:
        """Return the payload as an object.  Raises WorkerLost when it is none."""
        try:
            fields = json.loads(self.payload)
        except ValueError as exc:
            raise WorkerLost(f"a message {self.kind.name} that is not JSON") from exc
        if not isinstance(fields, dict):
            raise WorkerLost(f"a message {self.kind.name} that is no object")
        return fields


class Channel:
    """Frames over *reader* and *writer*.  One thread receives; any may send.

    limit_bytes: the longest payload to accept; it may be raised once the other side is known.
    """

    def __init__(self, reader: IO[bytes], writer: IO[bytes], *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._reader = reader
        self._writer = writer
        self._lock = Lock()

    def send(
        self, kind: Kind, job: int = 0, payload: bytes | bytearray | dict[str, Any] = b"{}", *, count: int = 0
    ) -> None:
        """Send one frame, whole.  Raises WorkerLost when nobody is there to take it."""
        data = payload if isinstance(payload, bytes | bytearray) else json.dumps(payload, ensure_ascii=False).encode()
        head = HEAD.pack(MAGIC, VERSION, kind.value, job, count, len(data))
        check = SUM.pack(_sum(head, data))
        try:
            with self._lock:
                self._writer.write(head + check)
                self._writer.write(data)
                self._writer.flush()
        except (OSError, ValueError) as exc:  # ValueError: the file is closed
            raise WorkerLost("the connection was closed") from exc

    def garble(self) -> None:
        """Put bytes on the wire that are no frame: what a library that prints does to a pipe.  For the simulator."""
        with self._lock:
            self._writer.write(b"\0garbage\r\n" * 3)
            self._writer.flush()

    def receive(self) -> Frame | None:
        """Wait for a frame; None when the other side has ended between two.  Raises WorkerLost."""
        head = self._read(HEAD_BYTES)
        if not head:
            return None
        if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
            raise WorkerLost(f"no message: {bytes(head)!r}")
        _, version, kind, job, count, length = HEAD.unpack_from(head)
        if version != VERSION:
            raise WorkerLost(f"the other side speaks version {version} of the protocol, this one version {VERSION}")
        if length > self.limit_bytes:
            raise WorkerLost(f"a message of {length} bytes, {self.limit_bytes} are allowed")
        payload = self._read(length)
        if len(payload) < length or _sum(memoryview(head)[: HEAD.size], payload) != SUM.unpack_from(head, HEAD.size)[0]:
            raise WorkerLost("a message that was damaged or cut short")
        return Frame(_kind(kind), job, payload, count)

    def close(self) -> None:
        """Close both directions; what waits on them ends."""
        for file in (self._writer, self._reader):
            try:
                file.close()
            except OSError:  # the other side is gone: nothing left to flush
                continue

    def _read(self, size: int) -> bytearray:
        """Read *size* bytes, fewer only where the stream ends."""
        data = bytearray(size)
        view, got = memoryview(data), 0
        try:
            while got < size:
                count = self._reader.readinto(view[got:])  # type: ignore[attr-defined]  # every raw or buffered file
                if not count:
                    break
                got += count
        except (OSError, ValueError) as exc:
            raise WorkerLost("the connection was closed") from exc
        view.release()
        del data[got:]
        return data


def _sum(head: bytes | memoryview, payload: bytes | bytearray) -> int:
    ends = payload if len(payload) <= 2 * END_BYTES else payload[:END_BYTES] + payload[-END_BYTES:]
    return crc32(ends, crc32(head))


def _kind(letter: bytes) -> Kind:
    try:
        return Kind(letter)
    except ValueError as exc:
        raise WorkerLost(f"a message of unknown kind {letter!r}") from exc


# A closed table, so that nothing that arrives can name any other class: error -> its attributes, which are its
# constructor's parameters.
ERROR_FIELDS: Mapping[type[SourceError], tuple[str, ...]] = {
    JVLinkError: ("code", "method", "detail"),
    ArchiveError: ("path", "why"),
    DatasetTooLarge: ("query", "limit_bytes"),
    SessionTimeout: ("what", "limit_s"),
    ReadCancelled: ("what",),
    SourceBusy: ("place", "full"),
    WorkerLost: ("why",),
    WorkerFailed: ("why",),
    NotOffered: ("what",),
    NotInstalled: ("prog_id", "hresult", "why"),
    ComError: ("hresult", "method", "why"),
}
_BY_NAME: Mapping[str, type[SourceError]] = {kind.__name__: kind for kind in ERROR_FIELDS}


def error_fields(error: Exception) -> dict[str, Any]:
    """Return what tells of *error* on the other side; one that is not ours becomes a plain SourceError."""
    names = ERROR_FIELDS.get(type(error))  # type: ignore[arg-type]  # any other type is not there
    if names is not None:
        return {"error": type(error).__name__} | {name: getattr(error, name) for name in names}
    why = str(error) if isinstance(error, SourceError) else f"{type(error).__name__}: {error}"
    return {"error": "SourceError", "why": why}


def error_of(fields: Mapping[str, Any]) -> SourceError:
    """Return the error that *fields* tell of; WorkerLost when they tell of none."""
    name = fields.get("error")
    given = {field: value for field, value in fields.items() if field != "error"}
    if name == "SourceError":
        return SourceError(str(given.get("why", "")))
    try:
        return _BY_NAME[str(name)](**given)
    except (KeyError, TypeError, ValueError):
        return WorkerLost(f"an error of unknown kind: {str(name)[:80]}")
