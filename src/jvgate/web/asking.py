"""The question of a data request: its format and its content coding, as the client prefers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request

from jvgate.errors import QueryError
from jvgate.question.parameters import DATASPEC
from jvgate.question.parsing import parse_question
from jvgate.render.compression import CODINGS, IDENTITY, takes_identity
from jvgate.render.compression import negotiate as negotiate_coding
from jvgate.render.formats.registry import FORMATS, charsets, media_types
from jvgate.render.negotiation import check, negotiate
from jvgate.spec.spec import Spec
from jvgate.values import Question
from jvgate.web.parameters import all_parameters

__all__ = ["coding_of", "spec_of", "wanted"]


def wanted(request: Request, words: tuple[str, ...]) -> Question:
    """Return the question in the format that the client likes best of *words*, with the content coding it likes best.

    Raises QueryError for what cannot be asked, or is not acceptable whatever is given.
    """
    dataspec, parameters, spec = request.path_params[DATASPEC.name], all_parameters(request), spec_of(request)
    asked = parse_question(dataspec, parameters, spec, formats=words, charsets=charsets(words))
    accept = _header(request, "accept")
    question = check(asked, spec) if "format" in parameters else negotiate(asked, accept, words, spec)
    if question is None:
        raise _not_acceptable("Accept", accept, media_types(words))
    coding, takes_plain = coding_of(request)
    if takes_plain and FORMATS[question.selection.format].is_compressed:
        return question
    return replace(question, coding=coding, takes_plain=takes_plain)


def spec_of(request: Request) -> Spec:
    """Return the facts of the provider whose data is served."""
    spec: Spec = request.app.state.gateway.spec
    return spec


def coding_of(request: Request) -> tuple[str, bool]:
    """Return the content coding that the client likes best, "" for none, and whether it takes a body without, too.

    Raises QueryError when it takes nothing.
    """
    accept = _header(request, "accept-encoding")
    coding = negotiate_coding(accept, tuple(CODINGS))
    if coding is None:
        raise _not_acceptable("Accept-Encoding", accept, (*CODINGS, IDENTITY))
    return "" if coding == IDENTITY else coding, takes_identity(accept)


def _header(request: Request, name: str) -> str:
    return ", ".join(request.headers.getlist(name))


def _not_acceptable(header: str, value: str, offered: Sequence[str]) -> QueryError:
    why = f"Nothing that can be given is accepted by {value!r}."
    return QueryError("not-acceptable", why, parameter=header, value=value, allowed=", ".join(offered))
