"""Settings: flags, then environment, then jvgate.toml, then defaults; what is wrong is named with what is allowed."""

import os

import pytest

from jvgate.errors import SettingsError
from jvgate.gateway.opening import check_settings
from jvgate.settings import Settings, load_settings, unknown_variables
from tests.specs import JRA


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """No environment and no file of the machine's own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("JVGATE_")]:
        monkeypatch.delenv(name)


def toml(text):
    with open("jvgate.toml", "w", encoding="utf-8") as file:  # noqa: PTH123 - the folder is the test's own
        file.write(text)


def refusal(**flags):
    with pytest.raises(SettingsError) as caught:
        load_settings(**flags)
    return caught.value


def test_the_defaults_are_those_of_the_design():
    settings = load_settings()
    assert (settings.host, settings.port, settings.source) == ("127.0.0.1", 8000, "demo:")
    assert (settings.sessions, settings.l1_entries, settings.l1_bytes) == (0, 500, 256 << 20)
    assert settings.dataset_bytes == 64 << 20


def test_every_setting_has_a_sentence():
    assert all(field.description.endswith(".") for field in Settings.model_fields.values())


def test_the_file_wins_over_the_default():
    toml('port = 8101\nsource = "archive:/data"\n')
    assert (load_settings().port, load_settings().source) == (8101, "archive:/data")


def test_the_environment_wins_over_the_file(monkeypatch):
    toml("port = 8101\nqueue = 7\n")
    monkeypatch.setenv("JVGATE_PORT", "8102")
    assert (load_settings().port, load_settings().queue) == (8102, 7)


def test_a_flag_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("JVGATE_PORT", "8102")
    assert load_settings(port=8103).port == 8103


def test_a_flag_that_was_not_given_says_nothing(monkeypatch):
    monkeypatch.setenv("JVGATE_PORT", "8102")
    assert load_settings(port=None, host=None).port == 8102


def test_settings_do_not_change_once_read():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "-1", "integer from 0 to 65535"),
        ("port", "65536", "integer from 0 to 65535"),
        ("port", "http", "integer from 0 to 65535"),
        ("sessions", "-1", "integer from 0 to 64"),
        ("sessions", "65", "integer from 0 to 64"),
        ("l1_entries", "-1", "integer from 0"),
        ("l1_bytes", "256M", "integer from 0"),
        ("dataset_bytes", "1", "integer from 1024"),
        ("queue", "-1", "integer from 0"),
        ("deadline_s", "0", "above 0"),
        ("deadline_s", "inf", "86400"),
        ("deadline_s", "nan", "86400"),
        ("log_format", "xml", "console or json"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed_wherever_it_stands(monkeypatch, name, value, allowed):
    flag = refusal(**{name: value})
    toml(f'{name} = "{value}"\n')
    file = refusal()
    monkeypatch.setenv(f"JVGATE_{name.upper()}", value)
    for error in (flag, file, refusal()):
        assert error.name == f"JVGATE_{name.upper()} (--{name.replace('_', '-')})"
        assert allowed in error.allowed
        assert value in str(error)


def test_an_unknown_setting_of_the_file_is_named_with_those_there_are():
    toml("prot = 8000\n")
    error = refusal()
    assert error.name == "jvgate.toml: prot"
    assert all(name in error.allowed for name in Settings.model_fields)


@pytest.mark.parametrize("text", ["port = ", "port 8000", "[server", "port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_named(text):
    toml(text)
    assert "jvgate.toml" in str(refusal())


def test_a_misspelt_variable_is_found():
    assert unknown_variables(["JVGATE_PORT", "JVGATE_PROT", "jvgate_host", "PATH"]) == ["JVGATE_PROT"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("COMPRESSION_LEVELS", '{"br": 99}', "br has no level 99"),
        ("COMPRESSION_LEVELS", '{"brotli": 3}', "There is no coding 'brotli'"),
        ("COMPRESSION_LEVELS", '{"br": 3', "What is given is no JSON"),
        ("LIFETIMES", '{"0B30": {"fresh": 5}}', "0B30.floor"),
        ("LIFETIMES", "", "What is given is no JSON"),
        ("REDIS_URL", "http://x", "no scheme that is known"),
        ("REDIS_URL", "redis://default:12#34@host:6379/0", "has a #"),
    ],
)
def test_what_only_its_room_can_judge_is_named_with_what_it_takes(monkeypatch, setting, value, said):
    monkeypatch.setenv(f"JVGATE_{setting}", value)
    with pytest.raises(SettingsError, match=f"^JVGATE_{setting}") as caught:
        check_settings(load_settings(), JRA)
    assert said in str(caught.value)
    assert "Allowed: " in str(caught.value)
    assert "34@" not in str(caught.value)
