"""The rows of a table and the records of the record decoder, brought to one form so that they can be compared."""

from datetime import date
from typing import Any


def rows_of(batch: Any) -> list[dict[str, Any]]:
    """Return the rows of an Arrow batch or table: days as ISO 8601."""
    return [_dates_as_text(row) for row in batch.to_pylist()]


def as_row(record: Any, row: Any) -> Any:
    """Return *record* as *row* would show it: None where a key is left out, nothing of what *row* does not have."""
    if isinstance(row, dict) and isinstance(record, dict):
        return {key: as_row(record.get(key), value) for key, value in row.items()}
    if isinstance(row, list) and isinstance(record, list) and len(row) == len(record):
        return [as_row(one, other) for one, other in zip(record, row, strict=True)]
    return record


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
