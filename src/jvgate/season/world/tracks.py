"""What each racecourse offers: distances with their track codes (table 2009), which way round, and its usual times."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

__all__ = ["COURSE_NAMES", "base_time", "corners_passed", "course_offers", "gate_limit"]

COURSE_NAMES = {
    "01": "札幌", "02": "函館", "03": "福島", "04": "新潟", "05": "東京",
    "06": "中山", "07": "中京", "08": "京都", "09": "阪神", "10": "小倉",
}  # fmt: skip

_OFFERS = {
    "01": "turf 1200:17 1500:17 1800:17 2000:17 2600:17 | dirt 1000:24 1700:24 2400:24",
    "02": "turf 1200:17 1800:17 2000:17 2600:17 | dirt 1000:24 1700:24 2400:24",
    "03": "turf 1200:17 1800:17 2000:17 2600:17 | dirt 1150:24 1700:24 2400:24 | jump 2750:52 2770:54 3350:52",
    "04": "turf 1000:10 1200:11 1400:11 1600:12 1800:12 2000:12 2000:11 2200:11 2400:11 | dirt 1200:23 1800:23 2500:23 "
    "| jump 2850:54 2890:54 3250:54",
    "05": "turf 1400:11 1600:11 1800:11 2000:11 2400:11 2500:11 3400:11 | dirt 1300:23 1400:23 1600:23 2100:23 "
    "| jump 3000:54 3100:52 3110:54",
    "06": "turf 1200:18 1600:18 1800:17 2000:17 2200:18 2500:17 | dirt 1200:24 1800:24 2400:24 2500:24 "
    "| jump 2880:52 3200:52 3350:54",
    "07": "turf 1200:11 1400:11 1600:11 2000:11 2200:11 | dirt 1200:23 1400:23 1800:23 1900:23 | jump 3000:54 3300:54",
    "08": "turf 1200:17 1400:17 1600:17 1600:18 1800:18 2000:17 2200:18 2400:18 3000:18 3200:18 "
    "| dirt 1200:24 1400:24 1800:24 1900:24 | jump 2910:51 3170:51",
    "09": "turf 1200:17 1400:17 1600:18 1800:18 2000:17 2200:17 2400:18 3000:17 | dirt 1200:24 1400:24 1800:24 2000:24 "
    "| jump 2970:52 3110:52 3140:52",
    "10": "turf 1200:17 1800:17 2000:17 2600:17 | dirt 1000:24 1700:24 2400:24 | jump 2860:54 2900:54 3390:54",
}
"""Course -> surface distance:track …"""

_LIMITS = {"turf": 18, "dirt": 16, "jump": 14}

_TIMES = {
    "turf": "1000:565 1200:690 1400:815 1500:885 1600:945 1800:1080 2000:1210 2200:1335 2400:1470 2500:1535 2600:1605 "
    "3000:1850 3200:1970 3400:2115",
    "dirt": "1000:595 1150:690 1200:722 1300:788 1400:850 1600:980 1700:1060 1800:1130 1900:1195 2000:1262 2100:1325 "
    "2400:1560 2500:1630",
    "jump": "2750:1800 3000:1985 3400:2270",
}
"""Surface -> distance:tenths of a second of a maiden winner on good ground."""


@lru_cache(maxsize=64)
def course_offers(course: str, surface: str) -> tuple[tuple[int, str], ...]:
    """Return (distance, track code) of a surface at a course, none where it has no such track."""
    for part in _OFFERS[course].split("|"):
        kind, *rows = part.split()
        if kind == surface:
            return tuple((int(distance), track) for distance, track in (row.split(":") for row in rows))
    return ()


def gate_limit(surface: str) -> int:
    """Return how many horses may start."""
    return _LIMITS[surface]


@lru_cache(maxsize=256)
def base_time(surface: str, distance: int) -> int:
    """Return the usual winning time of a maiden race in tenths of a second, between and beyond the table's rows too."""
    rows = [(int(metres), int(tenths)) for metres, tenths in (row.split(":") for row in _TIMES[surface].split())]
    after = min(max(bisect_right(rows, (distance, 1 << 30)), 1), len(rows) - 1)
    (low, fast), (high, slow) = rows[after - 1], rows[after]
    return fast + (distance - low) * (slow - fast) // (high - low)


def corners_passed(surface: str, distance: int, track: str) -> tuple[tuple[int, int], ...]:
    """Return (corner, lap) of the corners of which the order is told, in running order, four at most."""
    if track in ("10", "29"):
        return ()
    if surface == "jump":
        return ((1, 2), (2, 2), (3, 2), (4, 2))
    if distance < 1700:
        return ((3, 1), (4, 1))
    lap = 2 if distance >= 2600 else 1
    return ((1, lap), (2, lap), (3, lap), (4, lap))
