"""JV-Link itself, through COM (Windows, pywin32): the interface of `interface.py` over late binding.

Theory of operation.  The object lives in a single-threaded apartment: the thread that makes it alone uses, pumps and
releases it.  Calls are bound late (`dynamic.Dispatch`): with early binding JVRead fails with 0x80010105 after the first
-3, and a makepy cache, which watching events needs, would turn a plain `Dispatch` into an early one.  Out parameters
come back in tuples; field reports differ in their length, so more than one is taken, and nothing else.  JVGets gives
bytes; where a JV-Link has no JVGets, JVRead takes its place, and its text is turned back into the bytes it was.

Nothing of COM may be left when `CoUninitialize` is called, or the process may crash.  Two things would stay: JV-Link
and a sink hold each other until the sink is closed, and the traceback of an error holds pywin32's wrapper of the object
(its calls are Python functions), which is why `release` empties the wrapper and does not only drop it.
Source: JV-Link interface specification 4.9.0.1; `behaviour`, sections 4 and 5; pywin32, `dynamic.py` and `genpy.py`.
"""

from __future__ import annotations

import gc
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from jvgate.errors import ComError, NotInstalled, NotOffered, SourceError
from jvgate.jvlink.widening import record_bytes

__all__ = ["EVENTS", "JV_LINK", "NV_LINK", "ComLink", "Product", "open_com"]

EVENTS = (
    "JVEvtPay",
    "JVEvtJockeyChange",
    "JVEvtWeather",
    "JVEvtCourseChange",
    "JVEvtAvoid",
    "JVEvtTimeChange",
    "JVEvtWeight",
)

_HRESULTS = {
    0x80040154: "the class is not registered: no JV-Link is installed, or it has another bitness than this Python",
    0x80070005: "access denied: run it as the user who installed JV-Link, on a desktop",
    0x80010105: "the server threw an exception",
    0x80010108: "the object has lost its server",
    0x8001010E: "called from another thread than the one that made it",
    0x800401F0: "COM is not initialised on this thread",
    0x800706BA: "the COM server is gone: restart the service JVLinkAgent or JVLink64Agent",
}
_NOT_REGISTERED = (0x80040154, 0x800401F3)
_NO_MEMBER, _TYPE_MISMATCH, _UNKNOWN_NAME, _EXCEPTION = 0x80020003, 0x80020005, 0x80020006, 0x80020009  # DISP_E_…
_NO_SUCH_MEMBER = (_NO_MEMBER, _UNKNOWN_NAME, _TYPE_MISMATCH)


@dataclass(frozen=True, slots=True)
class Product:
    """A component with this interface.  prefix: what its methods begin with in place of JV."""

    prog_id: str
    prefix: str
    has_movies: bool = True


JV_LINK = Product("JVDTLab.JVLink", "JV")
NV_LINK = Product("NVDTLabLib.NVLink", "NV", has_movies=False)


@contextmanager
def open_com(product: Product) -> Iterator[ComLink]:
    """Yield the object, made on this thread and released on it at the end.  Raises NotInstalled, ComError."""
    pythoncom, client = _pywin32(product)
    pythoncom.CoInitialize()
    link = None
    try:
        link = ComLink(product, pythoncom, client)
        yield link
    finally:
        if link is not None:
            link.release()
        del link
        gc.collect()  # the last reference has to be gone before COM is
        pythoncom.CoUninitialize()


class ComLink:
    """The COM object of *product*; see `interface.py` for what each method does.

    pythoncom, client: pywin32's modules `pythoncom` and `win32com.client`.
    """

    on_event: Callable[[str, str], None]

    def __init__(self, product: Product, pythoncom: Any, client: Any) -> None:
        self.on_event = _ignore
        self._product = product
        self._pythoncom = pythoncom
        self._client = client
        self._reads_bytes = True
        self._events: list[tuple[str, str]] = []
        self._sink: Any = None
        try:
            self._object = client.dynamic.Dispatch(product.prog_id)
        except pythoncom.com_error as exc:
            raise _unavailable(product, _hresult(exc)) from exc

    def release(self) -> None:
        """Close what is open and let go of the object; it is of no use afterwards."""
        if self._sink is not None:
            with suppress(SourceError):  # it is being thrown away
                self.JVWatchEventClose()
        with suppress(SourceError):
            self.JVClose()
        if self._object is not None:
            vars(self._object).clear()
        self._object = None

    def prepare_unattended(self) -> None:
        """See to it that no dialog waits for a person: no owner window, no pay-out dialog."""
        with _if_there():
            self._set("ParentHWnd", 0)
        with _if_there():
            if self.m_payflag == 0:
                self.JVSetPayFlag(1)

    def pump(self) -> None:
        """Deliver window messages; then tell the events that came with them."""
        self._pythoncom.PumpWaitingMessages()
        events, self._events[:] = list(self._events), []
        for name, parameter in events:
            self.on_event(name, parameter)

    def JVInit(self, sid: str) -> int:
        """Load the settings."""
        return self._code("JVInit", sid)

    def JVOpen(
        self, dataspec: str, fromtime: str, option: int, readcount: int, downloadcount: int, lastfiletimestamp: str
    ) -> tuple[int, int, int, str]:
        """Open stored data."""
        answer = self._call("JVOpen", dataspec, fromtime, option, readcount, downloadcount, lastfiletimestamp)
        code, files, downloads, newest = _values("JVOpen", answer, (4,), (0, 0, ""))
        return int(code), int(files or 0), int(downloads or 0), str(newest or "")

    def JVRTOpen(self, dataspec: str, key: str) -> int:
        """Open real-time data."""
        return self._code("JVRTOpen", dataspec, key)

    def JVStatus(self) -> int:
        """Tell the downloads that are done."""
        return self._code("JVStatus")

    def JVCancel(self) -> None:
        """Stop the download."""
        self._call("JVCancel")

    def JVClose(self) -> int:
        """Close."""
        return self._code("JVClose")

    def JVRead(self, buff: str, size: int, filename: str) -> tuple[int, str, int, str]:
        """Read one record as text."""
        answer = self._call("JVRead", buff, size, filename)
        values = _values("JVRead", answer, (3, 4), ("", 0, ""))
        code, text, name = values[0], values[1], values[-1]
        return int(code), str(text or ""), size, str(name or "")

    def JVGets(self, buff: bytes, size: int, filename: str) -> tuple[int, memoryview | bytes, str]:
        """Read one record as bytes, through JVRead where there is no JVGets."""
        if self._reads_bytes:
            try:
                # Empty bytearrays cured crashes that empty strings caused, and the official sample passes them too.
                answer = self._call("JVGets", bytearray(), size, bytearray())
            except ComError as exc:
                if exc.hresult not in _NO_SUCH_MEMBER:
                    raise
                self._reads_bytes = False
            else:
                values = _values("JVGets", answer, (3, 4), (b"", ""))
                code, name = int(values[0]), str(values[-1] or "")
                return code, _buffer("JVGets", values[1]) if code > 0 else b"", name
        code, text, _, name = self.JVRead("", size, "")
        return code, record_bytes(text, code) if code > 0 else b"", name

    def JVSkip(self) -> None:
        """Go on with the next file."""
        self._call("JVSkip")

    def JVFiledelete(self, filename: str) -> int:
        """Delete JV-Link's copy of a file."""
        return self._code("JVFiledelete", filename)

    def JVSetUIProperties(self) -> int:
        """Show the settings dialog."""
        return self._code("JVSetUIProperties")

    def JVSetServiceKey(self, servicekey: str) -> int:
        """Store the service key."""
        return self._code("JVSetServiceKey", servicekey)

    def JVSetSaveFlag(self, saveflag: int) -> int:
        """Keep downloaded files or not."""
        return self._code("JVSetSaveFlag", saveflag)

    def JVSetSavePath(self, savepath: str) -> int:
        """Set the folder of its own files."""
        return self._code("JVSetSavePath", savepath)

    def JVSetPayFlag(self, payflag: int) -> int:
        """Let the pay-out dialog pop up or not."""
        return self._code("JVSetPayFlag", payflag)

    def JVFukuFile(self, pattern: str, filepath: str) -> int:
        """Write silks to a file."""
        return self._code("JVFukuFile", pattern, filepath)

    def JVFuku(self, pattern: str, buff: bytes) -> tuple[int, memoryview | bytes]:
        """Return silks as a bitmap."""
        code, picture = _values("JVFuku", self._call("JVFuku", pattern, bytearray()), (2,), (b"",))
        return int(code), _buffer("JVFuku", picture) if picture else b""

    def JVCourseFile(self, key: str, filepath: str, explanation: str) -> tuple[int, str, str]:
        """Put the picture of a course into its own folder."""
        answer = self._call("JVCourseFile", key, filepath, explanation)
        code, path, words = _values("JVCourseFile", answer, (3,), ("", ""))
        return int(code), str(path or ""), str(words or "")

    def JVCourseFile2(self, key: str, filepath: str) -> int:
        """Write the picture of a course to a file."""
        return self._code("JVCourseFile2", key, filepath)

    def JVMVCheck(self, key: str) -> int:
        """Tell whether a video is public."""
        return self._movie("JVMVCheck", key)

    def JVMVCheckWithType(self, movietype: str, key: str) -> int:
        """Tell whether a video of a type is public."""
        return self._movie("JVMVCheckWithType", movietype, key)

    def JVMVPlay(self, key: str) -> int:
        """Open a browser window."""
        return self._movie("JVMVPlay", key)

    def JVMVPlayWithType(self, movietype: str, key: str) -> int:
        """Open a browser window."""
        return self._movie("JVMVPlayWithType", movietype, key)

    def JVMVOpen(self, movietype: str, searchkey: str) -> int:
        """Open a list of videos."""
        return self._movie("JVMVOpen", movietype, searchkey)

    def JVMVRead(self, buff: str, size: int) -> tuple[int, str, int]:
        """Read a line of it."""
        values = _values("JVMVRead", self._call("JVMVRead", buff, size), (2, 3), ("", 0))
        return int(values[0]), str(values[1] or ""), size

    def JVWatchEvent(self) -> int:
        """Begin to watch; the sink is connected first."""
        if self._sink is None:
            self._sink = self._connect()
        return self._code("JVWatchEvent")

    def JVWatchEventClose(self) -> int:
        """End it."""
        try:
            return self._code("JVWatchEventClose")
        finally:
            sink, self._sink = self._sink, None
            if sink is not None:
                with suppress(self._pythoncom.com_error):
                    sink.close()  # dropping it is not enough, and a second sink would tell everything twice

    @property
    def m_saveflag(self) -> int:
        """Whether downloaded files are kept."""
        return int(self._get("m_saveflag") or 0)

    @property
    def m_savepath(self) -> str:
        """The folder of its own files."""
        return str(self._get("m_savepath") or "")

    @property
    def m_JVLinkVersion(self) -> str:
        """Its version, four digits."""
        return str(self._get(f"m_{self._product.prefix}LinkVersion") or "")

    @property
    def m_payflag(self) -> int:
        """Whether the pay-out dialog is off."""
        return int(self._get("m_payflag") or 0)

    @property
    def m_TotalReadFilesize(self) -> int:
        """Size of all that is open, KiB."""
        return int(self._get("m_TotalReadFilesize") or 0)

    @property
    def m_CurrentReadFilesize(self) -> int:
        """Size of the file being read."""
        return int(self._get("m_CurrentReadFilesize") or 0)

    @property
    def m_CurrentFileTimestamp(self) -> str:
        """When the file being read was provided; bindings spell it in two ways."""
        return str(self._get("m_CurrentFileTimestamp", "m_CurrentFileTimeStamp") or "")

    def _movie(self, method: str, *arguments: str) -> int:
        if not self._product.has_movies:
            raise NotOffered("videos")
        return self._code(method, *arguments)

    def _code(self, method: str, *arguments: object) -> int:
        return int(_values(method, self._call(method, *arguments), (1,), ())[0])

    def _connect(self) -> Any:
        """Return a sink that queues events.  Raises SourceError.

        pywin32 generates its class from the type library, at the first time, into its folder gen_py; a broken file
        there shows in an AttributeError or ImportError.
        """
        try:
            return self._client.WithEvents(self._object, _handler(self._events, self._product.prefix))
        except (self._pythoncom.com_error, AttributeError, ImportError, OSError, TypeError, ValueError) as exc:
            why = "if that says nothing of COM, delete pywin32's folder gen_py"
            raise SourceError(f"JV-Link's events cannot be watched here: {exc} ({why})") from exc

    def _call(self, method: str, *arguments: object) -> Any:
        """Call *method* by its name in this product.  Raises ComError."""
        name = method.replace("JV", self._product.prefix, 1)
        try:
            return getattr(self._object, name)(*arguments)
        except self._pythoncom.com_error as exc:
            raise _com_error(exc, name) from exc
        except AttributeError as exc:  # what pywin32 makes of a member that is not there
            why = "the object was released" if self._object is None else "there is no such method"
            raise ComError(_NO_MEMBER, name, why=why) from exc
        except TypeError as exc:  # its words may hold an argument, and that may be a secret
            raise ComError(_TYPE_MISMATCH, name, why="pywin32 cannot pass such arguments") from exc

    def _get(self, *spellings: str) -> Any:
        for name in spellings:
            try:
                value = getattr(self._object, name)
            except AttributeError:
                continue
            except self._pythoncom.com_error as exc:
                if _hresult(exc) not in _NO_SUCH_MEMBER:
                    raise _com_error(exc, name) from exc
            else:
                if not callable(value):  # pywin32 takes what cannot be got for a method
                    return value
        return None

    def _set(self, name: str, value: object) -> None:
        try:
            setattr(self._object, name, value)
        except self._pythoncom.com_error as exc:
            raise _com_error(exc, name) from exc
        except AttributeError as exc:
            raise ComError(_NO_MEMBER, name, why="there is no such property, or it cannot be set") from exc


def _pywin32(product: Product) -> tuple[Any, Any]:
    """Return pywin32's modules.  Raises NotInstalled where there are none."""
    if "pythoncom" not in sys.modules:
        sys.coinit_flags = 2  # type: ignore[attr-defined]  # pythoncom reads it: the main thread is an STA
    try:
        import pythoncom  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: PLC0415
        import win32com.client.dynamic  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError as exc:
        why = "JV-Link runs on Windows only" if sys.platform != "win32" else "this Python has no pywin32"
        raise NotInstalled(product.prog_id, hresult=_NOT_REGISTERED[0], why=f"{why} ({exc})") from exc
    return pythoncom, win32com.client


def _values(method: str, answer: Any, counts: tuple[int, ...], missing: tuple[object, ...]) -> tuple[Any, ...]:
    """Return an answer as a tuple of code and out parameters; a bare code stands for itself and *missing*."""
    if isinstance(answer, int):
        return (answer, *missing)
    if isinstance(answer, tuple) and len(answer) in counts and isinstance(answer[0], int):
        return answer
    raise SourceError(f"{method} answered with {type(answer).__name__} of unknown shape")


def _buffer(method: str, value: Any) -> memoryview | bytes:
    if isinstance(value, memoryview | bytes):
        return value
    raise SourceError(f"{method} gave {type(value).__name__} where bytes were due")


@contextmanager
def _if_there() -> Iterator[None]:
    """Go without a member that this component has not."""
    try:
        yield
    except ComError as exc:
        if exc.hresult not in _NO_SUCH_MEMBER:
            raise


def _handler(events: list[tuple[str, str]], prefix: str) -> type:
    """Return the class that takes events: each is queued and answered at once, since JV-Link waits for it."""

    def keeper(name: str) -> Callable[[Any, str], None]:
        return lambda self, parameter: events.append((name, str(parameter)))

    return type("Handler", (), {f"On{name.replace('JV', prefix, 1)}": keeper(name) for name in EVENTS})


def _hresult(error: Any) -> int:
    """Return the HRESULT, unsigned; where the component threw an exception, the one that it tells."""
    hresult, told = int(error.hresult) & 0xFFFFFFFF, error.excepinfo
    return int(told[5]) & 0xFFFFFFFF if hresult == _EXCEPTION and told and told[5] else hresult


def _com_error(error: Any, method: str) -> ComError:
    hresult, told = _hresult(error), error.excepinfo
    return ComError(hresult, method, why=_HRESULTS.get(hresult, "") or str((told and told[2]) or ""))


def _unavailable(product: Product, hresult: int) -> ComError:
    if hresult not in _NOT_REGISTERED:
        return ComError(hresult, f"creating {product.prog_id}", why=_HRESULTS.get(hresult, ""))
    bits = struct.calcsize("P") * 8
    return NotInstalled(product.prog_id, hresult=hresult, why=f"{_HRESULTS[0x80040154]} ({bits} bits)")


def _ignore(name: str, parameter: str) -> None:
    """Take no notice of an event."""
