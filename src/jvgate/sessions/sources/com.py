"""`jvlink:` and `nvlink:`: JV-Link and NV-Link on this machine, as COM objects in a process of their own."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path, PurePath

from jvgate.errors import SettingsError
from jvgate.sessions.remote_session import start_process
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.sources.source import SETTING, Means, Source, SourceKind
from jvgate.sessions.watchdog import CallLimits
from jvgate.spec.spec import Provider
from jvgate.values import SourceClock

__all__ = ["JVLINK", "NVLINK", "com_command", "python_command"]

PYTHON_SETTING = "JVGATE_WORKER_PYTHON (--worker-python)"


def _com_source(url: str, means: Means) -> Source:
    scheme, _, rest = url.partition(":")
    if rest:
        raise SettingsError(SETTING, f"{scheme}: takes nothing behind it ({rest!r}).", allowed=f"{scheme}:")
    command = com_command(scheme, means)
    provider: Provider = "nv" if scheme == "nvlink" else "jra"
    return Source(
        name=url,
        identity=SourceIdentity(provider),  # every server is given the same data
        start=partial(start_process, command, on_event=means.on_event),
        check=lambda spec: None,
        provider=provider,
        clock=SourceClock(),
        command=command,
        sessions=1,
        max_sessions=2,
        is_single=True,
        limits=means.limits(CallLimits()),
        recycling=means.recycling,
    )


JVLINK = SourceKind("jvlink:", "JV-Link on this machine", _com_source)
NVLINK = SourceKind("nvlink:", "NV-Link, local racing", _com_source)


def com_command(scheme: str, means: Means) -> tuple[str, ...]:
    """Return the command of a worker for `jvlink` or `nvlink`.

    It may be another Python than this one, of 32 bits or under Wine, in which jvgate is not installed: the package's
    folder goes to the end of its path, so that its own pywin32 comes first.
    """
    python = python_command(means.worker_python, is_windows=sys.platform == "win32")
    root = str(Path(__file__).parents[3])
    if any(PurePath(word).stem.startswith("wine") for word in python[:1]):
        root = f"Z:{root}"  # where Wine shows this machine's files
    way_in = f"import sys; sys.path.append({root!r})"
    code = f"{way_in}; from jvgate.jvlink.com_process import main; sys.exit(main(sys.argv[1:]))"
    return (*python, "-c", code, scheme, *(("--press-dialogs",) if means.press_dialogs else ()))


def python_command(setting: str, *, is_windows: bool) -> list[str]:
    """Return the command of the workers' Python, this one's for "".  Raises SettingsError for quotes that do not close.

    A path with blanks stands in quotes.  On Windows a backslash is no more than that.
    """
    try:
        words = shlex.split(setting, posix=not is_windows)
    except ValueError as exc:
        allowed = 'py -3.12-32, or a path; one with blanks in quotes: "C:\\Program Files\\Python\\python.exe"'
        raise SettingsError(PYTHON_SETTING, f"{setting!r} has a quote that is not closed.", allowed=allowed) from exc
    python = [word.strip('"') for word in words] if is_windows else words  # there they keep their quotes
    return python or [sys.executable]
