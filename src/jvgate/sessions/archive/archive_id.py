"""The archive id: a hidden file at the root of an archive that names it, wherever it is copied or mounted."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from jvgate.errors import ArchiveError
from jvgate.sessions.archive.rawfile import shown
from jvgate.sessions.archive.recording import publish
from jvgate.spec.spec import Provider

__all__ = ["FILE_NAME", "ArchiveId", "name_of_place"]

FILE_NAME = ".jvgate-archive.json"
_VERSION = 1
_ID = re.compile(r"[0-9A-Za-z]{8,64}")
_PLACE_DIGITS = 16


@dataclass(frozen=True, slots=True)
class ArchiveId:
    """The id of an archive, the provider of its data, and the source that made them first ("" for JRA-VAN's own)."""

    id: str
    provider: Provider
    origin: str = ""

    @classmethod
    def read(cls, root: Path) -> ArchiveId | None:
        """Return the id of the archive at *root*, None when it has none or is away.

        Raises ArchiveError for a file that makes no sense.
        """
        path = root / FILE_NAME
        try:
            fields = json.loads(path.read_bytes())
            if fields["version"] != _VERSION:
                raise ValueError("it is of another version")
            if fields["provider"] not in ("jra", "nv") or not _ID.fullmatch(fields["id"]):
                raise ValueError("a value is not allowed")
            return cls(fields["id"], fields["provider"], str(fields.get("origin", "")))
        except OSError:
            return None
        except (ValueError, KeyError, TypeError) as exc:
            why = f"it cannot be understood ({exc}); remove it, and the next `jvgate record` makes a new one"
            raise ArchiveError(shown(str(path)), why) from exc

    @classmethod
    def ensure(cls, root: Path, *, provider: Provider, origin: str) -> ArchiveId:
        """Return the id of the archive at *root*; one without an id gets one, whole or not at all.

        Raises ArchiveError for an archive of another provider, OSError for what cannot be written.
        """
        found = cls.read(root)
        if found is None:
            found = cls(uuid4().hex, provider, origin)
            root.mkdir(parents=True, exist_ok=True)
            part = root / f"{FILE_NAME}.{os.getpid()}.part"
            part.write_bytes(json.dumps({"version": _VERSION, **asdict(found)}, indent=1).encode())
            publish(part, root / FILE_NAME, moment_s=None)
        elif found.provider != provider:
            why = f"it holds data of provider {found.provider}, and the source has those of {provider}"
            raise ArchiveError(shown(str(root)), f"{why}; record into another folder")
        return found


def name_of_place(root: Path) -> str:
    """Return a name for an archive without an id: a hash of this machine's name and the folder's real path."""
    place = f"{socket.gethostname()}\0{os.path.realpath(root)}"
    return sha256(os.fsencode(place)).hexdigest()[:_PLACE_DIGITS]
