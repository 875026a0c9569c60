"""Parse the parameters of a request into a question, or refuse them with what is allowed.

The web, the command line and batches all come through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from jvgate.errors import QueryError
from jvgate.question.parameters import DATASPEC, PARAMETERS
from jvgate.question.reading import (
    Given,
    check_given,
    first_value,
    read_boolean,
    read_integer,
    read_list,
    read_text,
    read_word,
    refusal,
)
from jvgate.spec.conditions import RACE_DAY, Condition, parse_condition, selectable
from jvgate.spec.dataspecs import Dataspec
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.racekeys import parse_key
from jvgate.spec.spec import Spec
from jvgate.values import Query, Question, Selection

__all__ = ["parameters_of", "parse_question", "parse_selection"]

MOST_NAMES = 40


def parse_question(
    dataspec: str, parameters: Given, spec: Spec, *, formats: Iterable[str], charsets: Iterable[str] = ()
) -> Question:
    """Return what *parameters* ask of *dataspec*.

    parameters: every value given for each name.  formats, charsets: the words of the formats that can be rendered.
    Raises QueryError; each says which parameter, what was given and what is allowed.
    """
    asked = _split(dataspec, spec)
    _check_parameters(dataspec, asked[0], parameters)
    words = {"format": tuple(formats), "charset": tuple(charsets)}
    selection = _selection(asked, parameters, words, spec)
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
        raise refusal(DATASPEC, shown, f"There is no data spec {shown!r}.", allowed)
    if len(found) > 1 and (any(one.is_realtime for one in found) or len(set(parts)) < len(parts)):
        allowed = "different stored data specs joined, or one real-time data spec by itself"
        why = f"{text} cannot be joined."
        raise QueryError("invalid-dataspec", why, parameter="dataspec", value=text, allowed=allowed)
    return found


def _check_parameters(joined: str, dataspec: Dataspec, parameters: Given) -> None:
    """Refuse parameters that do not exist, or belong to the other family of data."""
    family, other = ("real-time", "stored") if dataspec.is_realtime else ("stored", "real-time")
    taken = {name: one for name, one in PARAMETERS.items() if one.family != other}
    misplaced = {name: f"{joined} is {family} data and takes no {name}." for name in PARAMETERS if name not in taken}
    check_given(parameters, taken, misplaced=misplaced)


def _stored(dataspec: Dataspec, parameters: Given, selection: Selection, spec: Spec) -> Query:
    if "from_time" not in parameters:
        raise refusal(PARAMETERS["from_time"], None, f"{dataspec.id} is stored data and needs a from_time.")
    from_time, to_time = _time(parameters, "from_time"), _time(parameters, "to_time")
    if to_time and not dataspec.end_allowed:
        why = f"{dataspec.id} takes no to_time: {spec.link} would answer that there is no data."
        raise _wrong_end(parameters, why, "from_time alone")
    if to_time and to_time <= from_time:
        why = f"to_time {to_time} is not after from_time {from_time}."
        raise _wrong_end(parameters, why, "a to_time later than from_time (start < t <= end)")
    records = tuple(record for record in selection.records if spec.may_deliver(record, dataspec))
    return Query(
        dataspec.id,
        from_time=from_time,
        to_time=to_time,
        option=_option(dataspec, parameters),
        records=records if set(records) != set(dataspec.record_types) else (),
        provider=spec.provider,
    )


def _wrong_end(parameters: Given, why: str, allowed: str) -> QueryError:
    return refusal(PARAMETERS["to_time"], first_value(parameters, "to_time"), why, allowed)


def _option(dataspec: Dataspec, parameters: Given) -> int:
    text = first_value(parameters, "option")
    if text is None:
        return dataspec.options[0]
    parameter, allowed = PARAMETERS["option"], ", ".join(map(str, dataspec.options))
    if text not in parameter.words:
        raise refusal(parameter, text, f"{text!r} is no option.", f"{allowed} for {dataspec.id}")
    if int(text) not in dataspec.options:
        why = f"{dataspec.id} cannot be asked for with option {text}."
        raise QueryError("dataspec-option-mismatch", why, parameter="option", value=text, allowed=allowed)
    return int(text)


def _time(parameters: Given, name: str) -> str:
    """Return a time as YYYYMMDDhhmmss, "" for none; a day alone means its first second."""
    parameter = PARAMETERS[name]
    value = read_text(parameters, parameter)
    if not value:
        return ""
    full = value.ljust(14, "0")
    try:
        datetime.strptime(full, "%Y%m%d%H%M%S")
    except ValueError as exc:
        raise refusal(parameter, value, f"{name} {value} is no time of the calendar.") from exc
    return full


def _realtime(dataspec: Dataspec, parameters: Given, selection: Selection, spec: Spec) -> Query:
    forms = " or ".join(dataspec.key_forms)
    text = first_value(parameters, "key")
    if text is None:
        raise refusal(PARAMETERS["key"], None, f"{dataspec.id} is real-time data and needs a key.", forms)
    key = str(parse_key(text, dataspec.key_forms, spec.key_rules))
    records = selection.records if set(selection.records) != set(dataspec.record_types) else ()
    return Query(dataspec.id, key=key, records=records, provider=spec.provider)


def parse_selection(
    parameters: Given, spec: Spec, *, formats: Iterable[str], charsets: Iterable[str] = ()
) -> Selection:
    """Return how records of any type are to be shown, those of a file for example.  Raises QueryError."""
    check_given(parameters, PARAMETERS)
    words = {"format": tuple(formats), "charset": tuple(charsets)}
    return _selection((), parameters, words, spec)


def _selection(
    asked: Sequence[Dataspec], parameters: Given, words: Mapping[str, tuple[str, ...]], spec: Spec
) -> Selection:
    """Return how records of *asked* are to be shown; none for those of a file, which may hold any."""
    delivered = _delivered(asked) if asked else spec.layouts.types
    records = _records(asked, delivered, parameters, spec)
    raw = read_boolean(parameters, PARAMETERS["raw"])
    labels = read_word(parameters, PARAMETERS["labels"], why="There are no labels in {value!r}.")
    if labels and raw:
        raise refusal(PARAMETERS["labels"], labels, "raw shows the characters alone.", "labels or raw, not both")
    form = read_word(parameters, PARAMETERS["format"], words["format"], why="There is no format {value!r} here.")
    types = records or delivered
    return Selection(
        format=form or words["format"][0],
        records=records,
        fields=_fields(types, parameters, spec, raw=raw),
        limit=read_integer(parameters, PARAMETERS["limit"]),
        offset=read_integer(parameters, PARAMETERS["offset"]) or 0,
        raw=raw,
        labels=labels,
        where=_where(types, parameters, spec),
        charset=read_word(parameters, PARAMETERS["charset"], words["charset"]),
    )


def _records(asked: Sequence[Dataspec], delivered: tuple[str, ...], parameters: Given, spec: Spec) -> tuple[str, ...]:
    wanted = read_list(parameters, PARAMETERS["record"])
    for record in wanted:
        if record not in delivered and not any(spec.may_deliver(record, one) for one in asked):
            deliverer, known = "+".join(one.id for one in asked), record in spec.layouts.types
            why = f"{deliverer} delivers no {record}." if known else f"There is no record type {record!r}."
            raise refusal(PARAMETERS["record"], record, why, ", ".join(delivered))
    return tuple(sorted(set(wanted)))


def _delivered(asked: Sequence[Dataspec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for one in asked for record in one.record_types))


def _fields(types: Sequence[str], parameters: Given, spec: Spec, *, raw: bool) -> tuple[str, ...]:
    wanted = read_list(parameters, PARAMETERS["fields"])
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


def _where(types: Sequence[str], parameters: Given, spec: Spec) -> tuple[Condition, ...]:
    """Return the conditions; a record type that lacks one of the fields has no record that meets them."""
    texts = parameters.get("where", ())
    if not texts:
        return ()
    most = PARAMETERS["where"].max_values
    if len(texts) > most:
        why = f"There are {len(texts)} conditions."
        raise refusal(PARAMETERS["where"], None, why, f"{most} conditions at most")
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
        raise refusal(PARAMETERS["where"], None, why, "conditions that one record type can meet together")


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
    why = f"{', '.join(types)} {has} no {what}.{meant}"
    return QueryError("unknown-field", why, parameter=parameter, value=field[:100], allowed=allowed)


def _names(fields: Iterable[Field | Group], *, raw: bool, prefix: str = "") -> Iterable[str]:
    """Yield the names that `fields` may use: the keys of an answer, dotted inside groups."""
    for field in fields:
        if field.kind == "reserved" and not raw:
            continue
        yield f"{prefix}{field.key}"
        if isinstance(field, Group):
            yield from _names(field.fields, raw=raw, prefix=f"{prefix}{field.key}.")
