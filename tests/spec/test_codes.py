"""Code tables: the word of a code in both languages, and the rows that local racing adds."""

import pytest

from jvgate.spec.codes import load_code_tables
from tests.specs import JRA, NV

COURSES = JRA.code_tables["2001"]


def test_every_code_table_that_a_layout_names_is_there():
    named = {field.code_table for layout in JRA.layouts.all() for field in layout.leaves() if field.code_table}
    assert named <= set(JRA.code_tables)


@pytest.mark.parametrize(("language", "word"), [("ja", "東京競馬場"), ("en", "Tokyo")])
def test_a_code_has_a_word_in_each_language(language, word):
    assert COURSES.word("05", language) == word


@pytest.mark.parametrize("code", ["5", "", "ZZ"])
def test_a_code_that_the_table_does_not_know_has_none(code):
    assert COURSES.word(code, "ja") is None


def test_codes_keep_their_spaces():
    assert " 12" in JRA.code_tables["2102"].rows


def test_a_table_is_titled_and_every_code_has_its_length():
    for name, table in JRA.code_tables.items():
        assert (table.id, bool(table.title_ja), bool(table.title_en)) == (name, True, True)
        assert {len(code) for code in table.rows} <= {table.bytes}, name


def test_local_racing_adds_rows_and_takes_none_away():
    for name, table in JRA.code_tables.items():
        assert table.rows.items() <= NV.code_tables[name].rows.items()
    assert len(NV.code_tables["2001"].rows) == len(COURSES.rows) + 1


def test_the_tables_cannot_be_changed():
    tables = load_code_tables("jra")
    with pytest.raises(TypeError):
        tables["2001"] = COURSES
    with pytest.raises(TypeError):
        tables["2001"].rows["05"]["ja"] = "another"
