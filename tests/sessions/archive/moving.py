"""A clock that a test moves."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds since the epoch; it begins with the time of the files that the test writes."""

    moment: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.moment
