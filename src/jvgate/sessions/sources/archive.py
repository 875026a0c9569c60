"""`archive:DIR`: a folder of raw records, played by the simulator; and the process that holds one of its sessions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from jvgate.errors import SettingsError
from jvgate.jvlink.holding import Holding
from jvgate.sessions.archive.archive_id import ArchiveId, name_of_place
from jvgate.sessions.archive.folder import ArchiveShelf
from jvgate.sessions.sources.simulated import Play, hold, parse_play, serve_session, simulated_source
from jvgate.sessions.sources.source import SETTING, Means, Source, SourceKind, provider_named
from jvgate.spec.spec import Provider, Spec

__all__ = ["ARCHIVE", "Archive", "holding_of", "parse_archive"]

_LEAST_S = 30.0  # an archive may lie on a slow disk


@dataclass(frozen=True, slots=True)
class Archive:
    """The parts of an `archive:` URL.  place: the folder.  id: the one that its recorder gave it, "" for none.

    provider: whose data it holds: that of the URL, else that of the source that it was recorded from.
    """

    place: str
    provider: Provider = "jra"
    play: Play = field(default_factory=Play)
    id: str = ""

    @property
    def identity(self) -> str:
        """The identity of its data; without an id those of another machine's folder are others."""
        return self.play.identity(self.provider, "archive", self.id or name_of_place(_root(self.place)))


def parse_archive(url: str) -> Archive:
    """Return the parts of *url*.  Raises SettingsError that names what is allowed, ArchiveError for a damaged id."""
    place, _, query = url.removeprefix("archive:").partition("?")
    if not place:
        raise SettingsError(SETTING, "archive: needs a folder.", allowed="archive:DIR, such as archive:/data/jv")
    parameters, play = parse_play(query, own="provider")
    known = ArchiveId.read(_root(place))
    if known is None:
        return Archive(place, provider_named(parameters.get("provider", "jra")), play)
    return Archive(place, provider_named(parameters.get("provider", known.provider)), play, known.id)


def _root(place: str) -> Path:
    return Path(place).expanduser()


def holding_of(archive: Archive, spec: Spec, began: float) -> Holding:
    """Return how a session of *archive* is held."""
    shelf = ArchiveShelf(archive.place, spec)
    return hold(archive.play, shelf, spec, began, renewed=shelf.renewed)


def _archive_source(url: str, means: Means) -> Source:
    archive = parse_archive(url)
    shelf_of: Callable[[Spec], ArchiveShelf] = cache(partial(ArchiveShelf, archive.place))
    return simulated_source(
        url,
        archive.play,
        means,
        identity=archive.identity,
        module=__name__,
        least_s=_LEAST_S,
        provider=archive.provider,
        check=lambda spec: shelf_of(spec).check(),
        archive=lambda spec: shelf_of(spec).summary(),
        any_course=True,
    )


ARCHIVE = SourceKind("archive:DIR", "a folder of raw JV-Data", _archive_source)


def main(url: str, began: str) -> int:
    """Hold one session of *url* for the server at the other end of the pipes; return the exit status."""
    archive = parse_archive(url)
    return serve_session(archive.provider, lambda spec: holding_of(archive, spec, float(began)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
