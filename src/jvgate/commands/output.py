"""Where a command writes to: a file that is there only when it is whole, or stdout as it comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jvgate.errors import SettingsError

__all__ = ["FORM_OF_SUFFIX", "form_of", "writing"]

FORM_OF_SUFFIX = {
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".msgpack": "msgpack",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".parquet": "parquet",
    ".jvd": "raw",
    ".pickle": "pickle",
}
_TEXT = ("json", "ndjson", "csv")
_OUTPUT = "--output (-o)"


def form_of(output: Path | None, given: str | None, *, usual: str) -> str:
    """Return the form to write: the one that is given, else that of the file's ending, else the usual one.

    Raises SettingsError for an ending that says something else, and for what a terminal cannot show.
    """
    ending = output.suffix.lower() if output is not None else ""
    if not given and ending and ending not in FORM_OF_SUFFIX:
        allowed = f"--format with it, or one of {', '.join(FORM_OF_SUFFIX)}"
        raise SettingsError(_OUTPUT, f"The ending {ending} says no form.", allowed=allowed)
    form = given or FORM_OF_SUFFIX.get(ending, usual)
    if output is None and form not in _TEXT and sys.stdout.isatty():
        raise SettingsError("--format", f"{form} is nothing to look at.", allowed="-o FILE with it, or a pipe")
    return form


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
