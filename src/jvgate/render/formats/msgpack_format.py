"""MessagePack: the document that JSON gives, in binary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import DocumentWriter

__all__ = ["FORMAT", "MsgpackWriter"]


class MsgpackWriter(DocumentWriter):
    """Encodes each record as it comes, so that the values of all records need not be in memory together."""

    def kept(self, values: dict[str, Any]) -> tuple[msgspec.Raw, int]:
        """Return the encoded record and its size."""
        encoded = msgspec.msgpack.encode(values)
        return msgspec.Raw(encoded), len(encoded)

    def encoded(self, document: Mapping[str, Any]) -> bytes:
        """Return the bytes of *document*."""
        return msgspec.msgpack.encode(document)


FORMAT = Format(
    word="msgpack",
    media_types=("application/msgpack", "application/x-msgpack", "application/vnd.msgpack"),
    suffixes=(".msgpack",),
    answer=MsgpackWriter,
)
