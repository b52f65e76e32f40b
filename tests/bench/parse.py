"""How fast transcripts and batches are parsed, on one core and without a database.

    python -m tests.bench.parse [FILE.jsonl] [--megabytes 55]

The file (by default the recordings of tests/data) is repeated under new ids until it is as large as asked for. The
figures are CPU seconds of this process; the ratio to a bare `json.loads` of every line tells machines apart.
"""

import argparse
import json
import re
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from conversations.ingest.events import MessageEvent, Problem, Text
from conversations.ingest.formats import parse_file
from conversations.ingest.formats.native import decode_batch

DATA = Path(__file__).parents[1] / "data"
RECORDINGS = [DATA / "claude_code" / "2.1.330.jsonl", DATA / "codex" / "0.169.0-local.jsonl"]
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LINK = re.compile(rb'"uuid":"([^"]+)"')
KEPT = re.compile(rb'"(?:sessionId|session_id)":"([0-9a-f-]{36})"')
BATCHES = 200
EVENTS = 100


def repeat(path: Path, target: Path, size: int) -> None:
    """The file again and again, every id but the session's new each time, so that it stays one conversation: the first
    record of each copy hangs on the last of the one before, or it would be a rewind to the beginning."""
    body = path.read_bytes()
    session = KEPT.search(body)
    kept = {session.group(1)} if session else set()
    body = body if body.endswith(b"\n") else body + b"\n"
    last = b"null"
    with target.open("wb") as stream:
        while stream.tell() < size:
            copy = UUID.sub(_renamed(kept), body).replace(b"msg_", b"msg_%x" % stream.tell())
            stream.write(copy.replace(b'"parentUuid":null', b'"parentUuid":' + last))
            last = next((b'"%s"' % link for link in reversed(LINK.findall(copy))), last)


def _renamed(kept: set[bytes]) -> Callable[[re.Match[bytes]], bytes]:
    salt = uuid.uuid4()

    def renamed(match: re.Match[bytes]) -> bytes:
        return match.group() if match.group() in kept else str(uuid.uuid5(salt, match.group().decode())).encode()

    return renamed


def seconds(work: Iterator[object]) -> tuple[float, int]:
    """CPU seconds for going through it, and how many there were."""
    start, count = time.process_time(), 0
    for _ in work:
        count += 1
    return time.process_time() - start, count


def bare(path: Path) -> Iterator[object]:
    with path.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


def bench_file(path: Path, megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder) / "big.jsonl"
        repeat(path, big, megabytes * 1_000_000)
        size = big.stat().st_size / 1e6
        parsing, outputs = seconds(parse_file(big).outputs)
        problems = sum(isinstance(output, Problem) for output in parse_file(big).outputs)
        decoding, lines = seconds(bare(big))
    print(f"{path.name}: {size:.0f} MB, {lines:,} lines, {outputs:,} events, {problems} problems")
    ratio = decoding / parsing
    print(f"  parse {size / parsing:6.1f} MB/s   bare json.loads {size / decoding:6.1f} MB/s   ratio {ratio:.2f}")


def bench_batches() -> None:
    """100 events of 4 KB a batch, as a recorder sends them."""
    events = [
        MessageEvent(id=f"m{number}", conversation="c", role="user", content=[Text("word " * 800)])
        for number in range(EVENTS)
    ]
    body = msgspec.json.encode({"events": events})
    decoding, _ = seconds(decode_batch(body) for _ in range(BATCHES))
    count = BATCHES * EVENTS
    each = f"{decoding / count * 1000:.4f} CPU ms an event of {len(body) // EVENTS:,} bytes"
    print(f"event log: {count / decoding:,.0f} events/s, {each}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", type=Path, default=RECORDINGS)
    arguments.add_argument("--megabytes", type=int, default=55)
    options = arguments.parse_args()
    for path in options.files:
        bench_file(path, options.megabytes)
    bench_batches()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
