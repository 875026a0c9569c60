"""Dotted names of fields as a tree."""

from jvgate.records.field_tree import field_tree


def test_dotted_names_are_branches():
    assert field_tree(["Umaban", "Odds.Low", "Odds.High"]) == {"Umaban": {}, "Odds": {"Low": {}, "High": {}}}


def test_a_whole_group_takes_in_its_parts_in_any_order():
    assert field_tree(["Odds", "Odds.Low"]) == field_tree(["Odds.Low", "Odds"]) == {"Odds": {}}


def test_no_names_are_an_empty_tree():
    assert field_tree([]) == {}
