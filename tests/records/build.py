"""Random but valid values for any layout, drawn from the layout alone."""

import random
from typing import Any

from jvgate.spec.layouts import Field, Group, Layout

WIDE = "アイウエオカキクケコサシスセソー一二三四五春夏秋冬髙①～々〆　"
NARROW = "ABCxyz 0129.-'ｱｲｳｴｵﾟﾞ"


def random_record(layout: Layout, rng: random.Random, *, fill: float = 0.7) -> dict[str, Any]:
    """Values for every field of *layout*, unset ones left out; slots by their names where they have some."""
    return _object(layout.fields, rng, fill)


def _object(fields: tuple[Field | Group, ...], rng: random.Random, fill: float) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        if field.kind == "reserved" or (isinstance(field, Group) and all(f.kind == "reserved" for f in field.fields)):
            continue
        if isinstance(field, Group):
            values[field.key] = _slots(field, rng, fill)
        elif field.fixed is not None:
            values[field.key] = field.fixed.decode()
        elif field.repeat > 1:
            values[field.key] = [_value(field, rng) for _ in range(field.repeat)]
        elif rng.random() < fill:
            if field.special and rng.random() < 0.2:
                raw, slug = rng.choice(sorted(field.special.items()))
                meaning = field.slugs[slug]
                number = int(raw) / (field.scale or 1) if meaning == "number" else 0 if meaning == "zero" else None
                values[field.key], values[f"{field.key}Mark"] = number, slug
            else:
                values[field.key] = _value(field, rng)
    return values


def _slots(group: Group, rng: random.Random, fill: float) -> list[Any]:
    if not group.placed:
        return [_object(group.fields, rng, 1.0) for _ in range(rng.randint(0, min(group.repeat, 5)))]
    first = group.fields[0]
    names = sorted(rng.sample(range(group.repeat), min(group.repeat, rng.choice((0, 3, 12)))))
    slots = []
    for place in names:
        slot = _object(group.fields, rng, fill)
        slot.pop(f"{first.key}Mark", None)
        name = group.placed[place]
        slots.append(slot | {first.key: int(name) if first.kind == "int" else name})
    return slots


def _value(field: Field, rng: random.Random) -> Any:
    while True:
        value, raw = _MAKERS[field.kind](field, rng)
        dated = {raw for special in field.special_dated for raw in special.special}
        if raw not in field.unset and raw not in field.special and raw not in dated:
            return value


def _digits(field: Field, rng: random.Random, length: int | None = None) -> str:
    return "".join(rng.choice("0123456789") for _ in range(length or field.length))


def _number(field, rng):
    text = _digits(field, rng)
    if field.format == "YYYY":
        text = str(rng.randint(1986, 2040))
    return int(text), text.encode()


def _decimal(field, rng):
    scale = field.scale or 1
    if field.signed:
        text = rng.choice("+-") + _digits(field, rng, field.length - 1)
        return (-1 if text[0] == "-" else 1) * int(text[1:]) / scale, text.encode()
    text = _digits(field, rng)
    return int(text) / scale, text.encode()


def _date(field, rng):
    month, day, year = rng.randint(1, 12), rng.randint(1, 28), rng.randint(1950, 2040)
    return f"{year}-{month:02}-{day:02}", f"{year}{month:02}{day:02}".encode()


def _time(field, rng):
    if field.format == "HHMM":
        hour, minute = rng.randint(0, 23), rng.randint(0, 59)
        return f"{hour:02}:{minute:02}", f"{hour:02}{minute:02}".encode()
    decimals = field.length - 3
    minutes, seconds, rest = rng.randint(0, 9), rng.randint(0, 59), rng.randrange(10**decimals)
    stored = (minutes * 60 + seconds) * 10**decimals + rest
    return stored / 10**decimals, f"{minutes}{seconds:02}{rest:0{decimals}}".encode()


def _datetime(field, rng):
    day, clock = _date(field, rng)[0][5:], _time_of_day(rng)
    return f"{day}T{clock}", b""


def _time_of_day(rng):
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"


def _text(field, rng):
    narrow = field.kind == "text_halfwidth" or (field.kind == "text_mixed" and rng.random() < 0.5)
    room = field.length if narrow else field.length // 2
    text = "".join(rng.choice(NARROW if narrow else WIDE) for _ in range(rng.randint(1, min(room, 20)))).strip(" 　")
    return text or None, text.encode("cp932")


def _code(field, rng):
    codes = [code for code in field.values if len(code) == field.length and code.encode() not in field.unset]
    text = rng.choice(codes) if codes else _digits(field, rng)
    return text, text.encode()


def _identifier(field, rng):
    text = _digits(field, rng)
    return text, text.encode()


_MAKERS = {
    "code": _code,
    "digits": _identifier,
    "int": _number,
    "decimal": _decimal,
    "date": _date,
    "monthday": lambda field, rng: (value := _date(field, rng)[0][5:], value.replace("-", "").encode()),
    "datetime": _datetime,
    "time": _time,
    "text_fullwidth": _text,
    "text_halfwidth": _text,
    "text_mixed": _text,
}
