"""The flags that are parameters of a request."""

from typing import get_args

import pytest
from typer.main import get_command

from jvgate.cli import app
from jvgate.commands.flags import flags_of, in_flags, parameter_flags, reader_language
from jvgate.question.parameters import PARAMETERS, PURGE, Boolean

COMMANDS = get_command(app).commands
CASES = [(COMMANDS[name], one) for name in ("fetch", "decode", "record") for one in flags_of(name)]
CASES += [(COMMANDS["cache"].commands["purge"], one) for one in PURGE.values()]


@pytest.mark.parametrize(("command", "parameter"), CASES, ids=lambda case: case.name)
def test_a_command_has_a_flag_for_each_of_its_parameters(command, parameter):
    (flag,) = [option for option in command.params if option.name == parameter.name]
    assert flag.opts == [parameter.flag or f"--{parameter.name}"]
    assert (flag.multiple, parameter.meaning in flag.help) == (parameter.is_list, True)


def test_every_parameter_of_data_is_a_flag_of_fetch():
    assert [one.name for one in flags_of("fetch")] == list(PARAMETERS)


def test_the_command_gets_the_values_as_a_url_would_have_them():
    taken = {}

    @parameter_flags(PARAMETERS.values())
    def command(parameters: dict[str, list[str]], other: str = "") -> None:
        taken.update(parameters)

    values = dict.fromkeys(PARAMETERS) | {"raw": True, "limit": "5", "record": ["RA", "SE"], "where": []}
    command(**values, other="x")
    assert taken == {"raw": ["1"], "limit": ["5"], "record": ["RA", "SE"]}


def test_a_switch_takes_no_value():
    switches = {option.name for option in COMMANDS["fetch"].params if getattr(option, "is_flag", False)}
    assert switches - {"help"} == {name for name, one in PARAMETERS.items() if isinstance(one.type, Boolean)}


def test_an_error_speaks_of_flags():
    assert in_flags("to_time 1 is not after from_time 2") == "--to 1 is not after --from 2"


def test_the_help_is_in_the_language_of_the_reader(monkeypatch):
    monkeypatch.setattr("locale.getlocale", lambda: ("ja_JP", "UTF-8"))
    assert reader_language() == "ja"

    @parameter_flags([PARAMETERS["limit"]])
    def command(parameters: dict[str, list[str]]) -> None:
        """Do nothing."""

    (_, option) = get_args(command.__signature__.parameters["limit"].annotation)
    assert option.help == "最大件数。 0 to 1000000."
