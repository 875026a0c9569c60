"""All output formats: the built-in ones, and those that `register` adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jvgate.render.formats import (
    arrow_format,
    csv_format,
    json_format,
    msgpack_format,
    ndjson_format,
    parquet_format,
    pickle_format,
    raw_format,
)
from jvgate.render.formats.format import Format

__all__ = ["FORMATS", "charsets", "format_suffixes", "media_types", "offered_formats", "offered_streams", "register"]

_DEFAULT_STREAM = ndjson_format.FORMAT.word

FORMATS: dict[str, Format] = {}
"""Format word -> format, in the order of preference."""


def register(added: Format) -> None:
    """Offer *added* everywhere, with the least preference.  Call it before the application is created.

    Raises ValueError when another format has its word, or one of its media types or file name extensions.
    """
    for other in FORMATS.values():
        names = {other.word, *other.media_types, *other.suffixes} & {added.word, *added.media_types, *added.suffixes}
        if names:
            raise ValueError(f"format {added.word}: {other.word} has {', '.join(sorted(names))} already")
    FORMATS[added.word] = added


# In the order of preference, which decides what `Accept: */*` gets.
for _built_in in (
    json_format,
    ndjson_format,
    csv_format,
    msgpack_format,
    arrow_format,
    parquet_format,
    raw_format,
    pickle_format,
):
    register(_built_in.FORMAT)


def offered_formats(settings: object) -> tuple[str, ...]:
    """Return the format words that *settings* allow, in the order of preference."""
    return tuple(word for word, one in FORMATS.items() if not one.setting or getattr(settings, one.setting))


def offered_streams(settings: object) -> tuple[str, ...]:
    """Return the format words of streams that *settings* allow, the default first."""
    words = [word for word in offered_formats(settings) if FORMATS[word].stream is not None]
    return tuple(sorted(words, key=lambda word: word != _DEFAULT_STREAM))


def media_types(words: Iterable[str]) -> tuple[str, ...]:
    """Return the media types of all formats in *words*, in the order of preference."""
    return tuple(media for word in words for media in FORMATS[word].media_types)


def charsets(words: Iterable[str]) -> tuple[str, ...]:
    """Return the charsets of all formats in *words*."""
    return tuple(dict.fromkeys(charset for word in words for charset in FORMATS[word].charsets))


def format_suffixes() -> Mapping[str, str]:
    """Return the format word of every known file name extension."""
    return {suffix: word for word, one in FORMATS.items() for suffix in one.suffixes}
