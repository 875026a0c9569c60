"""Tables of random records, as a writer writes them, and the rows that readers see."""

import json
import random
from itertools import groupby

import pyarrow as pa

from jvgate.records.decode import decode
from jvgate.records.encode import encode
from tests.records.build import random_record
from tests.records.rows import as_row
from tests.render.tables.writers import table_writer
from tests.specs import JRA

__all__ = ["FACTS", "SMALL", "arrow_table", "assert_same", "damaged", "records", "written"]

FACTS = {"records": {"SE": 3}, "last_file_timestamp": "20261116140000", "digest": "abc"}
SMALL = [record for record in JRA.layouts.types if JRA.layouts.current(record).length < 10_000]


def written(form, raws, *, step=7, fields=(), record=None, **options):
    """The whole of a table, given *step* records at a time, or fewer where their layout changes."""
    writer = table_writer(form, record or raws[0][:2].decode(), fields, **options)
    pieces = [writer.begin()]
    for at in range(0, len(raws), step):
        for length, alike in groupby(raws[at : at + step], len):
            raw = b"".join(alike)
            layout = JRA.layouts.get(raw[:2].decode(), length)
            pieces.append(writer.write(layout, raw, len(raw) // length))
    return b"".join([*pieces, writer.end(FACTS)])


def records(name, count=20, seed=1):
    rng = random.Random(seed)
    return [encode(random_record(JRA.layouts.current(name), rng), JRA.layouts) for _ in range(count)]


def damaged(raw):
    return raw[:3] + b"2026X511" + raw[11:]


def assert_same(rows, raws):
    """The rows of a table against the answers in JSON."""
    for row, raw in zip(rows, raws, strict=True):
        assert row == as_row(json.loads(json.dumps(decode(raw, JRA.layouts))), row)


def arrow_table(data):
    return pa.ipc.open_stream(data).read_all()
