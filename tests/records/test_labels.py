"""Labels are the code tables' words, beside the codes."""

import pytest

from jvgate.records.decode import decode, decoder
from jvgate.records.encode import encode
from jvgate.records.labels import labeller
from tests.specs import JRA


def labelled(language, **values):
    raw = encode({"RecordSpec": "RA", **values}, JRA.layouts)
    layout = JRA.layouts.current("RA")
    return labeller(layout, language, JRA)(decoder(layout)(raw))


@pytest.mark.parametrize(("language", "word"), [("ja", "東京競馬場"), ("en", "Tokyo")])
def test_a_code_gets_its_word(language, word):
    record = labelled(language, JyoCD="05")
    keys = list(record)
    assert record["JyoCD"] == "05"
    assert word in record["JyoCDLabel"]
    assert keys.index("JyoCDLabel") == keys.index("JyoCD") + 1


def test_an_array_of_codes_gets_an_array_of_words():
    record = labelled("ja", JyokenCD=["703", None, "999"])
    assert record["JyokenCDLabel"][0] == "未勝利"
    assert record["JyokenCDLabel"][1] is None
    assert len(record["JyokenCDLabel"]) == 5


def test_what_is_not_set_or_unknown_has_no_word():
    record = labelled("ja", GradeCD="Z")
    assert (record["GradeCDLabel"], record["TrackCDLabel"]) == (None, None)


def test_codes_inside_groups_get_theirs_too():
    raw = encode({"RecordSpec": "CH", "SaikinJyusyo": [{"JyoCD": "06"}]}, JRA.layouts)
    layout = JRA.layouts.current("CH")
    first, second, third = labeller(layout, "ja", JRA)(decode(raw, JRA.layouts))["SaikinJyusyo"]
    assert first["JyoCDLabel"] == "中山競馬場"
    assert second is third is None


def test_the_short_lists_of_layouts_speak_english_only():
    raw = encode({"RecordSpec": "AV", "JiyuKubun": "001"}, JRA.layouts)
    layout = JRA.layouts.current("AV")
    assert labeller(layout, "en", JRA)(decode(raw, JRA.layouts))["JiyuKubunLabel"] == "illness"
    assert "JiyuKubunLabel" not in labeller(layout, "ja", JRA)(decode(raw, JRA.layouts))
