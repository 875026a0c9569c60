"""Invented names: horses in katakana, people and places in rare kanji, each with its kana and Latin forms.

Nothing here is taken from real horses, people or races: words are put together from the parts below, by number, so that
different numbers give different words as long as the parts last.
"""

from __future__ import annotations

from functools import lru_cache

from jvgate.season.world.model import Name

__all__ = ["company_name", "horse_name", "person_name", "race_word", "stud_name"]

_MORAE = {
    "ア": "ｱ a", "イ": "ｲ i", "ウ": "ｳ u", "エ": "ｴ e", "オ": "ｵ o", "カ": "ｶ ka", "キ": "ｷ ki", "ク": "ｸ ku",
    "ケ": "ｹ ke", "コ": "ｺ ko", "サ": "ｻ sa", "シ": "ｼ shi", "ス": "ｽ su", "セ": "ｾ se", "ソ": "ｿ so", "タ": "ﾀ ta",
    "チ": "ﾁ chi", "ツ": "ﾂ tsu", "テ": "ﾃ te", "ト": "ﾄ to", "ナ": "ﾅ na", "ニ": "ﾆ ni", "ヌ": "ﾇ nu", "ネ": "ﾈ ne",
    "ノ": "ﾉ no", "ハ": "ﾊ ha", "ヒ": "ﾋ hi", "フ": "ﾌ fu", "ヘ": "ﾍ he", "ホ": "ﾎ ho", "マ": "ﾏ ma", "ミ": "ﾐ mi",
    "ム": "ﾑ mu", "メ": "ﾒ me", "モ": "ﾓ mo", "ヤ": "ﾔ ya", "ユ": "ﾕ yu", "ヨ": "ﾖ yo", "ラ": "ﾗ ra", "リ": "ﾘ ri",
    "ル": "ﾙ ru", "レ": "ﾚ re", "ロ": "ﾛ ro", "ワ": "ﾜ wa", "ョ": "ｮ yo", "ュ": "ｭ yu", "ャ": "ｬ ya",
    "ッ": "ｯ t", "ヲ": "ｦ o", "ン": "ﾝ n", "ー": "ｰ h", "ガ": "ｶﾞ ga", "ギ": "ｷﾞ gi",
    "グ": "ｸﾞ gu", "ゴ": "ｺﾞ go", "ザ": "ｻﾞ za", "ジ": "ｼﾞ ji", "ズ": "ｽﾞ zu",
    "ゼ": "ｾﾞ ze", "ゲ": "ｹﾞ ge", "ゾ": "ｿﾞ zo", "ダ": "ﾀﾞ da", "デ": "ﾃﾞ de",
    "ド": "ﾄﾞ do", "バ": "ﾊﾞ ba", "ビ": "ﾋﾞ bi",
    "ブ": "ﾌﾞ bu", "ベ": "ﾍﾞ be", "ボ": "ﾎﾞ bo", "パ": "ﾊﾟ pa",
    "ピ": "ﾋﾟ pi", "プ": "ﾌﾟ pu", "ペ": "ﾍﾟ pe", "ポ": "ﾎﾟ po",
}  # fmt: skip
"""Full-width kana -> half-width kana and Latin."""

_HEAD_TABLE = (
    "ソレ ミナ カロ テル バセ ノイ ルガ ザミ オブ キル セダ ホノ ムカ リゼ ユラ ペシ ゴマ ニコ ワタ チギ "
    "エゾ ラペ ドヌ ヒロ ナブ クエ シオ ヨグ タゼ アロ ケム プリ マヤ レソ フビ イザ コデ ツノ ジラ ガロ "
    "メギ ビオ ロキ ヌエ デル サボ ハゼ モナ"
)
_TAIL_TABLE = (
    "ポロ ギア ルミ ネフ ケト ドラ ヨル サグ タロ ビエ モス クゼ リオ ベル ジム ツヤ ノン ロワ カデ シグ "
    "メン ワー ゾル ニア ー ン ス ト ラ ロ ア ル キー ダー マー レー ペン バン ゼル ホン "
    "テラ ユス ミド ナギ フオ ガス オン イル"
)
_HEADS, _TAILS = tuple(_HEAD_TABLE.split()), tuple(_TAIL_TABLE.split())
_MIDDLES = tuple("ラリルレロナニヌネノマミムメモカキクケコタテトサシスセソバビブベボガギグゴダデドザジゼヤユヨ")
_SPAN = len(_HEADS) * len(_MIDDLES) * len(_HEADS) * len(_TAILS)

_FAMILY_HEADS = "霞:カスミ 碧:アオ 椋:ムク 蓬:ヨモギ 樫:カシ 榛:ハン 葦:アシ 朧:オボロ 茅:カヤ 霧:キリ 雫:シズク 蒔:マキ 暁:アカツキ 鴫:シギ 楡:ニレ 篝:カガリ"  # noqa: E501
_FAMILY_TAILS = "嶺:ミネ 瀬:セ 窪:クボ 浦:ウラ 沼:ヌマ 塚:ツカ 洲:ス 泊:ドマリ 畝:ウネ 渚:ナギサ 堰:セキ 峠:トウゲ 辻:ツジ 磯:イソ 淵:フチ 垣:ガキ"  # noqa: E501
_GIVEN_HEADS = "玲:レイ 奏:カナ 燦:アキ 琥:コ 斗:ト 凪:ナギ 詠:エイ 昊:コウ 蒼:ソウ 瑛:テル 宥:ユウ 颯:ハヤ 櫂:カイ 朔:サク 澪:ミオ 惺:セイ"  # noqa: E501
_GIVEN_MALE = "彦:ヒコ 磨:マ 哉:ヤ 吾:ゴ 弥:ヤ 臣:オミ 馬:マ 助:スケ"
_GIVEN_FEMALE = "乃:ノ 芭:ハ 緒:オ 帆:ホ 羽:ハ 実:ミ 花:カ 穂:ホ"
_PLACE_HEADS = "霧:キリ 朧:オボロ 雫:シズク 蒼:アオ 茜:アカネ 翠:ミドリ 凪:ナギ 篝:カガリ 霰:アラレ 燈:アカリ 梢:コズエ 銀:ギン 琥珀:コハク 瑠璃:ルリ 玻璃:ハリ 黎:レイ 朔:サク 紬:ツムギ 漣:サザナミ 霞:カスミ 藍:アイ 橙:ダイ 絹:キヌ 鈴:スズ"  # noqa: E501
_PLACE_TAILS = "岬:ミサキ 渚:ナギサ 笛:ブエ 橋:バシ 苑:エン 砂:スナ 帆:ホ 泉:イズミ 峠:トウゲ 灯:ビ 鏡:カガミ 鐘:ガネ 庭:ニワ 滝:タキ 坂:ザカ 浜:ハマ 塔:トウ 門:モン 湖:コ 舟:フネ 城:シロ 窓:マド 里:サト 道:ミチ"  # noqa: E501


@lru_cache(maxsize=16)
def _pairs(table: str) -> tuple[tuple[str, str], ...]:
    """Return the (kanji, katakana) pairs of a table."""
    return tuple((kanji, kana) for kanji, kana in (entry.split(":") for entry in table.split()))


def _half(text: str) -> str:
    """Return half-width katakana of full-width katakana."""
    return "".join(_MORAE[kana].split()[0] for kana in text)


def _latin(text: str) -> str:
    """Return the Latin form of full-width katakana, with a capital first letter."""
    return "".join(_MORAE[kana].split()[1] for kana in text).capitalize()


def horse_name(number: int) -> Name:
    """Return the name of 5 to 8 kana of horse *number*; numbers 0 … 5 million have different names."""
    rest = number * 2_654_435 % _SPAN
    rest, tail = divmod(rest, len(_TAILS))
    rest, second = divmod(rest, len(_HEADS))
    first, middle = divmod(rest, len(_MIDDLES))
    text = _HEADS[first] + _MIDDLES[middle] + _HEADS[second] + _TAILS[tail]
    return Name(text=text, kana=_half(text), latin=_latin(text))


def stud_name(number: int) -> Name:
    """Return the name of breeding horse *number*: two words, so that it meets no racehorse's."""
    first, second = divmod(number * 7_919 % (len(_HEADS) * len(_MIDDLES) * len(_TAILS)), len(_TAILS))
    head, middle = divmod(first, len(_MIDDLES))
    text = _HEADS[head] + _MIDDLES[middle] + _TAILS[second] + _TAILS[(number * 31 + 7) % 24]
    return Name(text=text, kana=_half(text), latin=_latin(text))


def person_name(number: int, *, female: bool = False) -> Name:
    """Return a person's name: family name and given name, two kanji each; numbers 0 … 32767 differ."""
    family, given = divmod(number * 1_237 % 32_768, 128)
    head, tail = _pairs(_FAMILY_HEADS)[family // 16], _pairs(_FAMILY_TAILS)[family % 16]
    first = _pairs(_GIVEN_HEADS)[given // 8]
    second = _pairs(_GIVEN_FEMALE if female else _GIVEN_MALE)[given % 8]
    family_kana, given_kana = head[1] + tail[1], first[1] + second[1]
    return Name(
        text=f"{head[0]}{tail[0]}\u3000{first[0]}{second[0]}",
        kana=f"{_half(family_kana)} {_half(given_kana)}",
        latin=f"{_latin(given_kana)} {_latin(family_kana)}",
        short=f"{head[0]}{tail[0]}{first[0]}",
    )


def company_name(number: int, suffix: str, suffix_kana: str, suffix_latin: str) -> Name:
    """Return a firm's or stud farm's name: a place word and what it is; numbers 0 … 575 differ."""
    word = race_word(number)
    return Name(
        text=word.text + suffix,
        kana=word.kana + _half(suffix_kana),
        latin=f"{word.latin} {suffix_latin}",
        short=word.text,
    )


def race_word(number: int) -> Name:
    """Return an invented place word of two or three kanji; numbers 0 … 575 differ."""
    head, tail = divmod(number * 125 % 576, 24)
    first, second = _pairs(_PLACE_HEADS)[head], _pairs(_PLACE_TAILS)[tail]
    text = first[0] + second[0]
    return Name(text=text, kana=_half(first[1] + second[1]), latin=_latin(first[1] + second[1]), short=text)
