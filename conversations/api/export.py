"""Whole lists as JSON lines or CSV: streamed row by row, however many there are."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

#: Rows fetched at a time from the server's cursor: a message may have 1 MB, so that 100 stay bearable.
CHUNK = 100
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class JsonLines(BaseRenderer):
    """`?format=jsonl`: one row a line."""

    media_type = "application/x-ndjson"
    format = "jsonl"

    def render(self, data: Any, *_: Any) -> bytes:
        """Errors come this way; rows are streamed."""
        return msgspec.json.encode(data) + b"\n"


class Csv(JsonLines):
    """`?format=csv`: a header and one row a line."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"


def export(
    rows: Iterable[Any], serializer: serializers.BaseSerializer[Any], kind: str, name: str
) -> StreamingHttpResponse:
    """All rows as `kind`, jsonl or csv, in a file called `name`."""
    write = _csv_lines if kind == Csv.format else _json_lines
    media_type = {each.format: each.media_type for each in (JsonLines, Csv)}[kind]
    response = StreamingHttpResponse(write(rows, serializer), content_type=f"{media_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def _json_lines(rows: Iterable[Any], serializer: Any) -> Iterator[bytes]:
    for row in rows:
        yield msgspec.json.encode(serializer.to_representation(row)) + b"\n"


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> bytes:
        return line.encode()


def _csv_lines(rows: Iterable[Any], serializer: Any) -> Iterator[bytes]:
    writer: Any = csv.writer(_Echo())  # writerow hands back what write returned
    columns = list(columns_of(serializer))
    yield writer.writerow([".".join(path) for path in columns])
    for row in rows:
        values = serializer.to_representation(row)
        yield writer.writerow([_cell(values, path) for path in columns])


def columns_of(serializer: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all values; objects become a column a field, lists stay one."""
    for name, field in serializer.fields.items():
        if isinstance(field, serializers.Serializer):
            yield from columns_of(field, (*path, name))
        else:
            yield (*path, name)


def _cell(values: Any, path: tuple[str, ...]) -> str:
    for name in path:
        values = None if values is None else values[name]
    if values is None:
        return ""
    if isinstance(values, list | dict):
        return json.dumps(values, ensure_ascii=False)
    if isinstance(values, bool):
        return "true" if values else "false"
    text = str(values)
    return f"'{text}" if isinstance(values, str) and text.startswith(_FORMULA) else text
