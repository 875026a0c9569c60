"""How long a session rests that fails."""

import pytest

from jvgate.sessions.resting import rest_s


@pytest.mark.parametrize(
    ("failures", "least_s", "most_s"), [(1, 0, 0), (2, 0.125, 0.25), (3, 0.25, 0.5), (5, 1, 2), (50, 15, 30)]
)
def test_each_failure_makes_the_rest_longer_up_to_a_limit(failures, least_s, most_s):
    rests = [rest_s(failures) for _ in range(100)]
    assert least_s <= min(rests) <= max(rests) <= most_s
