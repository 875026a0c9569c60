"""`jvgate spec`: the reference as readable tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from jvgate.errors import QueryError
from jvgate.spec.codes import CodeTable
from jvgate.spec.dataspecs import Dataspec
from jvgate.spec.layouts import Field, Group, Layout
from jvgate.spec.spec import Spec, load_spec

__all__ = ["show"]


def show(name: str | None) -> None:
    """Print what *name* is: a record type (also `UM@1577`), a code table or a data spec; an overview for None.

    Raises QueryError for what is none of them.
    """
    console, spec = Console(), load_spec("jra")
    wanted = (name or "").upper()
    found = {layout.id: layout for layout in spec.layouts.all()}
    if not wanted:
        _print_overview(console, spec)
    elif wanted in found:
        _print_layout(console, found[wanted])
    elif wanted in spec.code_tables:
        _print_codes(console, spec.code_tables[wanted])
    elif wanted in spec.dataspecs:
        _print_dataspec(console, spec.dataspecs[wanted])
    else:
        kinds = {"a record": found, "a code table": spec.code_tables, "a data spec": spec.dataspecs}
        allowed = " or ".join(f"{kind} ({', '.join(names)})" for kind, names in kinds.items())
        why = f"There is nothing called {name!r}."
        raise QueryError("not-found", why, parameter="name", value=name, allowed=allowed)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_overview(console: Console, spec: Spec) -> None:
    records = _table("Records / レコード", "id", "bytes", "ja", "en", "data specs")
    for record in spec.layouts.types:
        layout = spec.layouts.current(record)
        specs = [one.id for one in spec.dataspecs.values() if record in one.record_types]
        records.add_row(record, str(layout.length), layout.title_ja, layout.title_en, " ".join(specs))
    specs_table = _table("Data specs / データ種別", "id", "ja", "en", "asked by", "records")
    for one in spec.dataspecs.values():
        asked = "key" if one.is_realtime else "option " + ",".join(map(str, one.options))
        specs_table.add_row(one.id, one.title_ja, one.title_en, asked, " ".join(one.record_types))
    codes = _table("Code tables / コード表", "id", "ja", "en", "codes")
    for code_table in spec.code_tables.values():
        codes.add_row(code_table.id, code_table.title_ja, code_table.title_en, str(len(code_table.rows)))
    for table in (records, specs_table, codes):
        console.print(table)
        console.print()


def _print_layout(console: Console, layout: Layout) -> None:
    table = _table(
        f"{layout.id} {layout.title_ja} / {layout.title_en}, {layout.length} bytes",
        "byte",
        "length",
        "field",
        "kind",
        "meaning",
        "unit / codes",
    )
    _add_fields(table, layout.fields, depth=0)
    console.print(table)


def _add_fields(table: Table, fields: tuple[Field | Group, ...], *, depth: int) -> None:
    for field in fields:
        count = f" x{field.repeat}" if field.repeat > 1 else ""
        about = field.kind if isinstance(field, Group) or not field.format else f"{field.kind} {field.format}"
        table.add_row(
            f"{'+' if depth else ''}{field.offset}",
            f"{field.length}{count}",
            f"{'  ' * depth}{field.key}",
            about,
            f"{field.label_ja} / {field.label_en}",
            _meaning(field),
        )
        if isinstance(field, Group):
            _add_fields(table, field.fields, depth=depth + 1)


def _meaning(field: Field | Group) -> str:
    if isinstance(field, Group):
        return ""
    if field.code_table:
        return f"table {field.code_table}"
    return field.unit or ", ".join(f"{code}={word}" for code, word in field.values.items())


def _print_codes(console: Console, code_table: CodeTable) -> None:
    table = _table(f"{code_table.id} {code_table.title_ja} / {code_table.title_en}", "code", "ja", "en")
    for code, row in code_table.rows.items():
        table.add_row(repr(code) if " " in code else code, row["ja"], row["en"])
    console.print(table)
    for note in code_table.notes:
        console.print(f"- {note}")


def _print_dataspec(console: Console, spec: Dataspec) -> None:
    table = _table(f"{spec.id} {spec.title_ja} / {spec.title_en}", "", "")
    about = spec.about
    options = ", ".join(map(str, spec.options))
    rows = {
        "records": " ".join(spec.record_types),
        "asked by": " or ".join(spec.key_forms) if spec.is_realtime else f"from_time, option {options}",
        "to_time": "" if spec.is_realtime else "allowed" if spec.end_allowed else "not allowed",
        "delivered": _delivery(about["delivery"]),
        "kept": about["retention"],
        "replaced by": spec.replaced_by or "",
        "notes": "\n".join(about["notes"]),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, value)
    console.print(table)


def _delivery(delivery: object) -> str:
    if isinstance(delivery, list):
        return "\n".join(f"{one['day']} {one['time_jst']}: {one['what']}" for one in delivery)
    return ", ".join(map(str, delivery.values())) if isinstance(delivery, dict) else str(delivery)
