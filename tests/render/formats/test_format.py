"""The declaration of a format, and the record types that an answer may hold."""

from jvgate.render.formats.format import Format, record_types
from jvgate.values import Query, Question, Selection
from tests.render.formats.toy import ToyWriter
from tests.specs import JRA


def question(*dataspecs, records=()):
    return Question("+".join(dataspecs), tuple(map(Query, dataspecs)), Selection(records=records))


def test_an_answer_may_hold_what_its_data_specs_deliver_each_once():
    assert record_types(question("YSCH"), JRA) == ("YS",)
    both = record_types(question("RACE", "YSCH", "RACE"), JRA)
    assert both == (*record_types(question("RACE"), JRA), "YS")
    assert len(set(both)) == len(both)


def test_an_answer_holds_only_the_records_asked_for():
    assert record_types(question("RACE", records=("SE",)), JRA) == ("SE",)


def test_an_unknown_data_spec_delivers_nothing_known():
    assert record_types(question("XXXX"), JRA) == ()


def test_a_format_that_says_no_more_is_offered_always_and_only_as_a_finished_answer():
    plain = Format(word="plain", media_types=("text/x-plain",), answer=ToyWriter)
    assert (plain.stream, plain.fetched, plain.decoded, plain.refusal) == (None, None, None, None)
    assert (plain.setting, plain.download_suffix, plain.suffixes, plain.refused_parameters) == ("", "", (), ())
    assert not any((plain.needs_one_record_type, plain.is_text, plain.is_compressed))
