"""Table writers as the formats make them."""

from jvgate.render.formats.registry import FORMATS
from jvgate.render.formats.writers import RecordWriter
from jvgate.values import Question, Selection
from tests.specs import JRA


def table_writer(form, record, fields=(), *, charset="", is_stream=False) -> RecordWriter:
    """The writer of a table of one record type: of an answer, or of a stream."""
    question = Question("", (), Selection(format=form, records=(record,), fields=fields, charset=charset))
    make = FORMATS[form].stream if is_stream else FORMATS[form].answer
    return make(question, JRA)
