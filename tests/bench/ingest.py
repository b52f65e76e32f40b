"""How many small events a second are accepted and digested: `python -m tests.bench.ingest [--events N]`.

Starts the real stack (`manage.py up`) in a folder of its own, sends batches of 100 events of 4 kB over keep-alive
connections, waits until every one is a row, and prints rates, ratios to a raw COPY of the same rows and to a bare JSON
parse, CPU time by process, and bytes stored. Everything runs on this machine, this program included.
"""

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BATCH = 100
EVENT_BYTES = 4000
CONVERSATIONS = 20
TICKS = os.sysconf("SC_CLK_TCK")


def batches_of(events):
    """Bodies of batches: messages of invented prose that compresses as prose does (to 45 %)."""
    rng = random.Random(7)
    letters = "etaoinshrdlucmfwypvbgk"
    words = [
        "".join(rng.choices(letters, weights=range(len(letters), 0, -1), k=rng.randint(2, 11))) for _ in range(6000)
    ]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    bodies = []
    for number in range(events // BATCH):
        conversation, start = f"conversation-{number % CONVERSATIONS}", number // CONVERSATIONS * BATCH
        bodies.append(
            json.dumps({"events": [_event(conversation, start + i, rng, words, weights) for i in range(BATCH)]})
        )
    return [body.encode() for body in bodies]


def _event(conversation, number, rng, words, weights):
    text = " ".join(rng.choices(words, weights, k=EVENT_BYTES // 5))[: EVENT_BYTES - 150]
    role = "assistant" if number % 2 else "user"
    at = f"2026-11-20T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    event = {"type": "message", "id": f"m{number}", "conversation": conversation, "sequence": number, "at": at}
    return {**event, "role": role, "content": text}


class Stack:
    """`manage.py up` in a fresh folder, and the database it uses."""

    def __init__(self, folder, port):
        self.port = port
        os.environ.update(
            OBSERVATORY_DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="observatory.settings",
            OBSERVATORY_MAX_REQUESTS_PER_SECOND="100000", OBSERVATORY_LOG_LEVEL="WARNING",
        )  # fmt: skip
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "up", "--port", str(port)]
        self.log = (folder / "up.log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_until_ready(self):
        while self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            select_for(0.2)
        sys.exit((Path(self.log.name)).read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.log.close()

    def cpu(self):
        """Seconds of CPU by kind of process, children that ended included."""
        seconds = Counter()
        for pid in family(self.process.pid):
            try:
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            seconds["postgres" if "postgres" in name else name] += sum(map(int, fields[11:15])) / TICKS
        return seconds


def family(pid):
    """The process and all that descend from it, and the Postgres of its data folder."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    postmaster = int((Path(os.environ["OBSERVATORY_DATA_DIR"]) / "postgres/postmaster.pid").read_text().split()[0])
    found = {pid, postmaster}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def select_for(seconds):
    """Wait for a moment between two looks."""
    threading.Event().wait(seconds)


def drive(port, key, bodies, connections, path="/api/v1/events"):
    """Send every body; returns the answers' statuses and how long each took."""
    waiting, lock, answers = iter(bodies), threading.Lock(), []

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            answers.append((response.status, time.perf_counter() - start))

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def raw_copy_seconds(connection):
    """How long a plain COPY of the same rows into a table with the same indexes takes."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_copy (LIKE conversations_message INCLUDING ALL)")
        with cursor.copy("COPY conversations_message TO STDOUT (FORMAT BINARY)") as copy:
            rows = b"".join(bytes(piece) for piece in copy)
        start = time.perf_counter()
        with cursor.copy("COPY bench_copy FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(rows)
        seconds = time.perf_counter() - start
        cursor.execute("DROP TABLE bench_copy")
    return seconds


def parse_seconds(bodies):
    """How long a bare JSON parse takes."""
    start = time.perf_counter()
    for body in bodies:
        json.loads(body)
    return time.perf_counter() - start


def stored_bytes(connection):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE relname <> 'conversations_batchchunk'),"
            " sum(pg_total_relation_size(oid)) FILTER (WHERE relname = 'conversations_batchchunk')"
            " FROM pg_class WHERE relkind = 'r' AND relname LIKE 'conversations%'"
        )
        return cursor.fetchone()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--port", type=int, default=8791)
    options = parser.parse_args()
    bodies = batches_of(options.events)
    with tempfile.TemporaryDirectory(prefix="observatory-bench-") as folder:
        stack = Stack(Path(folder), options.port)
        try:
            stack.wait_until_ready()
            measure(stack, bodies, options)
        finally:
            stack.stop()


def measure(stack, bodies, options):
    import django  # noqa: PLC0415 -- the stack has set the environment

    django.setup()
    from django.db import connection  # noqa: PLC0415 -- as above

    from conversations.models import Batch, Message, Workspace  # noqa: PLC0415
    from conversations.people.keys import create_api_key  # noqa: PLC0415

    _, key = create_api_key(workspace=Workspace.objects.earliest("pk"), name="bench", scopes=["ingest"])
    before, kept_before = stack.cpu(), stored_bytes(connection)
    known, own = Message.objects.count(), time.process_time()
    start = time.perf_counter()
    answers = drive(options.port, key, bodies, options.connections)
    accepted = time.perf_counter() - start
    while Batch.objects.pending().exists():
        select_for(0.05)
    digested = time.perf_counter() - start
    used = stack.cpu()
    used.subtract(before)
    used["this program"] = time.process_time() - own
    events = len(bodies) * BATCH
    rows = Message.objects.count() - known
    statuses = Counter(status for status, _ in answers)
    if statuses != {207: len(bodies)} or rows != events:
        sys.exit(f"Not everything arrived: {dict(statuses)}, {rows:,} of {events:,} rows.")
    times = sorted(seconds for _, seconds in answers)
    print(f"{events:,} events in batches of {BATCH}, {sum(map(len, bodies)) / events:,.0f} bytes each")
    print(
        f"accepted            {events / accepted:>9,.0f} events/s   "
        f"a batch {1000 * times[len(times) // 2]:.0f} ms, p95 {1000 * times[int(len(times) * 0.95)]:.0f} ms"
    )
    print(f"accepted, digested  {events / digested:>9,.0f} events/s")
    copy, parse = raw_copy_seconds(connection), parse_seconds(bodies)
    print(f"raw COPY            {events / copy:>9,.0f} rows/s     {digested / copy:.1f} times as long as that")
    print(f"bare JSON parse     {events / parse:>9,.0f} events/s   {digested / parse:.1f} times as long as that")
    for name, seconds in used.most_common():
        if seconds > 0.005 * digested:
            print(f"CPU {name:<20} {1000 * seconds / events:.3f} ms an event")
    total = sum(used.values())
    print(
        f"CPU {'in all':<20} {1000 * total / events:.3f} ms an event: "
        f"at most {2 * events / total:,.0f} events/s on 2 cores"
    )
    now = stored_bytes(connection)
    print(
        f"stored              {(now[0] - kept_before[0]) / events:,.0f} bytes an event, "
        f"and {(now[1] - kept_before[1]) / events:,.0f} raw until they are purged"
    )


if __name__ == "__main__":
    main()
