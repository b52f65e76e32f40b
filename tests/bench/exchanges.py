"""What exchanges cost: `python -m tests.bench.exchanges [--conversations N] [--turns N]`.

Starts the real stack in a folder of its own and sends conversations in three ways: every message once, as events, one
POST a turn; every model call as an exchange, with the whole history in each, one POST an exchange; and the exchanges
again into a plain table, compressed. Prints rows and bytes of each way, rates, and CPU time by process.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import zstandard

from tests.bench.ingest import Stack, drive, select_for, stored_bytes

QUESTION_BYTES, ANSWER_BYTES = 600, 1400


class Prose:
    """Invented prose that compresses as prose does (to 45 %)."""

    def __init__(self):
        self.rng = random.Random(7)
        letters = "etaoinshrdlucmfwypvbgk"
        weights = range(len(letters), 0, -1)
        self.words = [
            "".join(self.rng.choices(letters, weights=weights, k=self.rng.randint(2, 11))) for _ in range(6000)
        ]
        self.weights = [1 / rank for rank in range(1, len(self.words) + 1)]

    def text(self, size):
        return " ".join(self.rng.choices(self.words, self.weights, k=size // 5))[:size]


def conversation_of(name, turns, prose):
    """The turns of one conversation: question, answer, and when."""
    moments = [f"2026-11-20T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z" for n in range(0, 10 * turns, 10)]
    return [
        (name, number, prose.text(QUESTION_BYTES), prose.text(ANSWER_BYTES), at) for number, at in enumerate(moments)
    ]


def events_of(turn):
    """A turn as events of our own: two messages and a call."""
    name, number, question, answer, at = turn
    about = {"conversation": name, "at": at}
    usage = {"input_tokens": 500 * (number + 1), "output_tokens": 350}
    return [
        {"type": "message", "id": f"q{number}", "role": "user", "content": question, **about, "sequence": 4 * number},
        {"type": "request", "id": f"r{number}", "model": "claude", "usage": usage, **about, "sequence": 4 * number + 1},
        {
            "type": "message",
            "id": f"a{number}",
            "role": "assistant",
            "content": answer,
            **about,
            "sequence": 4 * number + 2,
        },
    ]


def exchanges_of(conversation):
    """Its calls as exchanges with the Messages API, each with everything said so far."""
    history = []
    for name, number, question, answer, at in conversation:
        history.append({"role": "user", "content": question})
        request = {"model": "claude-sonnet-5-5", "max_tokens": 4096, "messages": list(history)}
        content = [{"type": "text", "text": answer}]
        response = {
            "id": f"msg_{name}_{number}", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
            "content": content, "stop_reason": "end_turn",
            "usage": {"input_tokens": 500 * (number + 1), "output_tokens": 350},
        }  # fmt: skip
        yield json.dumps({"exchanges": [{"conversation": name, "at": at, "request": request, "response": response}]})
        history.append({"role": "assistant", "content": content})


def rows_of(connection):
    """Rows in all our tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'conversations%'")
        counts = Counter()
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 -- names of our tables
            counts[name] = cursor.fetchone()[0]
    return counts


class Measured:
    """Rows, bytes and CPU of what is done in the `with` block, until all of it is digested."""

    def __init__(self, stack, connection):
        self.stack, self.connection = stack, connection

    def __enter__(self):
        self._before = (rows_of(self.connection), stored_bytes(self.connection), self.stack.cpu())
        self._own, self._start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_):
        from conversations.models import Batch  # noqa: PLC0415 -- the stack has set the environment

        while Batch.objects.pending().exists():
            select_for(0.05)
        self.seconds = time.perf_counter() - self._start
        self.cpu = self.stack.cpu()
        self.cpu["this program"] += time.process_time() - self._own
        self.cpu.subtract(self._before[2])
        self.tables = rows_of(self.connection)
        self.tables.subtract(self._before[0])
        self.rows = self.tables.total()
        now = stored_bytes(self.connection)
        self.kept, self.raw = now[0] - self._before[1][0], now[1] - self._before[1][1]


def naive_bytes(connection, bodies):
    """Bytes of a table of every exchange as it came, compressed as our own raw bytes are."""
    compressor = zstandard.ZstdCompressor(level=1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_naive (id bigserial PRIMARY KEY, body bytea STORAGE EXTERNAL)")
        for body in bodies:
            cursor.execute("INSERT INTO bench_naive (body) VALUES (%s)", [compressor.compress(body)])
        cursor.execute("SELECT pg_total_relation_size('bench_naive')")
        size = cursor.fetchone()[0]
        cursor.execute("DROP TABLE bench_naive")
    return size


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=5)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--port", type=int, default=8792)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="observatory-bench-") as folder:
        stack = Stack(Path(folder), options.port)
        try:
            stack.wait_until_ready()
            measure(stack, options)
        finally:
            stack.stop()


def measure(stack, options):
    import django  # noqa: PLC0415 -- the stack has set the environment

    django.setup()
    from django.db import connection  # noqa: PLC0415 -- as above

    from conversations.models import Workspace  # noqa: PLC0415
    from conversations.people.keys import create_api_key  # noqa: PLC0415

    _, key = create_api_key(workspace=Workspace.objects.earliest("pk"), name="bench", scopes=["ingest"])
    prose = Prose()
    said = [conversation_of(f"conversation-{n}", options.turns, prose) for n in range(options.conversations)]
    once = [json.dumps({"events": events_of(turn)}).encode() for each in said for turn in each]
    full = [body.encode() for each in said for body in exchanges_of(each)]
    with Measured(stack, connection) as events:
        sent(drive(options.port, key, once, 1))
    with Measured(stack, connection) as exchanges:
        sent(drive(options.port, key, full, 1, "/api/v1/exchanges"))
    expected = {"conversations_message": 2 * len(full), "conversations_request": len(full)}
    found = {name: exchanges.tables[name] for name in expected}
    if found != expected or exchanges.tables["conversations_compaction"]:
        sys.exit(f"Not everything arrived: {dict(exchanges.tables)}")
    report(events, exchanges, full, naive_bytes(connection, full))


def sent(answers):
    statuses = Counter(status for status, _ in answers)
    if set(statuses) != {207}:
        sys.exit(f"Not everything was taken: {dict(statuses)}")


def report(events, exchanges, full, naive):
    count = len(full)
    print(f"{count:,} exchanges of {sum(map(len, full)) / count:,.0f} bytes on average")
    for name, way in (("once, as events", events), ("as exchanges", exchanges)):
        print(f"{name:<18} {way.rows:>7,} rows   {way.kept:>12,} bytes   {way.raw:>12,} raw until purged")
    print(f"{'every exchange':<18} {count:>7,} rows   {naive:>12,} bytes   compressed, in a plain table")
    both = (exchanges.kept + exchanges.raw) / (events.kept + events.raw)
    print(f"exchanges to once: {exchanges.rows / events.rows:.2f} times the rows, {both:.2f} times the bytes;")
    print(f"every exchange kept as it is takes {naive / (exchanges.kept + exchanges.raw):.1f} times the bytes of that")
    print(f"{count / exchanges.seconds:,.0f} exchanges/s, {sum(map(len, full)) / exchanges.seconds / 1e6:,.1f} MB/s")
    for name, seconds in exchanges.cpu.most_common():
        if seconds > 0.005 * exchanges.seconds:
            print(f"CPU {name:<20} {1000 * seconds / count:.2f} ms an exchange")
    print(f"CPU {'in all':<20} {1000 * sum(exchanges.cpu.values()) / count:.2f} ms an exchange")
    print(f"CPU {'of a turn once':<20} {1000 * sum(events.cpu.values()) / count:.2f} ms, as events")
    print({name: rows for name, rows in exchanges.tables.items() if rows})


if __name__ == "__main__":
    main()
