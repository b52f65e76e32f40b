"""Session files to the server: when one is worth sending, what was sent of it, and the sending itself."""

import gzip
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote

from .post import Answer, Server, Verdict

try:
    import fcntl
except ImportError:  # Windows: two at once send the same file twice, which changes nothing
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("observatory_recorder")

GREW_BY = (
    1.25  # a turn's end sends when the file is this much longer: all sendings together are 5 times its length at most
)
_PIECE = 1024 * 1024
_LEFT_BEHIND = 5  # other sessions' files that are tried again along with one


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered of a session file. `due`: send it as soon as it grew at all, or could not be sent."""

    path: str
    size: int = 0
    due: bool = True


class Ledger:
    """What was sent of which file, in one small file each; one process at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, path: Path) -> Sent:
        """Of a file that is not known: nothing yet."""
        try:
            return Sent(**json.loads(self._place(path).read_text()))
        except (OSError, ValueError, TypeError):
            return Sent(str(path))

    def note(self, sent: Sent) -> None:
        """Remember it, whole or not at all."""
        place = self._place(Path(sent.path))
        unfinished = place.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(asdict(sent)))
        unfinished.replace(place)

    def due(self) -> list[Path]:
        """Files that could not be sent when they should have been."""
        known = [self._read(place) for place in sorted(self._folder.glob("*.json"))]
        return [Path(sent.path) for sent in known if sent is not None and sent.due and Path(sent.path).exists()]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Others wait until this block ends."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, place: Path) -> Sent | None:
        try:
            return Sent(**json.loads(place.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _place(self, path: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.json"


def is_worth_sending(event: str, size: int, sent: Sent) -> bool:
    """A compaction that is done and a session's end send whatever is new; the rest only what is new, or much more."""
    if size < sent.size:  # written anew
        return True
    if event in ("PostCompact", "SessionEnd") or sent.due:
        return size > sent.size
    return size >= sent.size * GREW_BY


def ship(server: Server, ledger: Ledger, event: str, transcript: Path) -> list[Answer]:
    """Send the session's file, those of its subagents, and what earlier could not be sent. What the server answered."""
    with ledger.alone():
        files = [transcript, *sorted(transcript.with_suffix("").glob("subagents/*.jsonl"))]
        answers = [_ship_one(server, ledger, event, file) for file in files if file.is_file()]
        if all(answer is None or answer.verdict is not Verdict.LATER for answer in answers):
            left = [path for path in ledger.due() if path not in files][:_LEFT_BEHIND]
            answers += [_ship_one(server, ledger, "", path) for path in left]
    return [answer for answer in answers if answer is not None]


def _ship_one(server: Server, ledger: Ledger, event: str, file: Path) -> Answer | None:
    sent, size = ledger.of(file), file.stat().st_size
    if not is_worth_sending(event, size, sent):
        return None
    answer = upload(server, file)
    if answer.verdict in (Verdict.TAKEN, Verdict.REFUSED):
        # What follows a compaction tells what it left behind: the turn after it is sent too.
        ledger.note(Sent(str(file), size, due=event == "PostCompact"))
    else:
        ledger.note(replace(sent, due=True))
    if answer.verdict is not Verdict.TAKEN:
        log.warning("%s was not sent: %s", file, answer.told)
    return answer


def upload(server: Server, file: Path) -> Answer:
    """The whole lines of a session file, compressed on the way; the server digests what is new of them."""
    with TemporaryFile() as body:
        _compress(file, body)
        length = str(body.tell())
        body.seek(0)
        headers = {"Content_Type": "application/octet-stream", "Content_Encoding": "gzip", "Content_Length": length}
        return server.post(f"/api/v1/transcripts?name={quote(file.name)}", body, **headers)


def _compress(file: Path, body: IO[bytes]) -> None:
    """Up to the last line end: the tool may be writing a line just now."""
    with file.open("rb") as source, gzip.GzipFile(fileobj=body, mode="wb", compresslevel=6, mtime=0) as packed:
        rest = b""
        while piece := source.read(_PIECE):
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            packed.write(whole + newline)
