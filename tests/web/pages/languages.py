"""Whether a text is written in both languages."""

import re

__all__ = ["speaks_both"]

_JAPANESE = re.compile("[぀-ヿ一-鿿]")
_LATIN = re.compile("[A-Za-z]{3}")


def speaks_both(text: str) -> bool:
    """Return whether *text* holds Japanese characters and a word in Latin letters."""
    return bool(_JAPANESE.search(text) and _LATIN.search(text))
