"""Rows in the binary format of Postgres's COPY: four times as fast to make as adapting every value to SQL."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct

HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

_LENGTH = Struct(">i")
_COUNT = Struct(">h")
_INT8 = Struct(">iq")
_INT4 = Struct(">ii")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def int8(value: int | None) -> bytes:
    """A bigint."""
    return NULL if value is None else _INT8.pack(8, value)


def int4(value: int) -> bytes:
    """An integer."""
    return _INT4.pack(4, value)


def text(value: str) -> bytes:
    """A varchar or text."""
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def bytea(value: bytes) -> bytes:
    """A bytea, or JSON as it is written."""
    return _LENGTH.pack(len(value)) + value


def timestamp(value: datetime | None) -> bytes:
    """A timestamptz from an aware datetime."""
    return NULL if value is None else _INT8.pack(8, (value - _EPOCH) // _MICROSECOND)


def row(*fields: bytes) -> bytes:
    """One row of fields in the order of the columns."""
    return _COUNT.pack(len(fields)) + b"".join(fields)


def document(rows: Iterable[bytes]) -> bytes:
    """What COPY … FROM STDIN (FORMAT BINARY) reads."""
    return b"".join((HEADER, *rows, TRAILER))
