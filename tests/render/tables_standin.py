"""A stand-in for the writers of tables: it notes what it is given, and writes it down as lines."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

NAME = "jvgate.render.tables"


class Notes:
    """Says what it was fed.  lines: `BEGIN`, a line for each run, `END` with the facts."""

    def __init__(self, form, selection):
        self.form, self.selection = form, selection

    def begin(self):
        return f"BEGIN {self.form} {self.selection.charset}\n".encode()

    def write(self, layout, raw, count):
        assert len(raw) == count * layout.length
        return f"{layout.id} {count} {len(raw)}\n".encode()

    def end(self, facts):
        return f"END {facts['total']} {facts['returned']} {'damaged_records' in facts}\n".encode()


def put_in(patch: pytest.MonkeyPatch) -> None:
    """Let the forms find the stand-in where the writers would be."""
    module = ModuleType(NAME)
    module.__spec__ = ModuleSpec(NAME, None)
    module.table_writer = Notes
    patch.setitem(sys.modules, NAME, module)
