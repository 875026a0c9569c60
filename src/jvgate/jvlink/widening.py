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
    """Return the *code* bytes that *text* was made of; NULs may stand behind them.

    Raises SourceError when no way back gives as many, or when characters were lost on the way.
    """
    if _LOST in text:
        raise SourceError("JVRead gave a record with characters that were lost (U+FFFD): use a JV-Link with JVGets")
    widened = _from_widened(text)
    if widened is not None and len(widened) == code:
        return widened
    # cp932 before widened bytes with NULs behind: text whose only Japanese is a sign of Latin-1, such as §, looks like
    # both.
    for record in (_from_cp932(text), widened):
        if record is not None and len(record) >= code and not record[code:].strip(b"\0"):
            return record[:code]
    raise SourceError(f"JVRead said {code} bytes and gave {len(text)} characters that do not make them")


def _from_widened(text: str) -> bytes | None:
    """Take each character for a byte, as it is or by CP1252."""
    try:
        return text.translate(_TO_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return None


def _from_cp932(text: str) -> bytes | None:
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return None
