"""A stand-in for pywin32 and COM, as strict as the real ones: apartments, late binding, out parameters, BSTRs.

What lies behind the COM object is the simulator, so that the contract suite can hold `com.py` to the same rules.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from jvgate.spec.files import read_json

INTERFACE = {method["name"]: method for method in read_json("interface.json")["methods"]}
PROPERTIES = {entry["name"] for entry in read_json("interface.json")["properties"]}
WRONG_THREAD, NOT_INITIALISED, NOT_REGISTERED = 0x8001010E, 0x800401F0, 0x80040154
BAD_COUNT, BAD_TYPE, NO_MEMBER = 0x8002000E, 0x80020005, 0x80020003
_PADDING = 7  # JV-Link's array may be longer than the record


class com_error(Exception):  # noqa: N801  (pywin32's name)
    """As pywin32 raises it: the HRESULT is signed."""

    def __init__(self, hresult: int) -> None:
        super().__init__(hresult - (1 << 32), "error", None, None)
        self.hresult = hresult - (1 << 32)


class Machine:
    """One computer.  widen: how JVRead's text is filled; lacks: methods that its JV-Link has not."""

    def __init__(self, make: Callable[[], object], *, widen: str = "latin-1", lacks: tuple[str, ...] = ()) -> None:
        self.make = make
        self.widen = widen
        self.lacks = lacks
        self.apartments: set[int] = set()
        self.objects: list[Dispatched] = []
        self.prefix = {"JVDTLab.JVLink": "JV", "NVDTLabLib.NVLink": "NV"}

    def dispatch(self, prog_id: str) -> Dispatched:
        if threading.get_ident() not in self.apartments:
            raise com_error(NOT_INITIALISED)
        if prog_id not in self.prefix:
            raise com_error(NOT_REGISTERED)
        made = Dispatched(self, self.make(), self.prefix[prog_id])
        self.objects.append(made)
        return made

    def pump(self) -> None:
        """Deliver events to the objects of this thread."""
        for made in self.objects:
            if vars(made)["_thread"] == threading.get_ident() and vars(made)["_sink"] is not None:
                vars(made)["_behind"].pump()


class Dispatched:
    """A late-bound object: names are looked up when they are used, out parameters come back in a tuple."""

    def __init__(self, machine: Machine, behind: object, prefix: str) -> None:
        vars(self).update(_machine=machine, _behind=behind, _prefix=prefix, _thread=threading.get_ident(), _sink=None)

    def __getattr__(self, name: str) -> object:
        own = vars(self)
        plain = name.replace(own["_prefix"], "JV", 1) if name.startswith(own["_prefix"]) else name
        if plain.startswith("m_NVLink"):
            plain = plain.replace("NV", "JV", 1)
        self._check_apartment()
        if plain in PROPERTIES and plain not in own["_machine"].lacks:
            return getattr(own["_behind"], plain)
        if plain not in INTERFACE or plain in own["_machine"].lacks:
            raise AttributeError(f"<unknown>.{name}")
        return lambda *arguments: self._invoke(plain, arguments)

    def __setattr__(self, name: str, value: object) -> None:
        self._check_apartment()
        if name != "ParentHWnd":
            raise com_error(NO_MEMBER)

    def _check_apartment(self) -> None:
        own = vars(self)
        if threading.get_ident() != own["_thread"]:
            raise com_error(WRONG_THREAD)
        if own["_thread"] not in own["_machine"].apartments:
            raise com_error(NOT_INITIALISED)

    def _invoke(self, name: str, arguments: tuple[object, ...]) -> object:
        self._check_apartment()
        method = getattr(vars(self)["_behind"], name)
        if len(arguments) != len(inspect.signature(method).parameters):
            raise com_error(BAD_COUNT)
        if name == "JVGets" and not isinstance(arguments[0], bytearray | bytes):
            raise com_error(BAD_TYPE)
        return self._shaped(name, method(*arguments))

    def _shaped(self, name: str, result: object) -> object:
        if name == "JVGets":
            code, record, file = result  # type: ignore[misc]
            return code, memoryview(bytes(record) + b"\0" * _PADDING), file
        if name == "JVRead":
            code, text, size, file = result  # type: ignore[misc]
            return code, self._widened(text.encode("latin-1")), size, file
        if name == "JVFuku":
            code, picture = result  # type: ignore[misc]
            return code, memoryview(bytes(picture))
        return result

    def _widened(self, record: bytes) -> str:
        widen = vars(self)["_machine"].widen
        if widen == "cp1252":
            return "".join(bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in record)
        return record.decode(widen)


def with_events(made: Dispatched, handler: type) -> object:
    """Connect *handler* as win32com.client.WithEvents does."""
    sink = handler()
    vars(made)["_sink"] = sink
    vars(made)["_behind"].on_event = lambda name, parameter: getattr(sink, f"On{name}")(parameter)
    return sink


@contextmanager
def installed(machine: Machine) -> Iterator[Machine]:
    """Let `import pythoncom` and `import win32com.client` find the stand-in."""
    pythoncom, win32com, client, dynamic = map(
        ModuleType, ("pythoncom", "win32com", "win32com.client", "win32com.client.dynamic")
    )
    vars(pythoncom).update(
        com_error=com_error,
        CoInitialize=lambda: machine.apartments.add(threading.get_ident()),
        CoUninitialize=lambda: machine.apartments.discard(threading.get_ident()),
        PumpWaitingMessages=machine.pump,
    )
    vars(dynamic).update(Dispatch=machine.dispatch)
    vars(client).update(dynamic=dynamic, WithEvents=with_events)
    vars(win32com).update(client=client)
    with pytest.MonkeyPatch.context() as patch:
        for module in (pythoncom, win32com, client, dynamic):
            patch.setitem(sys.modules, module.__name__, module)
        yield machine
