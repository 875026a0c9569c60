"""The registry's values as the doctor may see them: some are read, secrets are only ever known to be there.

A 64-bit Windows keeps two registries, one for programs of 32 bits and one for those of 64.
"""

from __future__ import annotations

import sys
from typing import Literal, Protocol

__all__ = ["SECRETS", "Hive", "Values", "WindowsValues", "refuse_secret"]

Hive = Literal["HKLM", "HKCU"]

# Names of values that nothing in jvgate may hold, lower case: what JRA-VAN knows its user by.
SECRETS = frozenset({"servicekey", "ukey", "messagekey"})

_HIVES: dict[Hive, str] = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
_SIDES = {32: 0x0200, 64: 0x0100}  # winreg's KEY_WOW64_32KEY, KEY_WOW64_64KEY


class Values(Protocol):
    """Values of a registry.  A path stands below the hive; bits: in whose registry, 32 or 64."""

    def read(self, hive: Hive, path: str, name: str, *, bits: int) -> str | None:
        """Return a value as text, None when it is not there; name "" is the key's own.  ValueError for SECRETS."""

    def is_set(self, hive: Hive, path: str, name: str, *, bits: int) -> bool:
        """Whether a value is there and not empty; what it is goes nowhere.  Raises PermissionError."""

    def keys(self, hive: Hive, path: str, *, bits: int) -> list[str]:
        """Return the names of the keys below *path*."""


def refuse_secret(name: str) -> None:
    """Raise ValueError for the name of a secret."""
    if name.lower() in SECRETS:
        raise ValueError(f"{name} is a secret: it is looked for and never read")


class WindowsValues:
    """The registry of this machine."""

    def read(self, hive: Hive, path: str, name: str, *, bits: int) -> str | None:
        """Read a value; %NAMES% in it are replaced."""
        refuse_secret(name)
        try:
            return _query(hive, path, name, bits)
        except OSError:
            return None

    def is_set(self, hive: Hive, path: str, name: str, *, bits: int) -> bool:
        """Look for a value, and keep nothing of it."""
        try:
            return bool(_query(hive, path, name, bits).strip("\0 "))
        except FileNotFoundError:
            return False

    def keys(self, hive: Hive, path: str, *, bits: int) -> list[str]:
        """List the keys below."""
        try:
            return _names(hive, path, bits)
        except OSError:
            return []


def _query(hive: Hive, path: str, name: str, bits: int) -> str:
    """Return a value as text.  Raises FileNotFoundError when it is not there, and other OSErrors."""
    if sys.platform != "win32":
        raise FileNotFoundError("there is no registry but on Windows")
    import winreg  # noqa: PLC0415

    with winreg.OpenKey(getattr(winreg, _HIVES[hive]), path, 0, winreg.KEY_READ | _SIDES[bits]) as key:
        value, kind = winreg.QueryValueEx(key, name)
    return winreg.ExpandEnvironmentStrings(value) if kind == winreg.REG_EXPAND_SZ else str(value)


def _names(hive: Hive, path: str, bits: int) -> list[str]:
    if sys.platform != "win32":
        raise FileNotFoundError("there is no registry but on Windows")
    import winreg  # noqa: PLC0415

    with winreg.OpenKey(getattr(winreg, _HIVES[hive]), path, 0, winreg.KEY_READ | _SIDES[bits]) as key:
        return [winreg.EnumKey(key, index) for index in range(winreg.QueryInfoKey(key)[0])]
