"""Pickle: the document that JSON gives, as plain dicts, lists, texts and numbers.  jvgate never loads one."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import DocumentWriter

__all__ = ["FORMAT", "PickleWriter"]


class PickleWriter(DocumentWriter):
    """Writes one pickle.

    A pickle states which of its objects are identical.  Equal texts are made identical and nothing else is: otherwise
    its bytes would depend on what the record readers happen to keep in their memos.
    """

    def kept(self, values: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Return the record and the size of its pickle, which is smaller than the record itself."""
        return values, len(pickle.dumps(values, protocol=5))

    def encoded(self, document: Mapping[str, Any]) -> bytes:
        """Return the bytes of *document*."""
        return pickle.dumps(_rebuilt(document, {}), protocol=5)


def _rebuilt(value: Any, texts: dict[str, str]) -> Any:
    """Return a copy of *value* that shares nothing but equal texts.  texts: those met so far."""
    if isinstance(value, str):
        return texts.setdefault(value, value)
    if isinstance(value, dict):
        return {texts.setdefault(key, key): _rebuilt(member, texts) for key, member in value.items()}
    return [_rebuilt(item, texts) for item in value] if isinstance(value, list) else value


FORMAT = Format(
    word="pickle",
    media_types=("application/x-python-pickle",),
    suffixes=(".pickle",),
    download_suffix=".pickle",
    setting="allow_pickle",
    answer=PickleWriter,
)
