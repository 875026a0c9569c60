"""From the text that JVRead gives back to the bytes that JV-Link read.

A BSTR holds UTF-16, and three ways of filling it are reported: the text that cp932 gives; every byte widened to the
character of the same number; every byte read as CP1252.  Which one it was shows: the bytes must be as many as the
return code says.  Source: `behaviour`, section 5.
"""

from __future__ import annotations

from jvgate.errors import SourceError

__all__ = ["record_bytes"]

_LOST = "\ufffd"
# CP1252 puts other characters at 0x80-0x9F; its five holes stay control characters of the same number.
_CP1252 = {
    bytes([byte]).decode("cp1252"): chr(byte)
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TO_LATIN = str.maketrans(_CP1252)


def record_bytes(text: str, code: int) -> bytes:
    """Return the *code* bytes that *text* was made of.

    Raises SourceError when no way back gives as many, or when characters were lost on the way.
    """
    if _LOST in text:
        raise SourceError("JVRead gave a record with characters that were lost (U+FFFD): use a JV-Link with JVGets")
    for way in (_from_widened, _from_cp932):
        record = way(text, code)
        if record is not None:
            return record
    raise SourceError(f"JVRead said {code} bytes and gave {len(text)} characters that do not make them")


def _from_widened(text: str, code: int) -> bytes | None:
    """Take each character for a byte, as it is or by CP1252."""
    if len(text) < code:
        return None
    try:
        return text[:code].translate(_TO_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return None


def _from_cp932(text: str, code: int) -> bytes | None:
    try:
        record = text.rstrip("\0").encode("cp932")
    except UnicodeEncodeError:
        return None
    return record if len(record) == code else None
