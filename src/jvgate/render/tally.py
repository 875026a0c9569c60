"""What was seen on the way through the bytes of an answer or a stream: what its `meta` or its end tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from jvgate.records.kinds import Errors
from jvgate.records.runs import Damage, Framed, RecordRun
from jvgate.values import Selection

__all__ = ["Damaged", "Tally"]

MAX_DAMAGE_SHOWN = 100


@dataclass(slots=True)
class Damaged:
    """Records that are damaged inside, and how many of their fields are."""

    records: int = 0
    fields: int = 0

    def note(self, errors: Errors) -> None:
        """Count what is wrong inside one record."""
        self.records += bool(errors)
        self.fields += len(errors)

    def facts(self) -> dict[str, int]:
        """Return both by the names that an answer gives them."""
        return {"damaged_records": self.records, "damaged_fields": self.fields}


@dataclass(slots=True)
class Tally:
    """Counts, for reading; damage inside records is counted by whoever decodes them.

    files: those that held something wanted.  damage: the first places of what was lost between records.
    """

    files: int = 0
    records: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    padded: int = 0
    lost_bytes: int = 0
    damage: list[dict[str, Any]] = field(default_factory=list)

    def note(self, item: Framed, *, file: str) -> None:
        """Count what stands in *file*."""
        if isinstance(item, Damage):
            self._note_damage(item, file)
            return
        name, count = item.head.decode("ascii", "replace"), 1
        if isinstance(item, RecordRun):
            count = item.count
        else:
            self.padded += item.padded > 0
        (self.records if item.layout is not None else self.unknown)[name] += count

    @property
    def total(self) -> int:
        """How many records there were, shown or not."""
        return self.records.total() + self.unknown.total()

    def add(self, other: Tally) -> None:
        """Count what *other* has counted too."""
        self.files += other.files
        self.records += other.records
        self.unknown += other.unknown
        self.padded += other.padded
        self.lost_bytes += other.lost_bytes
        self.damage += other.damage[: MAX_DAMAGE_SHOWN - len(self.damage)]

    def facts(self, selection: Selection, *, returned: int, damaged: Damaged | None) -> dict[str, Any]:
        """Return everything by the names that an answer gives it.

        returned: how many records were shown.  damaged: what was damaged inside them, None where nobody looked.
        """
        facts = {
            "file_count": self.files,
            "record_counts": dict(sorted(self.records.items())),
            "unknown_record_counts": dict(sorted(self.unknown.items())),
            "total": self.total,
            "offset": selection.offset,
            "returned": returned,
            **(damaged.facts() if damaged is not None else {}),
            "padded_records": self.padded,
            "lost_bytes": self.lost_bytes,
        }
        # Places are told of whole files only: a read of some record types does not see all that lies between them.
        return facts | ({"damage": self.damage} if self.damage and not selection.records else {})

    def _note_damage(self, damage: Damage, file: str) -> None:
        self.lost_bytes += damage.length
        if len(self.damage) < MAX_DAMAGE_SHOWN:
            self.damage.append({"file": file, "offset": damage.offset, "bytes": damage.length, "why": damage.why})
