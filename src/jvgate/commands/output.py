"""Where a command writes to: a file that is there only when it is whole, or stdout as it comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jvgate.errors import SettingsError
from jvgate.render.formats.registry import FORMATS, format_suffixes

__all__ = ["output_format", "writing"]

_OUTPUT = "--output (-o)"


def output_format(output: Path | None, given: str | None, *, default: str) -> str:
    """Return the format word to write: *given*, else that of the file name extension, else *default*.

    Raises SettingsError for an unknown extension, and for a format that a terminal cannot show.
    """
    suffixes = format_suffixes()
    suffix = output.suffix.lower() if output is not None else ""
    if not given and suffix and suffix not in suffixes:
        allowed = f"--format with it, or one of {', '.join(suffixes)}"
        raise SettingsError(_OUTPUT, f"The ending {suffix} says no form.", allowed=allowed)
    word = given or suffixes.get(suffix, default)
    is_text = word not in FORMATS or FORMATS[word].is_text  # an unknown word is refused later, with the known ones
    if output is None and not is_text and sys.stdout.isatty():
        raise SettingsError("--format", f"{word} is nothing to look at.", allowed="-o FILE with it, or a pipe")
    return word


@contextmanager
def writing(output: Path | None) -> Iterator[BinaryIO]:
    """Yield where to write; a file gets its name at the end, and not at all when something goes wrong.

    Raises SettingsError, before anything is read for it, for a file that could not be written.
    """
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.is_dir() or not os.access(output.absolute().parent, os.W_OK):
        why = f"{output} cannot be written."
        raise SettingsError(_OUTPUT, why, allowed="a file in a folder that exists and may be written")
    if output.exists() and not output.is_file():  # a pipe, a device
        with output.open("wb") as file:
            yield file
        return
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")  # another run may write to the same name
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
