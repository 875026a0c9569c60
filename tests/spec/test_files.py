"""The data files of the package: read as UTF-8, listed by name, and empty where a provider does not differ."""

import pytest

from jvgate.spec.files import names_in, read_difference, read_json


def test_a_data_file_is_parsed_as_utf_8():
    assert read_json("jra/code_tables/2001.json")["title_ja"] == "競馬場コード"


def test_names_are_sorted_and_without_their_ending():
    names = names_in("jra/code_tables")
    assert "2001" in names
    assert not any("." in name for name in names)
    assert list(names) == sorted(names)


def test_a_provider_without_a_file_of_its_own_does_not_differ():
    assert read_difference("nv/code_tables/2301.json") == {}
    assert read_difference("nv/code_tables/2001.json")["values"]


def test_a_file_that_must_be_there_is_missed():
    with pytest.raises(FileNotFoundError):
        read_json("jra/no_such_file.json")
