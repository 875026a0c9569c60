"""A stand-in for pywin32 and COM, as strict as the real ones: apartments, late binding, out parameters, BSTRs.

What lies behind the COM object is the simulator, so that the contract suite can hold `com.py` to the same rules.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MethodType, ModuleType
from typing import Any

import pytest

from jvgate.spec.files import read_json

INTERFACE = {method["name"]: method for method in read_json("jra/interface.json")["methods"]}
PROPERTIES = {entry["name"] for entry in read_json("jra/interface.json")["properties"]}
WRONG_THREAD, NOT_INITIALISED, NOT_REGISTERED = 0x8001010E, 0x800401F0, 0x80040154
BAD_COUNT, BAD_TYPE, NO_MEMBER = 0x8002000E, 0x80020005, 0x80020003
_PADDING = 7  # JV-Link's array may be longer than the record


class com_error(Exception):  # noqa: N801  (pywin32's name)
    """As pywin32 raises it: the HRESULT is signed.  excepinfo: (code, source, text, help file, context, scode)."""

    def __init__(self, hresult: int, excepinfo: tuple[object, ...] | None = None) -> None:
        super().__init__(hresult - (1 << 32), "error", excepinfo, None)
        self.hresult, self.excepinfo = hresult - (1 << 32), excepinfo


class Machine:
    """One computer.

    widen: how JVRead's text is filled.  lacks: members that its JV-Link has not.  renamed: theirs to ours.
    """

    def __init__(
        self,
        make: Callable[[], object],
        *,
        widen: str = "latin-1",
        lacks: tuple[str, ...] = (),
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.make = make
        self.widen = widen
        self.lacks = lacks
        self.renamed = renamed or {}
        self.apartments: set[int] = set()
        self.objects: list[Pointer] = []
        self.prefix = {"JVDTLab.JVLink": "JV", "NVDTLabLib.NVLink": "NV"}

    def dispatch(self, prog_id: str) -> Dispatched:
        if threading.get_ident() not in self.apartments:
            raise com_error(NOT_INITIALISED)
        if prog_id not in self.prefix:
            raise com_error(NOT_REGISTERED)
        pointer = Pointer(self, self.make(), self.prefix[prog_id])
        made = Dispatched(pointer)
        pointer.wrapper = weakref.ref(made)
        self.objects.append(pointer)
        return made

    def pump(self) -> None:
        """Deliver events to the objects of this thread."""
        for pointer in self.objects:
            if pointer.thread == threading.get_ident() and pointer.sinks:
                pointer.behind.pump()

    def uninitialise(self) -> None:
        """Leave the apartment; whatever is held by then would crash the process some time later."""
        held = [pointer for pointer in self.objects if pointer.thread == threading.get_ident() and pointer.is_held()]
        assert not held, "an object outlives its apartment"
        self.apartments.discard(threading.get_ident())


class Pointer:
    """An interface pointer, `_oleobj_` of pywin32's wrapper.  sinks: hold it, and it holds them, until closed."""

    def __init__(self, machine: Machine, behind: Any, prefix: str) -> None:
        self.machine = machine
        self.behind = behind
        self.prefix = prefix
        self.thread = threading.get_ident()
        self.sinks: list[Any] = []
        self.wrapper: Callable[[], Dispatched | None] = lambda: None
        behind.on_event = self.tell

    def is_held(self) -> bool:
        wrapper = self.wrapper()
        return bool(self.sinks) or (wrapper is not None and "_oleobj_" in vars(wrapper))

    def tell(self, name: str, parameter: str) -> None:
        for sink in self.sinks:
            getattr(sink, f"On{name.replace('JV', self.prefix, 1)}")(parameter)

    def member(self, name: str) -> object:
        """Return a property's value or a method, by the name that this component gives it."""
        self.check_apartment()
        plain = name.replace(f"{self.prefix}Link", "JVLink", 1) if name.startswith("m_") else name
        plain = plain.replace(self.prefix, "JV", 1) if plain.startswith(self.prefix) else plain
        if plain in self.machine.lacks:
            raise AttributeError(f"<unknown>.{name}")
        plain = self.machine.renamed.get(plain, plain)
        if plain in PROPERTIES:
            return getattr(self.behind, plain)
        if plain not in INTERFACE:
            raise AttributeError(f"<unknown>.{name}")
        return lambda *arguments: self._invoke(plain, arguments)

    def check_apartment(self) -> None:
        if threading.get_ident() != self.thread:
            raise com_error(WRONG_THREAD)
        if self.thread not in self.machine.apartments:
            raise com_error(NOT_INITIALISED)

    def _invoke(self, name: str, arguments: tuple[object, ...]) -> object:
        self.check_apartment()
        if len(arguments) != len(INTERFACE[name]["parameters"]):
            raise com_error(BAD_COUNT)
        if name == "JVGets" and not isinstance(arguments[0], bytearray | bytes):
            raise com_error(BAD_TYPE)
        return self._shaped(name, getattr(self.behind, name)(*arguments))

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
        widen = self.machine.widen
        if widen == "cp1252":
            return "".join(bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in record)
        return record.decode(widen)


class Dispatched:
    """pywin32's wrapper of a late-bound object: each name is looked up when it is used, through a Python function."""

    def __init__(self, pointer: Pointer) -> None:
        vars(self)["_oleobj_"] = pointer

    def __getattr__(self, name: str) -> object:
        if name == "_oleobj_":
            raise AttributeError(name)
        member = self._oleobj_.member(name)
        return MethodType(lambda self, *arguments: member(*arguments), self) if callable(member) else member

    def __setattr__(self, name: str, value: object) -> None:
        self._oleobj_.check_apartment()
        if name != "ParentHWnd" or name in self._oleobj_.machine.lacks:
            raise AttributeError(f"Property '<unknown>.{name}' can not be set.")


class Sink:
    """What pywin32's generated class of an event interface does."""

    def __init__(self, made: Dispatched) -> None:
        self.pointer = made._oleobj_
        self.pointer.sinks.append(self)

    def close(self) -> None:
        self.pointer.sinks.remove(self)


def with_events(made: Dispatched, handler: type) -> object:
    """Connect *handler* as win32com.client.WithEvents does."""
    return type("COMEventClass", (Sink, handler), {})(made)


@contextmanager
def installed(machine: Machine) -> Iterator[Machine]:
    """Let `import pythoncom` and `import win32com.client` find the stand-in."""
    pythoncom, win32com, client, dynamic = map(
        ModuleType, ("pythoncom", "win32com", "win32com.client", "win32com.client.dynamic")
    )
    vars(pythoncom).update(
        com_error=com_error,
        CoInitialize=lambda: machine.apartments.add(threading.get_ident()),
        CoUninitialize=machine.uninitialise,
        PumpWaitingMessages=machine.pump,
    )
    vars(dynamic).update(Dispatch=machine.dispatch)
    vars(client).update(dynamic=dynamic, WithEvents=with_events)
    vars(win32com).update(client=client)
    with pytest.MonkeyPatch.context() as patch:
        for module in (pythoncom, win32com, client, dynamic):
            patch.setitem(sys.modules, module.__name__, module)
        yield machine
