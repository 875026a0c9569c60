"""How long does a look-up in a full memory take, against one in a bare dict?"""

from __future__ import annotations

import sys
import time

from benchmarks.measuring import Effort, Figure, Wanted, compare, main
from jvgate.cache.memory import Memory, Store
from jvgate.values import MISSING, Entry

__all__ = ["measure"]

ENTRIES = 500
ROUNDS_OF_KEYS = 40


def measure(effort: Effort) -> list[Figure]:
    """Return the figures of a hit and of a miss."""
    memory: Store[bytes] = Store(Memory(max_entries=ENTRIES, max_bytes=1 << 30))
    now = time.monotonic()
    bare = {}
    for number in range(ENTRIES):
        key = f"RACE:20261116000000-20261118{number:06}:1:RA+SE|json&record=RA+SE"
        bare[key] = Entry(b"", now, now + 86400, 1)
        assert memory.put(key, bare[key])
    assert all(memory.get(key) is entry for key, entry in bare.items())
    assert len(memory) == ENTRIES
    absent = [f"DIFN:{number}" for number in range(ENTRIES)]
    assert all(memory.get(key) is MISSING for key in absent)
    return [
        compare(f"L1 {word}, {ENTRIES} entries", memory.get, bare.get, keys * ROUNDS_OF_KEYS,
                effort=effort, batch=ENTRIES, wanted=Wanted(most=0.5))
        for word, keys in (("hit", list(bare)), ("miss", absent))
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(measure))
