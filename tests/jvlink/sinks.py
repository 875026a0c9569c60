"""A sink that keeps what it gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from jvgate.jvlink.request import Progress


@dataclass
class Kept:
    """files: name, time of provision and records of each, in the order of coming."""

    files: list[tuple[str, str, bytearray]] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(records for _, _, records in self.files)

    def begin(self, name: str, provided: str) -> None:
        self.files.append((name, provided, bytearray()))

    def records(self, batch: bytes | bytearray, count: int) -> None:
        self.files[-1][2].extend(batch)
        self.batches.append(count)

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)
