"""The best form the client accepts and we give (RFC 9110, section 12.5.1)."""

import pytest

from jvgate.render.negotiation import choose

JSON, NDJSON = "application/json", "application/x-ndjson"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        (" ", JSON),
        (",,,", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (NDJSON, NDJSON),
        ("APPLICATION/X-NDJSON", NDJSON),
        (f"{NDJSON}, {JSON}", JSON),  # a tie follows our order
        (f"{JSON};q=0.5, {NDJSON}", NDJSON),
        (f"{JSON} ; Q=0.5 , {NDJSON} ; q=0.6", NDJSON),
        (f"{JSON};q=0, */*;q=0.1", NDJSON),
        (f"*/*;q=0.9, {JSON};q=0.1", NDJSON),  # the specific range decides, however low
        (f"application/*;q=0, {NDJSON}", NDJSON),
        (f"*/*, {JSON};q=0", NDJSON),
        (f"text/html, {JSON};q=0.001", JSON),
        (f"{JSON};charset=utf-8", JSON),
        (f"{JSON};q=2", JSON),
        ("json, text", JSON),  # no range can be read: as if none were given
        (f"{NDJSON}, garbage", NDJSON),
        (f"{JSON};q=high, {NDJSON}", NDJSON),  # a range with an unreadable weight is passed over
        ("text/html", None),
        ("text/html, image/*", None),
        ("application/jsonp", None),
        (f"{JSON};q=0, {NDJSON};q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0.0, text/csv", None),
    ],
)
def test_choose(accept, chosen):
    assert choose(accept, (JSON, NDJSON)) == chosen


def test_a_refusal_of_the_only_form_is_respected():
    assert choose(f"{JSON};q=0, */*", (JSON,)) is None
