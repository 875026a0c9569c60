"""Which of the forms we can give does the client want?  (RFC 9110, sections 12.4.2 and 12.5.1)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from jvgate.render.compression import weighted
from jvgate.render.forms import FORMS, check, why_not
from jvgate.spec.spec import Spec
from jvgate.values import Question

__all__ = ["choose", "media_types", "negotiate"]

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


def negotiate(question: Question, accept: str, words: Sequence[str], spec: Spec) -> Question | None:
    """Return *question* in the form that *accept* likes best of those it can be answered in; None when none will do.

    words: the format words that are offered.
    Raises QueryError when what would be accepted exists, and only this question cannot be answered so.
    """
    able = [word for word in words if why_not(_in_form(question, word), spec) is None]
    for some in (able, words):
        offers = _offers(some, question.selection.charset)
        chosen = choose(accept, tuple(offers)) if offers else None
        if chosen is not None:
            return check(_as_offered(question, offers[chosen], chosen), spec)
    return None


def media_types(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all forms in *words*, in the order of preference."""
    return tuple(media for word in words for media in FORMS[word].media_types)


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


def _in_form(question: Question, word: str) -> Question:
    return replace(question, selection=replace(question.selection, format=word))


def _offers(words: Iterable[str], charset: str) -> Mapping[str, str]:
    """Return media type -> format word for everything that *words* can be given as.

    charset: what the client has asked for otherwise; "" leaves it to the media type.
    """
    offers: dict[str, str] = {}
    for word in words:
        form = FORMS[word]
        ends = [f";charset={name}" for name in form.charsets if not name.endswith("-bom")]
        for media in form.media_types:
            offers |= dict.fromkeys([media + end for end in ends] if ends and not charset else [media], word)
    return offers


def _as_offered(question: Question, word: str, offer: str) -> Question:
    media, _, parameter = offer.partition(";")
    charset = parameter.removeprefix("charset=")
    selection = replace(
        question.selection,
        format=word,
        charset=question.selection.charset or charset,
        media_type="" if media == FORMS[word].media_types[0] else media,
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
