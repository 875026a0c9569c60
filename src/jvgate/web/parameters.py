"""Declared parameters in OpenAPI: of a request, and as the members of an entry of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from jvgate.question.parameters import DATASPEC, PARAMETERS, Boolean, Integer, Parameter, Text, Words, by_name
from jvgate.question.reading import Given, check_given

__all__ = [
    "DATA",
    "all_parameters",
    "describe_entry",
    "describe_parameters",
    "given_parameters",
    "takes",
    "value_schema",
]

JsonSchema = dict[str, Any]
RuntimeWords = Mapping[str, Sequence[str]]
"""Name of a parameter -> its words, where they are known only when the application is created."""

DATA = (DATASPEC, *PARAMETERS.values())

_FAMILIES = {"": ("", ""), "stored": ("Stored data: ", "蓄積系: "), "real-time": ("Real-time data: ", "速報系: ")}


def given_parameters(request: Request, taken: Iterable[Parameter] = ()) -> Given:
    """Return the values in the query of *request*.

    Raises QueryError for a parameter that is not in *taken*, is repeated or has no value.
    """
    given = all_parameters(request)
    check_given(given, by_name(*taken))
    return given


def all_parameters(request: Request) -> Given:
    """Return the values in the query of *request*, unchecked."""
    return {name: request.query_params.getlist(name) for name in request.query_params}


def takes(*parameters: Parameter) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that takes *parameters*."""
    return {"parameters": describe_parameters(parameters)}


def describe_parameters(parameters: Iterable[Parameter], words: RuntimeWords | None = None) -> list[dict[str, Any]]:
    """Return *parameters* as OpenAPI describes those of an operation."""
    return [_describe(parameter, words or {}) for parameter in parameters]


def describe_entry(words: RuntimeWords) -> JsonSchema:
    """Return the schema of an entry of a batch, whose members are the parameters of data."""
    members = {parameter.name: _member(parameter, words) for parameter in DATA}
    return {"type": "object", "required": [DATASPEC.name], "properties": members, "additionalProperties": False}


def value_schema(parameter: Parameter, words: RuntimeWords) -> JsonSchema:
    """Return the schema of one value of *parameter*."""
    match parameter.type:
        case Words(words=declared, is_integer=is_integer):
            offered = words.get(parameter.name, declared)
            if is_integer:
                return {"type": "integer", "enum": [int(word) for word in offered]}
            return {"type": "string", "enum": list(offered)}
        case Integer(minimum=minimum, maximum=maximum):
            return {"type": "integer", "minimum": minimum, "maximum": maximum}
        case Boolean():
            return {"type": "boolean"}
        case Text(pattern=pattern):
            return {"type": "string", "pattern": f"^({pattern})$"}


def _describe(parameter: Parameter, words: RuntimeWords) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "path" if parameter.is_path else "query",
        "required": parameter.is_required,
        "description": _description(parameter),
        "schema": _list_schema(parameter, words) if parameter.is_list else value_schema(parameter, words),
        "example": _example(parameter),
    }


def _member(parameter: Parameter, words: RuntimeWords) -> JsonSchema:
    one = value_schema(parameter, words)
    schema = {"anyOf": [one, _list_schema(parameter, words)]} if parameter.is_list else one
    return {**schema, "description": _description(parameter)}


def _list_schema(parameter: Parameter, words: RuntimeWords) -> JsonSchema:
    bounds = {"maxItems": parameter.max_values} if parameter.max_values else {}
    return {"type": "array", "items": value_schema(parameter, words), **bounds}


def _description(parameter: Parameter) -> str:
    english, japanese = _FAMILIES[parameter.family]
    return f"{english}{parameter.meaning} {japanese}{parameter.meaning_ja}"


def _example(parameter: Parameter) -> Any:
    """Return the example in the type that the schema declares."""
    match parameter.type:
        case Integer() | Words(is_integer=True):
            example: Any = int(parameter.example)
        case Boolean():
            example = parameter.example == "true"
        case _:
            example = parameter.example
    return [example] if parameter.is_list else example
