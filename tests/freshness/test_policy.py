"""The judge: what the content of a dataset and an error say of the cache."""

import pytest

from jvgate.errors import ArchiveError, JVLinkError, ReadCancelled, SessionTimeout, SourceBusy, SourceError
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.freshness.policy import Judge
from tests.cache.clocks import STOPPED
from tests.specs import JRA

JUDGE = Judge(JRA, Lifetimes(JRA), clock=STOPPED)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (SourceBusy(1), True),
        (SessionTimeout("a read", limit_s=1.0), True),
        (ReadCancelled("a read"), True),
        (JVLinkError(-504, "JVOpen"), True),  # maintenance
        (JVLinkError(-411, "JVOpen"), True),
        (JVLinkError(-301, "JVOpen"), False),  # the service key
        (JVLinkError(-9999, "JVOpen"), False),
        (ArchiveError("a", "it is gone"), True),
        (SourceError("closed"), False),
    ],
)
def test_what_may_pass_by_itself(error, passes):
    assert JUDGE.is_passing(error) is passes
