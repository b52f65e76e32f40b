"""Keep the bytes of batches: in pieces, compressed, and read back as a stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import IO

import zstandard
from django.db import connection
from psycopg import Cursor

from conversations.ingest import copying
from conversations.ingest.formats.lines import MAX_LINE_BYTES
from conversations.models import Batch
from conversations.models.isolation import unrestricted

#: Batches that hold events in our own form: as they were sent, or made of exchanges and spans when those were accepted.
EVENTS = "events"
EXCHANGES = "exchanges"
OTLP = "otlp"
EVENT_FORMATS = frozenset({EVENTS, EXCHANGES, OTLP})
#: Whoever claimed a batch and is not heard of for so long is taken for dead. Digesting it twice at once would only be
#: wasted work: the conversation's lock puts the two in order and every row is written once.
LEASE = timedelta(seconds=120)
#: Of the bytes as they came. A Postgres value holds 1 GB; a piece is in memory as a whole when it is read or written.
PIECE_BYTES = 4 * 1024 * 1024
#: 500 MB/s and a quarter of the bytes for transcripts; level 3 would take twice the time for 5 % fewer bytes.
LEVEL = 1


@unrestricted()
def store(batch: Batch, pieces: Iterable[bytes]) -> None:
    """Write pieces of at most PIECE_BYTES, in order. Call inside a transaction."""
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    with connection.cursor() as cursor:
        sql = "COPY conversations_batchchunk (workspace_id, batch_id, number, body) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(sql) as copy:
            copy.write(copying.HEADER)
            for number, piece in enumerate(pieces):
                body = copying.bytea(compressor.compress(piece))
                fields = (copying.int8(batch.workspace_id), copying.int8(batch.pk), copying.int4(number), body)
                copy.write(copying.row(*fields))
            copy.write(copying.TRAILER)


def store_whole(batch: Batch, body: bytes) -> None:
    """The batch's row and its bytes in one statement, on disk when this returns; for bodies of few pieces.

    In a transaction with a statement for each it takes four round trips and twice the time."""
    fields = [each for each in Batch._meta.concrete_fields if not each.primary_key]  # noqa: SLF001 -- public by its docs
    row = [each.get_db_prep_save(each.pre_save(batch, True), connection) for each in fields]
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    pieces = [compressor.compress(body[start : start + PIECE_BYTES]) for start in range(0, len(body), PIECE_BYTES)]
    connection.ensure_connection()
    # psycopg's own cursor sends bytes as they are; Django's writes them into the statement as hexadecimal digits.
    with Cursor(connection.connection) as cursor:
        cursor.execute(_store_whole(tuple(f'"{each.column}"' for each in fields), len(pieces)), [*row, *pieces])
        [(batch.pk,)] = cursor.fetchall()
    batch._state.adding, batch._state.db = False, connection.alias  # noqa: SLF001 -- as its own save() does


@cache
def _store_whole(columns: tuple[str, ...], pieces: int) -> str:
    numbered = ", ".join(f"({number}, %b::bytea)" for number in range(pieces))
    return (
        f"WITH batch AS (INSERT INTO conversations_batch ({', '.join(columns)})"  # noqa: S608 -- names of columns
        f" VALUES ({', '.join(['%s'] * len(columns))}) RETURNING workspace_id, id), piece AS (INSERT INTO"
        " conversations_batchchunk (workspace_id, batch_id, number, body) SELECT workspace_id, id, number, body"
        f" FROM batch, (VALUES {numbered}) AS pieces (number, body)) SELECT id FROM batch"
    )


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a file in pieces."""
    while piece := stream.read(PIECE_BYTES):
        yield piece


def load(batch: Batch) -> Iterator[bytes]:
    """The pieces again, one in memory at a time."""
    decompressor = zstandard.ZstdDecompressor()
    numbers = batch.chunks.order_by("number").values_list("number", flat=True)
    for number in list(numbers):
        [body] = batch.chunks.filter(number=number).values_list("body", flat=True)
        yield decompressor.decompress(body, max_output_size=PIECE_BYTES)


def load_all(batches: Iterable[Batch]) -> dict[int, bytes]:
    """Batch id → its bytes, in one query. For batches of events, which are small."""
    decompressor = zstandard.ZstdDecompressor()
    ids = [batch.pk for batch in batches]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT batch_id, body FROM conversations_batchchunk WHERE batch_id = ANY(%s) ORDER BY batch_id, number",
            [ids],
        )
        bodies: dict[int, list[bytes]] = {pk: [] for pk in ids}
        for pk, body in cursor:
            bodies[pk].append(decompressor.decompress(body, max_output_size=PIECE_BYTES))
    return {pk: b"".join(parts) for pk, parts in bodies.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its newline, if it has one. `end`: bytes of the stream up to and with it."""

    body: bytes
    end: int


def lines_of(pieces: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a stream. Of one beyond what any parser reads so much is kept that it is seen to be too long."""
    parts: list[bytes] = []
    kept = end = 0
    for piece in pieces:
        start = 0
        while (stop := piece.find(b"\n", start) + 1) > 0:
            parts.append(piece[start:stop] if kept <= MAX_LINE_BYTES else b"")
            end += stop - start
            yield Line(parts[0] if len(parts) == 1 else b"".join(parts), end)
            parts, kept, start = [], 0, stop
        end += len(piece) - start
        if kept <= MAX_LINE_BYTES and start < len(piece):
            parts.append(piece[start:])
            kept += len(piece) - start
    if parts:
        yield Line(b"".join(parts), end)
