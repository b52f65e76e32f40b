"""The activity log as lines to keep elsewhere, and its details as people read them."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from conversations.models import Activity

#: Rows fetched at a time from the server's cursor.
CHUNK = 500
_COLUMNS = ("id", "at", "actor", "user_id", "api_key_id", "action", "target_kind", "target_id", "target", "detail",
            "address")  # fmt: skip
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json_lines(rows: Iterable[Activity]) -> Iterator[bytes]:
    """One object a line."""
    for row in rows:
        yield msgspec.json.encode({name: getattr(row, name) for name in _COLUMNS}) + b"\n"


def as_csv(rows: Iterable[Activity]) -> Iterator[bytes]:
    """A header, then one row a line; the detail as JSON."""
    yield _line(_COLUMNS)
    for row in rows:
        values = {name: getattr(row, name) for name in _COLUMNS}
        values["detail"] = msgspec.json.encode(row.detail).decode()
        values["at"] = row.at.isoformat()
        yield _line([_harmless(value) for value in values.values()])


def told(detail: dict[str, Any]) -> str:
    """{"role": ["viewer", "admin"], "keys": 2} → "role: viewer → admin; keys: 2"; what is empty is left out.

    A list of two is what something was and what it became."""
    shown = {name.replace("_", " "): value for name, value in detail.items() if value not in (None, "")}
    return "; ".join(f"{name}: {_value(value)}" for name, value in shown.items())


def _value(value: Any) -> str:
    match value:
        case [before, after]:
            return f"{before or 'none'} → {after or 'none'}"
        case list():
            return ", ".join(map(str, value)) or "none"
    return str(value)


def _line(values: Iterable[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
