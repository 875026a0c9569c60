"""The log: structured lines on stderr, in the form that is asked for, and nothing of our insides."""

import json

import pytest
import structlog

from jvgate.commands.log import set_up_log


@pytest.fixture
def lines(capsys):
    """Log through what was set up -> the lines on stderr; stdout stays empty."""

    def lines():
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    yield lines
    structlog.reset_defaults()


def test_json_is_one_object_a_line_in_plain_characters(lines):
    set_up_log("json")
    structlog.get_logger().info("listening", source="日本")
    (line,) = lines()
    assert "日本" in line
    told = json.loads(line)
    assert (told["event"], told["source"], told["level"]) == ("listening", "日本", "info")
    assert told["timestamp"].endswith("Z")


def test_the_console_gets_readable_lines_without_colours(lines):
    set_up_log("console")
    structlog.get_logger().warning("lost", pid=7)
    (line,) = lines()
    assert "warning" in line
    assert "pid=7" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_is_for_debugging_is_left_out(lines, form):
    set_up_log(form)
    structlog.get_logger().debug("detail")
    assert lines() == []


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_is_told_whole_and_without_the_values_of_variables(lines, form):
    set_up_log(form)
    secret = "sesame"
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger().exception("failed")
    told = "\n".join(lines())
    assert ("ValueError: 6" in told, "Traceback" in told) == (True, True)
    assert told.count("sesame") == told.count('secret = "sesame"')
