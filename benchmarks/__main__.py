"""All figures in one table: `python -m benchmarks [--json] [--quick]`; exit status 1 when a promise is not kept."""

from __future__ import annotations

import sys

from benchmarks import (
    archive,
    batch,
    columns,
    compression,
    decode,
    herd,
    http_hit,
    l1_lookup,
    l2_hit,
    l2_http,
    lines,
    odds_json,
    prefetch,
    purge,
    redis_trouble,
    sessions,
    start,
    streaming,
    tags,
)
from benchmarks.measuring import main

PARTS = (
    decode,
    odds_json,
    l1_lookup,
    l2_hit,
    l2_http,
    purge,
    prefetch,
    redis_trouble,
    tags,
    http_hit,
    herd,
    sessions,
    batch,
    start,
    archive,
    streaming,
    lines,
    compression,
    columns,
)

if __name__ == "__main__":
    sys.exit(main(*(part.measure for part in PARTS)))
