"""Values are read by their declarations, and the rule for unknown, repeated and empty parameters is one."""

import pytest

from jvgate.errors import QueryError
from jvgate.question.parameters import Boolean, Integer, Parameter, Text, Words, by_name
from jvgate.question.reading import (
    allowed_values,
    check_given,
    read_boolean,
    read_integer,
    read_list,
    read_text,
    read_word,
)


def declared(kind, **more):
    return Parameter(name="toy", type=kind, meaning="A toy.", meaning_ja="玩具。", example="1", **more)


WORD = declared(Words(("red", "blue")))
LIST = declared(Text("[a-z]+", "letters"), is_list=True, separator=",")
NUMBER = declared(Integer(1, 20), refuses_empty=True)


def refused(read, *given):
    with pytest.raises(QueryError) as caught:
        read(*given)
    error = caught.value
    return error.slug, error.parameter, error.value, error.allowed


@pytest.mark.parametrize(
    ("parameter", "given", "slug", "value", "allowed"),
    [
        (WORD, {"game": ["1", "2"]}, "unknown-parameter", "1", "toy"),
        (WORD, {"toy": ["red", "blue"]}, "repeated-parameter", "red, blue", "toy once"),
        (WORD, {"toy": [""]}, "empty-parameter", "", "a value, or no toy at all"),
        (LIST, {"toy": ["a,,b"]}, "empty-parameter", "", "a value, or no toy at all"),
        (LIST, {"toy": ["a", ""]}, "empty-parameter", "", "a value, or no toy at all"),
        (NUMBER, {"toy": ["", ""]}, "repeated-parameter", ", ", "toy once"),
    ],
)
def test_an_unknown_repeated_or_empty_parameter_is_refused(parameter, given, slug, value, allowed):
    assert refused(check_given, given, by_name(parameter)) == (slug, *given, value, allowed)


def test_a_route_without_parameters_says_so():
    assert refused(check_given, {"toy": ["1"]}, {})[3] == "no parameters"


def test_a_misplaced_parameter_is_refused_with_its_reason():
    with pytest.raises(QueryError, match="not here") as caught:
        check_given({"game": ["1"]}, by_name(WORD), misplaced={"game": "not here"})
    assert caught.value.slug == "parameter-not-allowed"


@pytest.mark.parametrize(("parameter", "given"), [(LIST, ["a", "b"]), (LIST, ["a,b"]), (NUMBER, [""])])
def test_what_may_be_given_passes(parameter, given):
    check_given({"toy": given}, by_name(parameter))


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.0", "", "１", "9" * 5000, "1\n"])
def test_a_number_out_of_its_bounds_is_refused(text):
    assert refused(read_integer, {"toy": [text]}, NUMBER) == ("invalid-toy", "toy", text, "1 to 20")


def test_each_type_is_read():
    given = {"toy": ["01"]}
    assert read_integer(given, NUMBER) == 1
    assert read_text(given, declared(Text("[0-9]+", "digits"))) == "01"
    assert read_word(given, declared(Words()), ("01", "02")) == "01"
    assert read_boolean({"toy": ["true"]}, declared(Boolean())) is True
    assert read_list({"toy": ["a,b", "c"]}, LIST) == ["a", "b", "c"]


def test_what_is_not_given_is_read_as_nothing():
    assert (read_integer({}, NUMBER), read_text({}, LIST), read_word({}, WORD)) == (None, "", "")
    assert (read_boolean({}, declared(Boolean())), read_list({}, LIST)) == (False, [])


@pytest.mark.parametrize(
    ("read", "kind", "allowed"),
    [
        (read_word, Words(("red", "blue")), "red or blue"),
        (read_word, Words(tuple("abcd")), "a, b, c, d"),
        (read_boolean, Boolean(), "1, true, 0, false"),
        (read_text, Text("[0-9]{8}", "YYYYMMDD"), "YYYYMMDD"),
    ],
)
def test_a_value_of_another_form_is_refused_with_what_is_allowed(read, kind, allowed):
    assert refused(read, {"toy": ["yes"]}, declared(kind)) == ("invalid-toy", "toy", "yes", allowed)
    assert allowed_values(kind) == allowed
