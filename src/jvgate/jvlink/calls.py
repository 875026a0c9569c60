"""What is asked of JV-Link beside reading: pictures, videos, what it is set to; all on the session's thread.

None of it changes anything, so that each may be asked once more when nobody knows what became of it.
Source: JV-Link interface specification 4.9.0.1, JVFuku, JVCourseFile, JVMVCheckWithType, JVMVOpen, properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jvgate.errors import JVLinkError, SourceError
from jvgate.jvlink.interface import FullJVLink

__all__ = ["ERRANDS"]

_NO_PICTURE = -1  # JV-Link gives its "No Image" picture with it
_PICTURE_LIMIT_BYTES = 1 << 22
_MOVIE_LINE_BYTES = 21  # YYYYMMDD, ten digits, CR LF and the NUL behind
_PUBLIC, _NOT_PUBLIC = 1, 0


def silks(link: FullJVLink, pattern: str) -> dict[str, Any]:
    """Return {"picture": a 50x50 bitmap, "found": whether it shows *pattern* and is not the "No Image" one}."""
    code, buff = link.JVFuku(pattern, b"")
    if code not in (0, _NO_PICTURE):
        raise JVLinkError(code, "JVFuku")
    return {"picture": bytes(buff), "found": code == 0}


def course(link: FullJVLink, key: str) -> dict[str, Any]:
    """Return {"picture": a GIF, "explanation"} of the course *key* (YYYYMMDDJJKKKKTT), found or not as in `silks`."""
    code, path, explanation = link.JVCourseFile(key, "", "")
    if code not in (0, _NO_PICTURE):
        raise JVLinkError(code, "JVCourseFile")
    return {"picture": _contents(path) if path else b"", "explanation": explanation, "found": code == 0}


def movie(link: FullJVLink, movie_type: str, key: str) -> dict[str, Any]:
    """Return {"available"}: whether the video of that type (00, 11, …) is public for the race or horse *key*."""
    code = link.JVMVCheckWithType(movie_type, key)
    if code not in (_PUBLIC, _NOT_PUBLIC, -1):
        raise JVLinkError(code, "JVMVCheckWithType")
    return {"available": code == _PUBLIC}


def movies(link: FullJVLink, movie_type: str, key: str) -> dict[str, Any]:
    """Return {"keys"}: of the workout videos of that type (11, 12, 13) for the day or horse *key*."""
    keys: list[str] = []
    try:
        code = link.JVMVOpen(movie_type, key)
        if code not in (0, -1):
            raise JVLinkError(code, "JVMVOpen")
        while code == 0:
            size, line, _ = link.JVMVRead("", _MOVIE_LINE_BYTES)
            if size < 0:
                raise JVLinkError(size, "JVMVRead")
            if size == 0:
                break
            keys.append(line.rstrip("\0\r\n"))
    finally:
        link.JVClose()
    return {"keys": keys}


def setup(link: FullJVLink) -> dict[str, Any]:
    """Return what JV-Link is set to; the service key is never read."""
    return {
        "version": link.m_JVLinkVersion,
        "save_flag": link.m_saveflag,
        "save_path": link.m_savepath,
        "pay_flag": link.m_payflag,
    }


ERRANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    errand.__name__: errand for errand in (silks, course, movie, movies, setup)
}


def _contents(path: str) -> bytes:
    """Return the picture that JV-Link put into its own folder."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_PICTURE_LIMIT_BYTES)
    except OSError as exc:
        raise SourceError(f"JV-Link's picture {Path(path).name} cannot be read: {exc.strerror}") from exc
