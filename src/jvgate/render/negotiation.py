"""The format of an answer: the one that the client prefers of those that can show what it asks for.

Source: RFC 9110, sections 12.4.2 and 12.5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from jvgate.errors import QueryError
from jvgate.render.compression import weighted
from jvgate.render.formats.format import record_types
from jvgate.render.formats.registry import FORMATS, media_types
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["check", "choose", "media_types", "negotiate", "refusal"]

UTF_8 = "utf-8"

# What Accept may call a charset -> what we call it.
_CHARSETS = {
    "utf8": "utf-8",
    **dict.fromkeys(("shift-jis", "sjis", "x-sjis", "windows-31j", "cp932", "ms932"), "shift_jis"),
}


class _Range(NamedTuple):
    """One media range.  charset: "" for any."""

    kind: str
    subtype: str
    charset: str
    weight: float


def refusal(question: Question, spec: Spec) -> QueryError | None:
    """Return why *question* cannot be answered in its format; None when it can."""
    word, selection = question.selection.format, question.selection
    asked, types = FORMATS[word], record_types(question, spec)
    if asked.needs_one_record_type and len(types) != 1:
        why = f"{word} holds records of one type, and these are of {len(types)}."
        allowed = ", ".join(f"record={record}" for record in types)
        return QueryError("one-record-needed", why, parameter="record", value=None, allowed=allowed)
    if asked.needs_one_record_type and not spec.layouts.generations(types[0]):
        why = f"The layout of {types[0]} is not known, and {word} needs one."
        able = [other for other, one in FORMATS.items() if not one.needs_one_record_type]
        allowed = f"{types[0]} with format={', '.join(able)}"
        return QueryError("unknown-record", why, parameter="record", value=types[0], allowed=allowed)
    given = {"fields": selection.fields, "labels": selection.labels, "raw": selection.raw}
    refused = [name for name in asked.refused_parameters if given[name]]
    if refused:
        able = [other for other, one in FORMATS.items() if refused[0] not in one.refused_parameters]
        return _parameter_refused(refused[0], word, able)
    if selection.charset not in ("", UTF_8, *asked.charsets):
        return _parameter_refused("charset", word, [other for other, one in FORMATS.items() if one.charsets])
    return asked.refusal(question, spec) if asked.refusal is not None else None


def _parameter_refused(parameter: str, word: str, able: Sequence[str]) -> QueryError:
    why, allowed = f"format={word} has no {parameter}.", f"{parameter} with format={', '.join(able)}"
    return QueryError("parameter-not-allowed", why, parameter=parameter, value=None, allowed=allowed)


def check(question: Question, spec: Spec) -> Question:
    """Return *question* when it can be answered in its format.  Raises QueryError, as `refusal` gives it."""
    if (error := refusal(question, spec)) is not None:
        raise error
    if question.selection.charset == UTF_8:  # the default: one question, however it is asked
        return replace(question, selection=replace(question.selection, charset=""))
    return question


def negotiate(question: Question, accept: str, words: Sequence[str], spec: Spec) -> Question | None:
    """Return *question* in the format that *accept* prefers of those that can answer it; None when none will do.

    words: the format words that are offered.
    Raises QueryError when what would be accepted exists, and only this question cannot be answered so.
    """
    able = [word for word in words if refusal(_in_format(question, word), spec) is None]
    for some in (able, words):
        offers = _offers(some, question.selection.charset)
        chosen = choose(accept, tuple(offers)) if offers else None
        if chosen is not None:
            return check(_as_offered(question, offers[chosen], chosen), spec)
    return None


def choose(accept: str, offered: Sequence[str]) -> str | None:
    """Return the media type of *offered* that *accept* likes best; ties follow our order, None when none will do.

    The most specific range that matches a type decides its weight; a weight of 0 refuses it.  An empty header
    accepts everything, and so does a range that cannot be read: it is passed over.  A charset counts where what
    is offered says its own.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _range(part)) is not None]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media: _weight(media, ranges))
    return best if _weight(best, ranges) > 0 else None


def _in_format(question: Question, word: str) -> Question:
    return replace(question, selection=replace(question.selection, format=word))


def _offers(words: Iterable[str], charset: str) -> Mapping[str, str]:
    """Return media type -> format word for everything that *words* can be given as.

    charset: what the client has asked for otherwise; "" leaves it to the media type.
    """
    offers: dict[str, str] = {}
    for word in words:
        one = FORMATS[word]
        ends = [f";charset={name}" for name in one.charsets if not name.endswith("-bom")]
        for media in one.media_types:
            offers |= dict.fromkeys([media + end for end in ends] if ends and not charset else [media], word)
    return offers


def _as_offered(question: Question, word: str, offer: str) -> Question:
    media, _, parameter = offer.partition(";")
    charset = parameter.removeprefix("charset=")
    selection = replace(
        question.selection,
        format=word,
        charset=question.selection.charset or charset,
        media_type="" if media == FORMATS[word].media_types[0] else media,
    )
    return replace(question, selection=selection)


def _range(text: str) -> _Range | None:
    """Return one media range; None when it cannot be read."""
    if (found := weighted(text)) is None:
        return None
    kind, slash, subtype = found.name.partition("/")
    return _Range(kind, subtype, _charset(found.parameters.get("charset", "")), found.weight) if slash else None


def _charset(text: str) -> str:
    name = text.strip(' "').lower()
    return _CHARSETS.get(name.replace("_", "-"), name)


def _weight(media: str, ranges: Iterable[_Range]) -> float:
    name, _, parameter = media.partition(";")
    kind, _, subtype = name.partition("/")
    charset = parameter.removeprefix("charset=")
    found = [
        ((one.kind != "*") + (one.subtype != "*") + bool(charset and one.charset), one.weight)
        for one in ranges
        if one.kind in (kind, "*") and one.subtype in (subtype, "*") and (not charset or one.charset in (charset, ""))
    ]
    return max(found)[1] if found else 0.0
