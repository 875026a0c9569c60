"""Arrow as a format: what it offers, and that an answer waits for full batches while a stream does not."""

import pyarrow as pa
import pytest

from jvgate.render.formats.arrow_format import FORMAT
from tests.raceday import record
from tests.render.tables.writers import table_writer
from tests.specs import JRA

SE = JRA.layouts.current("SE")


def test_it_is_a_table_of_one_record_type():
    assert (FORMAT.word, FORMAT.media_types[0]) == ("arrow", "application/vnd.apache.arrow.stream")
    assert FORMAT.needs_one_record_type
    assert (FORMAT.is_text, FORMAT.is_compressed, FORMAT.refused_parameters) == (False, False, ("labels", "raw"))
    assert FORMAT.suffixes == (".arrow", ".arrows")


@pytest.mark.parametrize("is_stream", [False, True])
def test_records_wait_for_a_full_batch_and_a_client_may_have_them_before(is_stream):
    writer = table_writer("arrow", "SE", ("Umaban",), is_stream=is_stream)
    data = writer.begin() + writer.write(SE, record("SE", Umaban=3), 1)
    assert writer.has_rest is is_stream
    data += writer.end({})
    assert pa.ipc.open_stream(data).read_all()["Umaban"].to_pylist() == [3]


def test_what_is_fetched_is_the_answer_s_bytes():
    assert FORMAT.fetched is FORMAT.answer
    assert FORMAT.decoded is None
