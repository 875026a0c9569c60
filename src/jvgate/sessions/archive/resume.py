"""The resume policy of a recording: how a data spec is recorded, how far completely, and where the next run continues.

The decisions are plain functions over `Mark`, the hidden file beside the records; `recording.py` writes the records.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

from jvgate.errors import ArchiveError, QueryError
from jvgate.sessions.archive.recording import TIME, epoch_s, publish, settle_folder
from jvgate.values import Query

__all__ = ["SETUP", "Mark", "advanced", "readable", "resumed"]

MARK_NAME = ".jvgate-record.json"
SETUP = (3, 4)
"""The options of JVOpen that read everything that there is."""
_NORMAL = 1
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """How a data spec is recorded, and how far completely.

    option, records, origin: the way; 0 for real-time data, () for every type, "" for JRA-VAN's own data.
    last_file_timestamp: the point, "" before a run has come to its end.  setup_until: what was provided up to then
    came by options 3 or 4, "" when nothing did.  Times are YYYYMMDDhhmmss.
    """

    option: int
    records: tuple[str, ...] = ()
    origin: str = ""
    last_file_timestamp: str = ""
    setup_until: str = ""

    @staticmethod
    def read(folder: Path) -> Mark | None:
        """Return the mark of *folder*, None when there is none.  Raises ArchiveError for one that makes no sense."""
        path = folder / MARK_NAME
        try:
            fields = json.loads(path.read_text("utf-8"))
            if fields.pop("version") != _VERSION:
                raise ValueError("it is of another version")
            mark = Mark(**fields | {"records": tuple(fields["records"])})
            mark._check()
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as exc:
            raise ArchiveError(str(path), f"it cannot be understood ({exc}); remove it to record anew") from exc
        return mark

    def write(self, folder: Path) -> None:
        """Write the mark, whole or not at all, once all that lies in *folder* is safe on the disk."""
        settle_folder(folder)
        part = folder / f"{MARK_NAME}.part"
        part.write_bytes(json.dumps({"version": _VERSION, **asdict(self)}, indent=1).encode())
        publish(part, folder / MARK_NAME, moment_s=epoch_s(self.last_file_timestamp))

    def _check(self) -> None:
        texts = (*self.records, self.origin, self.last_file_timestamp, self.setup_until)
        if not (isinstance(self.option, int) and all(isinstance(text, str) for text in texts)):
            raise ValueError("a value is of the wrong kind")
        if not (TIME.fullmatch(self.last_file_timestamp) and TIME.fullmatch(self.setup_until)):
            raise ValueError("a time is no YYYYMMDDhhmmss")


def resumed(query: Query, before: Mark | None, *, origin: str, has_from: bool, is_empty: bool) -> tuple[Mark, Query]:
    """Return the mark to record under, and the query with its from-time.

    before: the folder's mark.  origin: of the data that is asked for now, as in `Mark`.  has_from: whether the query
    names a from-time itself.  is_empty: whether no file lies in the folder.

    Raises QueryError where there is nothing to go on from, or one way does not fit another.
    """
    asked = Mark(query.option, query.records, origin)
    if before is not None and is_empty and not before.last_file_timestamp:
        before = None  # nothing has come of it
    mark = asked if before is None else _continued(query, before, asked)
    if query.is_realtime:
        return mark, query
    if not has_from:
        if not mark.last_file_timestamp:
            why = f"{query.dataspec} has not been recorded there to an end yet, so that there is nothing to go on from."
            raise QueryError("invalid-from-time", why, parameter="from_time", value=None, allowed="--from YYYYMMDD")
        query = replace(query, from_time=mark.last_file_timestamp)
    _check_times(query, mark)
    return mark, query


def _continued(query: Query, before: Mark, asked: Mark) -> Mark:
    """Return *before* as it is asked for now.  Raises QueryError where the two would mix."""
    kept = replace(asked, last_file_timestamp=before.last_file_timestamp, setup_until=before.setup_until)
    if (before.records, before.origin) != (asked.records, asked.origin):
        _refuse(query, before)
    if before.option == asked.option or (before.option in SETUP and asked.option in SETUP):
        return kept
    if before.option not in SETUP or asked.option != _NORMAL or not before.last_file_timestamp:
        _refuse(query, before)
    return replace(kept, setup_until=before.last_file_timestamp)  # a set-up, and then what comes week by week


def _refuse(query: Query, before: Mark) -> NoReturn:
    how = [f"--option {before.option}"] if before.option else []
    how += [f"--record {','.join(before.records)}"] if before.records else ["every record type"]
    how += [f"from {before.origin or 'JRA-VAN or an archive'}"]
    why = f"{query.dataspec} has been recorded there with {', '.join(how)}; another way would mix with that."
    raise QueryError(
        "parameter-not-allowed", why, parameter="record", value=str(query), allowed="the same, or another folder"
    )


def _check_times(query: Query, mark: Mark) -> None:
    if query.option not in SETUP and query.from_time < mark.setup_until:
        why = f"What came up to {readable(mark.setup_until)} was recorded by a set-up, in files of its own."
        raise QueryError(
            "invalid-from-time", why, parameter="from_time", value=query.from_time, allowed="a later --from, or none"
        )
    if query.to_time and query.to_time <= query.from_time:
        why = f"{query.dataspec} has been recorded up to {readable(query.from_time)}, which is not before --to."
        raise QueryError(
            "invalid-to-time", why, parameter="to_time", value=query.to_time, allowed="a later --to, or --from"
        )


def advanced(mark: Mark, query: Query, newest: str) -> Mark:
    """Return the mark after a run that was whole; the same where it would pass over what nobody has asked for yet.

    newest: the file that was provided last, "" where there was none.
    """
    reached = newest or query.from_time
    if mark.last_file_timestamp and not query.from_time <= mark.last_file_timestamp < reached:
        return mark
    return replace(mark, last_file_timestamp=reached)


def readable(stamp: str) -> str:
    """Return YYYYMMDDhhmmss for people."""
    day, hour = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}", f"{stamp[8:10]}:{stamp[10:12]}:{stamp[12:]}"
    return f"{day} {hour}"
