"""All figures in one table: `python -m benchmarks [--json] [--quick]`; exit status 1 when a promise is not kept."""

from __future__ import annotations

import sys

from benchmarks import columns, decode, herd, http_hit, l1_lookup, odds_json, sessions, start
from benchmarks.measuring import main

if __name__ == "__main__":
    sys.exit(main(*(part.measure for part in (decode, columns, odds_json, l1_lookup, http_hit, herd, sessions, start))))
