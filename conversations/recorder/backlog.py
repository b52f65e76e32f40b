"""What could not be sent: files that outlive the program, only its owner's to read, or memory without a disk.

Programs on one machine that send to one server with one key share a folder and may send each other's files. That one is
sent twice does no harm: the server knows an exchange by its id.
"""

import itertools
import logging
import os
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("observatory_recorder")

_ENDING = ".ndjson.gz"
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Payload:
    """A batch as it is sent, NDJSON in gzip, and how many exchanges are in it."""

    body: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A payload in the backlog; `path` None: it is in memory."""

    payload: Payload
    path: Path | None


class Backlog:
    """Oldest first, within a bound of bytes. One thread at a time."""

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._memory: deque[Payload] = deque()
        self._mine: set[Path] = set()
        self.is_empty = not _files(folder)  # as far as we know: looking is not for the lock that `accept` needs

    @property
    def folder(self) -> Path | None:
        """Where the files lie; None = in memory only."""
        return self._folder

    def put(self, payload: Payload) -> int:
        """Keep it. How many exchanges had to go for it."""
        self.is_empty = False
        if self._folder is not None:
            try:
                gone = self._make_room(self._folder, len(payload.body))
                self._mine.add(_write(self._folder, payload))
            except OSError as error:
                log.warning("%s cannot be written (%s): what waits is kept in memory only.", self._folder, error)
                self._folder = None
            else:
                return gone
        return self._put_in_memory(payload)

    def oldest(self) -> Kept | None:
        """The next to be sent; it stays until it is removed."""
        if self._memory:
            return Kept(self._memory[0], None)
        files = _files(self._folder)
        self._mine.intersection_update(files)
        for path in files:
            try:
                return Kept(Payload(path.read_bytes(), _count_of(path)), path)
            except FileNotFoundError:  # another program has sent it
                continue
            except OSError as error:
                log.warning("%s cannot be read (%s) and is left where it is.", path, error)
        self.is_empty = True
        return None

    def remove(self, kept: Kept) -> None:
        """It was sent, or will never be."""
        if kept.path is None:
            if self._memory and self._memory[0] is kept.payload:  # else it had to go while it was sent
                self._memory.popleft()
        else:
            self._mine.discard(kept.path)
            kept.path.unlink(missing_ok=True)
        self.is_empty = not self._memory and not _files(self._folder)

    def holds_mine(self) -> bool:
        """Something of this program waits."""
        return bool(self._memory or self._mine)

    def in_memory(self) -> int:
        """How many exchanges the end of the program would lose."""
        return sum(payload.count for payload in self._memory)

    def forget(self) -> None:
        """This is the child of a fork: what waits is the parent's."""
        self._memory.clear()
        self._mine.clear()

    def _put_in_memory(self, payload: Payload) -> int:
        self._memory.append(payload)
        gone = 0
        while sum(len(waiting.body) for waiting in self._memory) > self._most:
            gone += self._memory.popleft().count
        return gone

    def _make_room(self, folder: Path, size: int) -> int:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = [(path, _size(path)) for path in _files(folder)]
        total, gone = size + sum(held for _, held in files), 0
        for path, held in files:
            if total <= self._most:
                break
            path.unlink(missing_ok=True)
            self._mine.discard(path)
            total, gone = total - held, gone + _count_of(path)
        return gone


def _write(folder: Path, payload: Payload) -> Path:
    """Under a name that sorts by time; whole or not at all."""
    name = f"{time.time_ns():020d}-{os.getpid()}-{next(_serial)}-{payload.count}{_ENDING}"
    unfinished, path = folder / f".{name}", folder / name
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(payload.body)
    unfinished.rename(path)
    return path


def _files(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    try:
        paths = [path for path in folder.iterdir() if path.name.endswith(_ENDING) and path.name[0] != "."]
    except OSError:  # there is none yet
        return []
    return sorted(paths)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _count_of(path: Path) -> int:
    count = path.name.removesuffix(_ENDING).rpartition("-")[2]
    return int(count) if count.isdigit() else 1
