"""What a client asks, as text: turned into queries and a selection, or refused with what would be right.

The one place where parameters are read; the web, the command line and batches all come through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from jvgate.errors import QueryError
from jvgate.spec.conditions import RACE_DAY, Condition, parse_condition, selectable
from jvgate.spec.dataspecs import Dataspec
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.racekeys import parse_key
from jvgate.spec.spec import Spec
from jvgate.values import Query, Question, Selection

__all__ = ["CHARSETS", "LANGUAGES", "MAX_LIMIT", "PARAMETERS", "parameters_of", "parse_question", "parse_selection"]

Parameters = Mapping[str, Sequence[str]]

MAX_LIMIT = 1_000_000
MAX_OFFSET = 999_999_999_999  # whatever is longer than a page can be read page by page to its end
LANGUAGES = ("ja", "en")
CHARSETS = ("utf-8", "utf-8-bom", "shift_jis")
MAX_CONDITIONS = 20
MOST_NAMES = 40
_STORED_ONLY = ("from_time", "to_time", "option")
_REALTIME_ONLY = ("key",)
_SHOWN = ("record", "where", "fields", "limit", "offset", "format", "charset", "raw", "labels")
PARAMETERS = (*_STORED_ONLY, *_REALTIME_ONLY, *_SHOWN)
_MANY = ("record", "where", "fields")
_WORDS = ("record", "where", "fields", "labels", "format", "charset")
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_TIMES = "YYYYMMDD or YYYYMMDDhhmmss, Japan Standard Time, for example 20260501 or 20260501120000"


def parse_question(dataspec: str, parameters: Parameters, spec: Spec, *, formats: Iterable[str]) -> Question:
    """Return what *parameters* ask of *dataspec*.

    parameters: every value given for each name.  formats: the format words that can be rendered.
    Raises QueryError; each says which parameter, what was given and what is allowed.
    """
    asked = _split(dataspec, spec)
    _check_names(dataspec, asked[0], parameters)
    selection = _selection(asked, parameters, tuple(formats), spec)
    if asked[0].is_realtime:
        queries: tuple[Query, ...] = (_realtime(asked[0], parameters, selection, spec),)
    else:
        queries = tuple(
            _stored(one, parameters, selection, spec)
            for one in asked
            if not selection.records or any(spec.may_deliver(record, one) for record in selection.records)
        )
    return Question(dataspec, queries, selection)


def parameters_of(question: Question) -> list[tuple[str, str]]:
    """Return the parameters that ask *question*: what `parse_question` makes the same question of again."""
    first, selection = question.queries[0], question.selection
    options = {query.option for query in question.queries}
    given = [
        ("key", first.key),
        ("from_time", first.from_time),
        ("to_time", first.to_time),
        ("option", str(options.pop()) if len(options) == 1 and not first.is_realtime else ""),
        ("record", ",".join(selection.records)),
        *(("where", str(condition)) for condition in selection.where),
        ("fields", ",".join(selection.fields)),
        ("limit", "" if selection.limit is None else str(selection.limit)),
        ("offset", str(selection.offset or "")),
        ("format", selection.format),
        ("charset", selection.charset),
        ("raw", "1" if selection.raw else ""),
        ("labels", selection.labels),
    ]
    return [(name, value) for name, value in given if value]


def _split(text: str, spec: Spec) -> list[Dataspec]:
    """Return the data specs of *text*: one, or joined stored ones (RACEDIFN) that are opened one by one."""
    parts = [text[at : at + 4] for at in range(0, len(text), 4)]
    found = [known for part in parts if (known := spec.dataspec(part)) is not None]
    if not text or len(found) < len(parts):
        shown, allowed = text[:40], ", ".join(spec.dataspecs) + "; stored ones may be joined (RACEDIFN)"
        raise _wrong("unknown-dataspec", "dataspec", shown, f"There is no data spec {shown!r}.", allowed)
    if len(found) > 1 and (any(one.is_realtime for one in found) or len(set(parts)) < len(parts)):
        allowed = "different stored data specs joined, or one real-time data spec by itself"
        raise _wrong("invalid-dataspec", "dataspec", text, f"{text} cannot be joined.", allowed)
    return found


def _check_names(joined: str, dataspec: Dataspec, parameters: Parameters) -> None:
    names = (*(_REALTIME_ONLY if dataspec.is_realtime else _STORED_ONLY), *_SHOWN)
    allowed = ", ".join(names)
    for name, values in parameters.items():
        if name not in PARAMETERS:
            raise _wrong("unknown-parameter", name, values[0], f"There is no parameter {name!r}.", allowed)
        if name not in names:
            why = f"{joined} is {'real-time' if dataspec.is_realtime else 'stored'} data and takes no {name}."
            raise _wrong("parameter-not-allowed", name, values[0], why, allowed)
    _check_values(parameters)


def _check_values(parameters: Parameters) -> None:
    for name, values in parameters.items():
        # The others say themselves that nothing is no time, no number, …
        if name in _WORDS and any(not part for value in values for part in _parts(name, value)):
            why = f"{name} is given without a value."
            raise _wrong("empty-parameter", name, "", why, f"a value, or no {name} at all")
        if len(values) > 1 and name not in _MANY:
            why = f"{name} is given {len(values)} times."
            raise _wrong("repeated-parameter", name, ", ".join(values), why, f"{name} once")


def _stored(dataspec: Dataspec, parameters: Parameters, selection: Selection, spec: Spec) -> Query:
    start, end = _one(parameters, "from_time"), _one(parameters, "to_time")
    if start is None:
        raise _wrong(
            "invalid-from-time", "from_time", None, f"{dataspec.id} is stored data and needs a from_time.", _TIMES
        )
    from_time = _time("from_time", start)
    to_time = "" if end is None else _time("to_time", end)
    if to_time and not dataspec.end_allowed:
        why = f"{dataspec.id} takes no to_time: {spec.link} would answer that there is no data."
        raise _wrong("invalid-to-time", "to_time", end, why, "from_time alone")
    if to_time and to_time <= from_time:
        why = f"to_time {to_time} is not after from_time {from_time}."
        raise _wrong("invalid-to-time", "to_time", end, why, "a to_time later than from_time (start < t <= end)")
    records = tuple(record for record in selection.records if spec.may_deliver(record, dataspec))
    return Query(
        dataspec.id,
        from_time=from_time,
        to_time=to_time,
        option=_option(dataspec, parameters),
        records=records if set(records) != set(dataspec.record_types) else (),
        provider=spec.provider,
    )


def _option(dataspec: Dataspec, parameters: Parameters) -> int:
    text = _one(parameters, "option")
    if text is None:
        return dataspec.options[0]
    allowed = ", ".join(map(str, dataspec.options))
    if text not in ("1", "2", "3", "4"):
        raise _wrong("invalid-option", "option", text, f"{text!r} is no option.", f"{allowed} for {dataspec.id}")
    if int(text) not in dataspec.options:
        why = f"{dataspec.id} cannot be asked for with option {text}."
        raise _wrong("dataspec-option-mismatch", "option", text, why, allowed)
    return int(text)


def _time(name: str, text: str) -> str:
    """Return *text* as YYYYMMDDhhmmss; a day alone means its first second."""
    slug = f"invalid-{name.replace('_', '-')}"
    if re.fullmatch(r"\d{8}(\d{6})?", text, re.ASCII) is None:
        raise _wrong(slug, name, text, f"{name} {text!r} is malformed.", _TIMES)
    full = text.ljust(14, "0")
    try:
        datetime.strptime(full, "%Y%m%d%H%M%S")
    except ValueError as exc:
        raise _wrong(slug, name, text, f"{name} {text} is no time of the calendar.", _TIMES) from exc
    return full


def _realtime(dataspec: Dataspec, parameters: Parameters, selection: Selection, spec: Spec) -> Query:
    forms = " or ".join(dataspec.key_forms)
    text = _one(parameters, "key")
    if text is None:
        raise _wrong("invalid-key", "key", None, f"{dataspec.id} is real-time data and needs a key.", forms)
    key = str(parse_key(text, dataspec.key_forms, spec.key_rules))
    records = selection.records if set(selection.records) != set(dataspec.record_types) else ()
    return Query(dataspec.id, key=key, records=records, provider=spec.provider)


def parse_selection(parameters: Parameters, spec: Spec, *, formats: Iterable[str]) -> Selection:
    """Return how records of any type are to be shown, those of a file for example.  Raises QueryError."""
    _check_values(parameters)
    return _selection((), parameters, tuple(formats), spec)


def _selection(asked: Sequence[Dataspec], parameters: Parameters, formats: tuple[str, ...], spec: Spec) -> Selection:
    """Return how records of *asked* are to be shown; none for those of a file, which may hold any."""
    delivered = _delivered(asked) if asked else spec.layouts.types
    records = _records(asked, delivered, parameters, spec)
    raw, labels = _boolean(parameters, "raw"), _word(parameters, "labels", LANGUAGES, "")
    if labels and raw:
        raise _wrong("invalid-labels", "labels", labels, "raw shows the characters alone.", "labels or raw, not both")
    form = _one(parameters, "format") or formats[0]
    if form not in formats:
        raise _wrong("unknown-format", "format", form, f"There is no format {form[:40]!r} here.", ", ".join(formats))
    types = records or delivered
    return Selection(
        format=form,
        records=records,
        fields=_fields(types, parameters, spec, raw=raw),
        limit=_count(parameters, "limit", MAX_LIMIT),
        offset=_count(parameters, "offset", MAX_OFFSET) or 0,
        raw=raw,
        labels=labels,
        where=_where(types, parameters, spec),
        charset=_word(parameters, "charset", CHARSETS, ""),
    )


def _records(
    asked: Sequence[Dataspec], delivered: tuple[str, ...], parameters: Parameters, spec: Spec
) -> tuple[str, ...]:
    wanted = _many(parameters, "record")
    for record in wanted:
        if record not in delivered and not any(spec.may_deliver(record, one) for one in asked):
            deliverer, known = "+".join(one.id for one in asked), record in spec.layouts.types
            why = f"{deliverer} delivers no {record}." if known else f"There is no record type {record!r}."
            raise _wrong("unknown-record", "record", record, why, ", ".join(delivered))
    return tuple(sorted(set(wanted)))


def _delivered(asked: Sequence[Dataspec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for one in asked for record in one.record_types))


def _fields(types: Sequence[str], parameters: Parameters, spec: Spec, *, raw: bool) -> tuple[str, ...]:
    wanted = _many(parameters, "fields")
    if not wanted:
        return ()
    known = {
        name
        for record in types
        for layout in spec.layouts.generations(record)
        for name in _names(layout.fields, raw=raw)
    }
    for field in wanted:
        if field not in known:
            raise _unknown_field("fields", field, types, sorted(known))
    return tuple(sorted(set(wanted)))


def _where(types: Sequence[str], parameters: Parameters, spec: Spec) -> tuple[Condition, ...]:
    """Return the conditions; a record type that lacks one of the fields has no record that meets them."""
    texts = parameters.get("where", ())
    if not texts:
        return ()
    if len(texts) > MAX_CONDITIONS:
        why = f"There are {len(texts)} conditions."
        raise _wrong("invalid-where", "where", None, why, f"{MAX_CONDITIONS} conditions at most")
    found = [layout for record in types for layout in spec.layouts.generations(record)]
    conditions = set()
    for text in texts:
        try:
            conditions.add(parse_condition(text, found))
        except KeyError as exc:
            raise _unknown_field("where", text.partition("=")[0], types, _selectable_names(found)) from exc
    _check_one_type_meets_all(conditions, types, spec)
    return tuple(sorted(conditions, key=str))


def _selectable_names(found: Sequence[Layout]) -> list[str]:
    """Return what conditions may name, key fields first."""
    keys = {RACE_DAY} | {field.key for layout in found for field in layout.fields if field.path in layout.key}
    names = {name for layout in found for name in selectable(layout)}
    return sorted(names, key=lambda name: (name not in keys, name))


def _check_one_type_meets_all(conditions: Iterable[Condition], types: Sequence[str], spec: Spec) -> None:
    names = {condition.field for condition in conditions}
    if not any(names <= set(selectable(layout)) for record in types for layout in spec.layouts.generations(record)):
        why = f"None of {', '.join(types)} has {' and '.join(sorted(names))}."
        raise _wrong("invalid-where", "where", None, why, "conditions that one record type can meet together")


def _unknown_field(parameter: str, field: str, types: Sequence[str], known: Iterable[str]) -> QueryError:
    """Return the refusal that offers what was most likely meant, and then the others."""
    by_lower = {name.lower(): name for name in known}
    asked = field[:100].lower()
    near = [by_lower[name] for name in get_close_matches(asked, by_lower, n=5, cutoff=0.7)]
    near += [name for lower, name in by_lower.items() if len(asked) > 1 and asked in lower and name not in near]
    names = [*near, *(name for name in by_lower.values() if name not in near)]
    has = "has" if len(types) == 1 else "have"
    what = f"field {field[:100]!r}" if parameter == "fields" else f"field {field[:100]!r} that records are selected by"
    meant = f" Did you mean {' or '.join(near[:5])}?" if near else ""
    more = " …" if len(names) > MOST_NAMES else ""
    allowed = ", ".join(names[:MOST_NAMES]) + more
    return _wrong("unknown-field", parameter, field[:100], f"{', '.join(types)} {has} no {what}.{meant}", allowed)


def _names(fields: Iterable[Field | Group], *, raw: bool, prefix: str = "") -> Iterable[str]:
    """Yield the names that `fields` may use: the keys of an answer, dotted inside groups."""
    for field in fields:
        if field.kind == "reserved" and not raw:
            continue
        yield f"{prefix}{field.key}"
        if isinstance(field, Group):
            yield from _names(field.fields, raw=raw, prefix=f"{prefix}{field.key}.")


def _count(parameters: Parameters, name: str, most: int) -> int | None:
    text = _one(parameters, name)
    if text is None:
        return None
    if re.fullmatch(r"\d{1,12}", text, re.ASCII) is None or int(text) > most:
        why = f"{name} {text[:40]!r} is no whole number in range."
        raise _wrong(f"invalid-{name}", name, text, why, f"0 to {most}")
    return int(text)


def _boolean(parameters: Parameters, name: str) -> bool:
    text = _one(parameters, name)
    if text is None:
        return False
    if text not in _BOOLEANS:
        raise _wrong(f"invalid-{name}", name, text, f"{name} {text!r} is neither yes nor no.", ", ".join(_BOOLEANS))
    return _BOOLEANS[text]


def _one(parameters: Parameters, name: str) -> str | None:
    values = parameters.get(name)
    return values[0] if values else None


def _word(parameters: Parameters, name: str, allowed: Sequence[str], default: str) -> str:
    text = _one(parameters, name)
    if text is None:
        return default
    if text not in allowed:
        why = f"There are no labels in {text[:40]!r}." if name == "labels" else f"There is no {name} {text[:40]!r}."
        raise _wrong(f"invalid-{name}", name, text, why, " or ".join(allowed))
    return text


def _parts(name: str, value: str) -> list[str]:
    """Return what one value of a list lists; a condition has commas of its own."""
    return [value] if name == "where" else value.split(",")


def _many(parameters: Parameters, name: str) -> list[str]:
    return [part for value in parameters.get(name, ()) for part in value.split(",")]


def _wrong(slug: str, parameter: str, value: str | None, why: str, allowed: str) -> QueryError:
    return QueryError(slug, why, parameter=parameter, value=value, allowed=allowed)
