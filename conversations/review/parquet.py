"""The evaluation set as a Parquet file. Needs pyarrow, which only the extra `parquet` installs: it is 150 MB."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

#: Rows written together; with texts some are of 5 MB.
AT_ONCE = 20
_CHUNK = 1 << 16  # bytes

_TEXT, _WHOLE, _NUMBER, _YES = "string", "int64", "float64", "bool_"
#: Columns and their types: a dictionary is a list of such rows.
COLUMNS: dict[str, Any] = {
    "conversation": _TEXT, "compaction": _TEXT, "number": _WHOLE, "source": _TEXT, "agent": _TEXT,
    "agent_version": _TEXT, "model": _TEXT, "kind": _TEXT, "at": _TEXT, "instructions": _TEXT,
    "summary_state": _TEXT, "summary": _TEXT, "auditor_version": _TEXT,
    "facts": {
        "id": _TEXT, "rank": _WHOLE, "text": _TEXT, "kind": _TEXT, "quote": _TEXT, "outcome": _TEXT,
        "probability": _NUMBER, "importance": _NUMBER, "detector": _TEXT,
    },
    "labels": {
        "fact": _TEXT, "answer": _TEXT, "reworded": _TEXT, "text": _TEXT, "kind": _TEXT, "outcome": _TEXT,
        "detector": _TEXT, "auditor_version": _TEXT, "reviewer": _TEXT, "settled": _YES,
    },
    "missed": {
        "message": _TEXT, "block": _WHOLE, "start": _WHOLE, "end": _WHOLE, "quote": _TEXT, "text": _TEXT,
        "kind": _TEXT, "reviewer": _TEXT,
    },
    "invented": {
        "message": _TEXT, "block": _WHOLE, "start": _WHOLE, "end": _WHOLE, "quote": _TEXT, "text": _TEXT,
        "kind": _TEXT, "reviewer": _TEXT,
    },
    "reviews": {
        "reviewer": _TEXT, "overall": _TEXT, "criteria": {"key": _TEXT, "value": _WHOLE}, "comment": _TEXT,
        "submitted_at": _TEXT, "settled": _YES,
    },
    "dropped": {
        "message": _TEXT, "role": _TEXT, "origin": _TEXT, "blocks": {"block": _WHOLE, "text": _TEXT},
    },
}  # fmt: skip


def is_installed() -> bool:
    """Whether Parquet can be written here."""
    return find_spec("pyarrow") is not None


def parquet(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The bytes of one file. Written to the disk first: its table of contents stands at its end."""
    import pyarrow as pa  # noqa: PLC0415 -- takes 0.3 s and may be missing
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

    schema = pa.schema([(name, _type(pa, kind)) for name, kind in COLUMNS.items()])
    waiting = iter(rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            while some := list(islice(waiting, AT_ONCE)):
                writer.write_table(pa.Table.from_pylist(some, schema=schema))
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK), b"")


def _type(pa: Any, kind: Any) -> Any:
    if isinstance(kind, str):
        return getattr(pa, kind)()
    return pa.list_(pa.struct([(name, _type(pa, inner)) for name, inner in kind.items()]))
