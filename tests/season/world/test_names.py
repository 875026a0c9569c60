"""`names`: invented, full-width, and different for different numbers."""

from jvgate.season.world.names import company_name, horse_name, person_name, race_word, stud_name


def _wide(text):
    return all(len(char.encode("cp932")) == 2 for char in text)


def test_horses_have_different_full_width_names_of_at_most_nine_kana():
    names = [horse_name(number) for number in range(0, 4_000_000, 97)]
    assert len({name.text for name in names}) > 0.999 * len(names)
    assert all(_wide(name.text) and 4 <= len(name.text) <= 9 for name in names)


def test_kana_are_half_width_and_latin_is_ascii():
    for name in (horse_name(12), person_name(3), stud_name(9), race_word(100)):
        assert len(name.kana.encode("cp932")) == len(name.kana)
        assert name.latin.isascii()


def test_people_have_a_family_name_and_a_given_name():
    names = [person_name(number, female=number >= 16_000) for number in range(0, 32_000, 13)]
    assert all(_wide(name.text) and name.text.count("\u3000") == 1 and len(name.short) <= 4 for name in names)
    assert len({name.text for name in names}) == len(names)


def test_firms_are_named_after_a_place_and_what_they_do():
    name = company_name(7, "牧場", "ボクジョウ", "Farm")
    assert name.text == race_word(7).text + "牧場"
    assert name.latin.endswith(" Farm")


def test_all_place_words_differ():
    assert len({race_word(number).text for number in range(576)}) == 576
