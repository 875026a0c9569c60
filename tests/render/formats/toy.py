"""A format of its own: all that a new format needs is a file like this and `register(TOY)`."""

from jvgate.render.formats.format import Format
from jvgate.render.formats.writers import RecordWriter


class ToyWriter(RecordWriter):
    """The record types, separated by blanks; the end is a full stop."""

    def __init__(self, question, spec):
        """Need nothing of the question."""

    def write(self, layout, raw, count):
        return f"{layout.record} ".encode() * count

    def write_single(self, frame):
        return b"? "

    def end(self, facts):
        return b"."


TOY = Format(
    word="toy",
    media_types=("text/x-toy",),
    suffixes=(".toy",),
    download_suffix=".toy",
    answer=ToyWriter,
    stream=ToyWriter,
)
