"""Texts of our own making: meanings of horse names (HY), descriptions of courses (CS) and of sire lines (BT's).

Makers: `name_origins`, `course_guides`; `lineage_text` is BT's description.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from jvgate.records.encode import encode
from jvgate.season.records.heads import head
from jvgate.season.world.model import BreedingHorse, Horse
from jvgate.season.world.rng import draw
from jvgate.season.world.tracks import COURSE_NAMES, course_offers
from jvgate.season.world.world import World

__all__ = ["course_guides", "lineage_text", "name_origins"]

_FIRST_WORDS = ("朝霧", "遠雷", "銀河", "旅人", "風花", "海鳴り", "黄金", "深い森", "初雪", "灯台", "夜明け", "潮騒")
_SECOND_WORDS = ("の歌", "を越えて", "の約束", "に咲く", "の鼓動", "へ向かう", "の記憶", "を映す", "の使者", "と踊る")
_TONGUES = ("造語", "伊語", "仏語", "西語", "英語", "古語")

_SURFACES = {"turf": "芝", "dirt": "ダート", "jump": "障害"}
_STRAIGHT_M = {
    "01": 266, "02": 262, "03": 292, "04": 359, "05": 526, "06": 310, "07": 413, "08": 328, "09": 357, "10": 293,
}  # fmt: skip
_RENOVATED = {
    "01": date(2010, 8, 14), "02": date(2010, 6, 19), "03": date(2000, 4, 8), "04": date(2001, 7, 14),
    "05": date(2003, 4, 26), "06": date(2014, 12, 6), "07": date(2012, 3, 3), "08": date(2023, 4, 22),
    "09": date(2006, 12, 2), "10": date(1999, 7, 10),
}  # fmt: skip

_STARTS = (
    "スタート地点は向正面の奥にあり、最初のコーナーまでの距離に余裕があるため、序盤の位置取り争いは緩やかになりやすい。",
    "スタート直後に緩い上りがあり、テンのペースは落ち着く傾向にある。内枠の先行馬は脚をためて運べる。",
    "発走後すぐにコーナーを迎えるため、外枠の馬は距離損を避けにくい。枠順と出足の良さが結果に響く。",
    "ポケットからの発走で、最初の直線を長く使える。各馬が位置を取り切るまで隊列は定まらない。",
)
_MIDDLES = (
    "三コーナーから四コーナーにかけては下り坂で、早めに動いた馬の勢いがそのまま直線に残る。",
    "コーナーの半径が小さく、器用に立ち回れる馬が有利である。大きく外を回ると脚を使わされる。",
    "起伏は小さく、ほぼ平坦である。ペースが緩みにくいので、持続力の差が現れる。",
)
_FINISHES = (
    "直線は約{straight}メートル。ゴール前に坂があり、先に抜け出した馬の脚が止まる場面も多い。",
    "直線は約{straight}メートルで、瞬発力よりも先行して粘る力が問われる。",
    "直線は約{straight}メートル。開催が進むと内側の馬場が傷み、外を通る差し馬の台頭が目立つ。",
)


def name_origins(world: World, horses: Iterable[Horse], *, made: date) -> list[bytes]:
    """Return the HY records of *horses*."""
    return [
        encode(
            head("HY", "1", made)
            | {"KettoNum": horse.number, "Bamei": horse.name.text, "Origin": _origin(world, horse)},
            world.layouts,
        )
        for horse in horses
    ]


def course_guides(world: World, *, made: date, kubun: str = "2", courses: Iterable[str] = COURSE_NAMES) -> list[bytes]:
    """Return the CS records of every distance and track of the *courses*."""
    offers = [
        (course, surface, distance, track)
        for course in courses
        for surface in _SURFACES
        for distance, track in course_offers(course, surface)
    ]
    return [
        encode(
            head("CS", kubun, made)
            | {
                "JyoCD": course,
                "Kyori": distance,
                "TrackCD": track,
                "KaishuDate": _RENOVATED[course].isoformat(),
                "CourseEx": _guide(world, course, surface, distance, track=track),
            },
            world.layouts,
        )
        for course, surface, distance, track in offers
    ]


def lineage_text(founder: BreedingHorse, parent: BreedingHorse | None) -> str:
    """Return the description of the line that *founder* began.  parent: of the line it branched off."""
    origin = (
        f"{parent.name.text}系から分かれた一系統で、" if parent else "この季節の世界で最も古くから伝わる父系の一つで、"
    )
    return (
        f"{founder.name.text}を祖とする系統。{origin}{founder.birth_year}年に{founder.place}で生まれた祖馬は、"
        "競走生活を終えたのち種牡馬となり、丈夫な体と長く脚を使う持続力を子孫に伝えた。"
        "初期の産駒は成長に時間を要したが、古馬になってからの息の長い活躍で評価を高め、"
        "現在では芝・ダートを問わず多くの勝ち馬を送り出している。"
        "母の父としても底力を補うといわれ、配合の幅は広い。"
    )


def _origin(world: World, horse: Horse) -> str:
    luck = draw(world.seed, "origin", int(horse.number))
    first, luck = _FIRST_WORDS[luck % len(_FIRST_WORDS)], luck // len(_FIRST_WORDS)
    second, luck = _SECOND_WORDS[luck % len(_SECOND_WORDS)], luck // len(_SECOND_WORDS)
    tongue, luck = _TONGUES[luck % len(_TONGUES)], luck // len(_TONGUES)
    ending = "。母名より連想" if luck % 3 == 0 else ""
    return f"{first}{second}（{tongue}）{ending}"


def _guide(world: World, course: str, surface: str, distance: int, *, track: str) -> str:
    """Return the description of one course: start, bends, home straight."""
    luck = draw(world.seed, "guide", int(course), distance, int(track))
    way = "直線" if track == "10" else "左回り" if course in ("04", "05", "07") else "右回り"
    name = f"{COURSE_NAMES[course]}競馬場{_SURFACES[surface]}{distance}メートル"
    opening = f"{name}（{way}）。"
    fences = "障害は竹柵と生垣が中心で、飛越の安定と折り合いが求められる。" if surface == "jump" else ""
    start, middle = _STARTS[luck % len(_STARTS)], _MIDDLES[luck // 4 % len(_MIDDLES)]
    finish = _FINISHES[luck // 16 % len(_FINISHES)].format(straight=_STRAIGHT_M[course])
    if way == "直線":
        start, middle = "コーナーのない直線だけのコースで、発走から決勝線まで隊列が横に広がる。", ""
    return opening + start + middle + fences + finish
