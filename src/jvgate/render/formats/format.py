"""The declaration of an output format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jvgate.errors import QueryError
from jvgate.render.formats.writers import RecordWriter
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["Format", "MakeWriter", "record_types"]

MakeWriter = Callable[[Question, Spec], RecordWriter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One output format.  HTTP, OpenAPI, `jvgate fetch` and `jvgate decode` derive from it what they offer.

    word: the value of `format=`.
    media_types: the names in `Accept` and `Content-Type`, the preferred one first.
    suffixes: the file name extensions that `-o` knows, such as `.csv`.
    download_suffix: the extension of the file name that an HTTP answer suggests; "" suggests none.
    charsets: the values of `charset=`, the default first; `NAME-bom` is NAME with a byte order mark.
    refused_parameters: parameters that this format cannot show, of `fields`, `labels` and `raw`.
    needs_one_record_type: a table, whose rows all have the same columns.
    is_text: a terminal can show it.
    is_compressed: a content coding would not make it smaller.
    setting: the name of the setting that switches this format on; "" for one that is always offered.
    refusal: a further check of a question, which returns why this format cannot answer it.

    The writers:
    answer: of a finished answer; its `end` gets the `meta` of the answer.
    stream: of `/api/v1/stream`; None when it cannot be written before the last record is known.
    fetched: of `jvgate fetch`, which writes records while it reads; None writes the finished answer.
    decoded: of `jvgate decode`; None uses that of the answer.
    """

    word: str
    media_types: tuple[str, ...]
    answer: MakeWriter
    stream: MakeWriter | None = None
    fetched: MakeWriter | None = None
    decoded: MakeWriter | None = None
    suffixes: tuple[str, ...] = ()
    download_suffix: str = ""
    charsets: tuple[str, ...] = ()
    refused_parameters: tuple[str, ...] = ()
    needs_one_record_type: bool = False
    is_text: bool = False
    is_compressed: bool = False
    setting: str = ""
    refusal: Callable[[Question, Spec], QueryError | None] | None = None


def record_types(question: Question, spec: Spec) -> tuple[str, ...]:
    """Return the record types that the answer to *question* may hold."""
    known = [found for query in question.queries if (found := spec.dataspec(query.dataspec)) is not None]
    delivered = dict.fromkeys(record for found in known for record in found.record_types)
    return question.selection.records or tuple(delivered)
