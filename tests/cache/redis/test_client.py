"""What the errors of redis-py mean, in one word."""

import pytest
from redis.asyncio.client import Pipeline
from redis.exceptions import NoPermissionError, ReadOnlyError, ResponseError

from jvgate.cache.redis.client import ours


@pytest.mark.parametrize("is_in_pipeline", [False, True])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ResponseError("MISCONF Redis is configured to save RDB snapshots"), "misconf"),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), "noreplicas"),
        (ResponseError("WRONGTYPE Operation against a key"), "foreign"),
        (ResponseError("unknown command"), "error"),
        (ReadOnlyError("You can't write against a read only replica."), "readonly"),
        (NoPermissionError("this user has no permissions"), "forbidden"),
    ],
)
def test_a_refusal_is_known_by_its_code_alone_and_in_a_pipeline(error, reason, is_in_pipeline):
    if is_in_pipeline:
        Pipeline.annotate_exception(None, error, 1, ("EVAL", "caused error: ERR", 1))
    assert ours(error).reason == reason
