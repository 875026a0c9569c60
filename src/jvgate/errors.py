"""The one error tree of jvgate (standard library only: a bare 32-bit Python imports it too).

JvgateError
├── QueryError              what was asked cannot be asked: parameter, value, allowed
├── RecordError             bytes or values that do not fit a record layout: record, field, offset
├── SettingsError           a setting that is not allowed: name, value, allowed
└── SourceError             the source could not answer: retry_after_s when waiting may help
    ├── JVLinkError         JV-Link returned an error code: code, method
    ├── ArchiveError        the archive folder is missing or holds no JV-Data: path
    ├── DatasetTooLarge     the answer is larger than may be held in memory: limit_bytes, is_rendered
    ├── SessionTimeout      a call or a wait outlasted its limit: limit_s
    │   └── SessionHung     a call to JV-Link hung, and its process was ended
    ├── ReadCancelled       the read was given up because nobody waits for it: what
    ├── SourceBusy          there is no room for one more: full, place
    ├── WorkerLost          the process that held the session died, hung or sent nonsense: why
    ├── WorkerFailed        no process that could hold a session would start: why
    ├── NotOffered          the source has no such thing, such as pictures: what
    └── ComError            COM refused a call: hresult, method
        └── NotInstalled    there is no JV-Link that this Python can load: prog_id
"""

from __future__ import annotations

__all__ = [
    "SESSION_LOST",
    "ArchiveError",
    "ComError",
    "DatasetTooLarge",
    "JVLinkError",
    "JvgateError",
    "NotInstalled",
    "NotOffered",
    "QueryError",
    "ReadCancelled",
    "RecordError",
    "SessionHung",
    "SessionTimeout",
    "SettingsError",
    "SourceBusy",
    "SourceError",
    "WorkerFailed",
    "WorkerLost",
]


class JvgateError(Exception):
    """Root of every error that jvgate raises on purpose."""


class QueryError(JvgateError):
    """What was asked cannot be asked.

    slug: the stable name of the problem (`invalid-from-time`, …).
    allowed: one readable sentence or list that says what would have been right.
    """

    def __init__(self, slug: str, why: str, *, parameter: str, value: str | None, allowed: str) -> None:
        super().__init__(f"{why} Allowed: {allowed}")
        self.slug = slug
        self.why = why
        self.parameter = parameter
        self.value = value
        self.allowed = allowed


class RecordError(JvgateError):
    """Bytes or values that do not fit the layout of their record.

    offset: 0-based, in bytes from the start of the record; None when no place is meant.
    """

    def __init__(self, record: str, field: str, *, why: str, offset: int | None = None) -> None:
        place = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{record}.{field}{place}: {why}")
        self.record = record
        self.field = field
        self.offset = offset
        self.why = why


class SettingsError(JvgateError):
    """A setting whose value is not allowed; the message names the setting and what it takes."""

    def __init__(self, name: str, why: str, *, allowed: str) -> None:
        super().__init__(f"{name}: {why} Allowed: {allowed}")
        self.name = name
        self.allowed = allowed


class SourceError(JvgateError):
    """The source could not answer.  retry_after_s: seconds to wait, None when waiting cannot help."""

    retry_after_s: int | None = None


class JVLinkError(SourceError):
    """JV-Link answered *method* with an error *code* (see spec/data/jra/return_codes.json)."""

    def __init__(self, code: int, method: str, *, detail: str = "") -> None:
        super().__init__(f"{method} returned {code}" + (f": {detail}" if detail else ""))
        self.code = code
        self.method = method
        self.detail = detail


class ArchiveError(SourceError):
    """The archive folder is missing, unreadable, or holds no JV-Data; what was mounted there may come back."""

    retry_after_s = 30

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"archive {path}: {why}")
        self.path = path
        self.why = why


class DatasetTooLarge(SourceError):
    """The raw records of an answer, of all its data specs together, pass the limit.

    is_rendered: the raw records are within their limit, and the bytes rendered from them pass their own.
    """

    def __init__(self, query: str, *, limit_bytes: int, is_rendered: bool = False) -> None:
        measured = "a rendered answer" if is_rendered else "raw records"
        super().__init__(f"{query}: more than {limit_bytes} bytes of {measured}")
        self.query = query
        self.limit_bytes = limit_bytes
        self.is_rendered = is_rendered


class SessionTimeout(SourceError):
    """A call to JV-Link, or the wait for its download, made no progress within its limit."""

    retry_after_s = 30

    def __init__(self, what: str, *, limit_s: float) -> None:
        super().__init__(f"{what}: no progress within {limit_s:g} s")
        self.what = what
        self.limit_s = limit_s


class SessionHung(SessionTimeout):
    """A call to JV-Link hung; the process that made it was ended and is being replaced."""

    retry_after_s = 5


class ReadCancelled(SourceError):
    """A read that was given up because nobody waits for it any more."""

    retry_after_s = 5

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: cancelled")
        self.what = what


class SourceBusy(SourceError):
    """There is no room for one more.  place: which one it would have been.

    full: what there is no room in, and what would have to be raised, as a clause.
    """

    retry_after_s = 5

    def __init__(
        self, place: int, *, full: str = "all sessions are busy, and as many requests wait as may (JVGATE_QUEUE)"
    ) -> None:
        super().__init__(f"{full}; this one would be number {place}")
        self.place = place
        self.full = full


class WorkerLost(SourceError):
    """What held the session is gone: it died, stood still too long, or sent what is no message."""

    retry_after_s = 5

    def __init__(self, why: str) -> None:
        super().__init__(f"the session was lost: {why}")
        self.why = why


# Nobody is to blame who asked: worth another try, as long as nothing of it was handed on.
SESSION_LOST = (WorkerLost, SessionHung)


class WorkerFailed(SourceError):
    """What is to hold a session could not be started or reached; *why* says what to do where that is known."""

    retry_after_s = 30

    def __init__(self, why: str) -> None:
        super().__init__(f"no session could be started: {why}")
        self.why = why


class NotOffered(SourceError):
    """The source has no such thing and never will: pictures in an archive, for example."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this source has no {what}")
        self.what = what


class ComError(SourceError):
    """COM itself refused a call.  hresult: unsigned, as Windows documents it (0x80040154)."""

    retry_after_s: int | None = 30

    def __init__(self, hresult: int, method: str, *, why: str = "") -> None:
        super().__init__(f"{method} failed in COM with 0x{hresult:08X}" + (f": {why}" if why else ""))
        self.hresult = hresult
        self.method = method
        self.why = why


class NotInstalled(ComError):
    """There is no JV-Link here that this Python can load: none at all, or one of the other bitness."""

    def __init__(self, prog_id: str, *, hresult: int, why: str) -> None:
        super().__init__(hresult, f"creating {prog_id}", why=why)
        self.prog_id = prog_id
        self.retry_after_s = None  # it will not install itself
