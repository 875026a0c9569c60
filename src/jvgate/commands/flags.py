"""The flags of the command line that are parameters of a request, as these are declared."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from inspect import Parameter as Argument
from inspect import signature
from typing import Annotated, Any

import typer
import typer.core

from jvgate.question.parameters import PARAMETERS, Boolean, Integer, Parameter, Words
from jvgate.question.reading import allowed_values
from jvgate.settings import load_settings

__all__ = ["ParameterCommand", "flags_of", "in_flags", "parameter_flags", "reader_language"]

Command = Callable[..., None]

_GIVEN = "parameters"
_FAMILIES = {
    "en": {"": "", "stored": "Stored data: ", "real-time": "Real-time data: "},
    "ja": {"": "", "stored": "蓄積系: ", "real-time": "速報系: "},
}


def flags_of(command: str) -> tuple[Parameter, ...]:
    """Return the parameters of data that *command* has as flags."""
    return tuple(parameter for parameter in PARAMETERS.values() if command in parameter.commands)


def parameter_flags(parameters: Iterable[Parameter]) -> Callable[[Command], Command]:
    """Give a command flags for *parameters*, in the place of its argument `parameters`, which gets their values."""
    flags = {parameter.name: parameter for parameter in parameters}

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(**values: Any) -> None:
            given = {name: _values(values.pop(name)) for name in flags}
            function(**values, **{_GIVEN: {name: found for name, found in given.items() if found}})

        arguments: list[Argument] = []
        for argument in signature(function, eval_str=True).parameters.values():
            own = [_argument(flag) for flag in flags.values()] if argument.name == _GIVEN else [argument]
            arguments += [one.replace(kind=Argument.KEYWORD_ONLY) for one in own]
        command.__signature__ = signature(function).replace(parameters=arguments)  # type: ignore[attr-defined]  # PEP 362
        return command

    return decorate


class ParameterCommand(typer.core.TyperCommand):
    """A command whose help lists the formats; they are loaded when the help is shown, not with the module."""

    def get_help(self, ctx: Any) -> str:
        """Return the help with the format words and charsets."""
        for option in self.params:
            if isinstance(option, typer.core.TyperOption) and option.name in _RUNTIME_WORDS:
                words = Words(tuple(_RUNTIME_WORDS[option.name]()))
                option.help = f"{option.help} {allowed_values(words)}."
        return super().get_help(ctx)


def in_flags(message: str) -> str:
    """Return *message* with the parameters called as their flags are called."""
    for parameter in PARAMETERS.values():
        message = message.replace(parameter.name, parameter.flag) if parameter.flag else message
    return message


def reader_language() -> str:
    """Return the language of this machine: `ja` or `en`."""
    name = locale.getlocale()[0] or os.environ.get("LANG", "")
    return "ja" if name.lower().startswith(("ja", "japan")) else "en"


def _argument(parameter: Parameter) -> Argument:
    """Return *parameter* as an argument that typer makes a flag of."""
    kind: Any = list[str] | None if parameter.is_list else str | None
    default: bool | None = None
    if _is_switch(parameter):
        kind, default = bool, False
    option = typer.Option(
        parameter.flag or f"--{parameter.name}",
        help=_help(parameter),
        autocompletion=_completion(parameter),
        metavar="<int>" if _is_integer(parameter) else None,
    )
    return Argument(parameter.name, Argument.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _is_switch(parameter: Parameter) -> bool:
    """Return whether the flag takes no value: giving it says everything."""
    return isinstance(parameter.type, Boolean) or len(parameter.words) == 1


def _is_integer(parameter: Parameter) -> bool:
    kind = parameter.type
    return isinstance(kind, Integer) or (isinstance(kind, Words) and kind.is_integer)


def _help(parameter: Parameter) -> str:
    language = reader_language()
    meaning = parameter.meaning_ja if language == "ja" else parameter.meaning
    bounds = f" {allowed_values(parameter.type)}." if isinstance(parameter.type, Integer) else ""
    return f"{_FAMILIES[language][parameter.family]}{meaning}{bounds}"


def _completion(parameter: Parameter) -> Callable[[], Sequence[str]] | None:
    """Return the values that the shell completes, None where they are not listed."""
    if parameter.name in _RUNTIME_WORDS:
        return _RUNTIME_WORDS[parameter.name]
    words = parameter.words
    return (lambda: words) if words and not _is_switch(parameter) else None


def _format_words() -> Sequence[str]:
    from jvgate.render.formats.registry import offered_formats

    return offered_formats(load_settings())


def _charsets() -> Sequence[str]:
    from jvgate.render.formats.registry import charsets

    return charsets(_format_words())


_RUNTIME_WORDS: dict[str, Callable[[], Sequence[str]]] = {"format": _format_words, "charset": _charsets}


def _values(value: bool | str | list[str] | None) -> list[str]:
    """Return the values of one flag as a URL would have them, none when it is not given."""
    if isinstance(value, list):
        return value
    if isinstance(value, bool):
        return ["1"] if value else []
    return [] if value is None else [value]
