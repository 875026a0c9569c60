"""Read the values that a request gives for declared parameters, or refuse them with what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jvgate.errors import QueryError
from jvgate.question.parameters import Boolean, Integer, Parameter, Text, Type, Words

__all__ = [
    "Given",
    "allowed_values",
    "check_given",
    "first_value",
    "read_boolean",
    "read_integer",
    "read_list",
    "read_text",
    "read_word",
    "refusal",
]

Given = Mapping[str, Sequence[str]]
"""Name -> every value that a request gives for it; at least one."""

_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_MOST_DIGITS = 12  # leading zeros are taken, within reason
_MOST_ALTERNATIVES = 3  # more of them are a list with commas


def check_given(given: Given, taken: Mapping[str, Parameter], *, misplaced: Mapping[str, str] | None = None) -> None:
    """Refuse unknown, repeated and empty parameters: the one rule of all routes and commands.

    taken: the parameters that may be given.  misplaced: the name of one that exists and may not -> why.
    Raises QueryError.
    """
    for name, values in given.items():
        if name not in taken:
            why = (misplaced or {}).get(name)
            slug = "unknown-parameter" if why is None else "parameter-not-allowed"
            why, allowed = why or f"There is no parameter {name!r}.", ", ".join(taken) or "no parameters"
            raise QueryError(slug, why, parameter=name, value=values[0], allowed=allowed)
    for name, values in given.items():
        parameter = taken[name]
        if not parameter.refuses_empty and not all(read_list(given, parameter)):
            why, allowed = f"{name} is given without a value.", f"a value, or no {name} at all"
            raise QueryError("empty-parameter", why, parameter=name, value="", allowed=allowed)
        if len(values) > 1 and not parameter.is_list:
            why, allowed = f"{name} is given {len(values)} times.", f"{name} once"
            raise QueryError("repeated-parameter", why, parameter=name, value=", ".join(values), allowed=allowed)


def first_value(given: Given, name: str) -> str | None:
    """Return the value of a parameter, None when it is not given."""
    values = given.get(name)
    return values[0] if values else None


def read_list(given: Given, parameter: Parameter) -> list[str]:
    """Return all values of a list, those in one text taken apart."""
    values = given.get(parameter.name, ())
    return [part for value in values for part in (value.split(parameter.separator) if parameter.separator else [value])]


def read_word(
    given: Given, parameter: Parameter, words: Sequence[str] = (), *, why: str = "There is no {name} {value!r}."
) -> str:
    """Return the word that is given, "" for none.  words: in place of the declared ones.  Raises QueryError."""
    value = first_value(given, parameter.name)
    if value is None:
        return ""
    kind = Words(tuple(words)) if words else parameter.type
    assert isinstance(kind, Words)
    if value not in kind.words:
        raise refusal(parameter, value, why.format(name=parameter.name, value=value[:40]), allowed_values(kind))
    return value


def read_integer(given: Given, parameter: Parameter) -> int | None:
    """Return the number that is given, None for none.  Raises QueryError."""
    value = first_value(given, parameter.name)
    if value is None:
        return None
    kind = parameter.type
    assert isinstance(kind, Integer)
    digits = max(len(str(kind.maximum)), _MOST_DIGITS)
    if re.fullmatch(rf"[0-9]{{1,{digits}}}", value) is None or not kind.minimum <= int(value) <= kind.maximum:
        raise refusal(parameter, value, f"{parameter.name} {value[:40]!r} is no whole number in range.")
    return int(value)


def read_boolean(given: Given, parameter: Parameter) -> bool:
    """Return whether yes is given.  Raises QueryError."""
    value = first_value(given, parameter.name)
    if value is None:
        return False
    if value not in _BOOLEANS:
        raise refusal(parameter, value, f"{parameter.name} {value!r} is neither yes nor no.")
    return _BOOLEANS[value]


def read_text(given: Given, parameter: Parameter) -> str:
    """Return the text that is given, "" for none.  Raises QueryError unless it matches the declared pattern."""
    value = first_value(given, parameter.name)
    if value is None:
        return ""
    assert isinstance(parameter.type, Text)
    if re.fullmatch(parameter.type.pattern, value) is None:
        raise refusal(parameter, value, f"{parameter.name} {value!r} is malformed.")
    return value


def refusal(parameter: Parameter, value: str | None, why: str, allowed: str = "") -> QueryError:
    """Return the error of a wrong *value*.  allowed: "" for what the declaration allows."""
    told = allowed or allowed_values(parameter.type)
    return QueryError(parameter.problem, why, parameter=parameter.name, value=value, allowed=told)


def allowed_values(kind: Type) -> str:
    """Return what a value of *kind* may be, in words."""
    match kind:
        case Words(words=words):
            return (" or " if len(words) <= _MOST_ALTERNATIVES else ", ").join(words)
        case Integer(minimum=minimum, maximum=maximum):
            return f"{minimum} to {maximum}"
        case Text(form=form):
            return form
        case Boolean():
            return ", ".join(_BOOLEANS)
