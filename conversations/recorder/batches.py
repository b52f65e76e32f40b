"""The Batches API: what was asked is kept until the results are fetched, then each result is told with its request.

Results come hours later, often to another program: on disk what was asked outlives this one. In memory only where
there is no disk.
"""

import gzip
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .labels import Labels
from .routes import BATCHES, RESULTS, Route
from .seen import Seen
from .wire import without_secrets

log = logging.getLogger("observatory_recorder")

_OK = 200
_KEPT = 30 * 24 * 3600  # seconds; results are there for 29 days
_ENDING = ".asked.gz"


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch as it was created: the parameters of each request by its custom_id."""

    labels: dict[str, str]
    provider: str
    betas: str
    started: float
    requests: dict[str, dict[str, Any]]


class Batches:
    """Turns what was seen of batches into exchanges. One thread at a time."""

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._memory: dict[str, bytes] = {}
        self._complained = False

    def exchanges(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        """Everything as it is, except of batches: their creation is kept, their results become exchanges."""
        for each in seen:
            if each.route.endpoint not in (BATCHES, RESULTS):
                yield each
                continue
            try:
                yield from self._told(each) if each.route.endpoint == RESULTS else self._keep(each)
            except Exception:  # one batch must not cost what else was recorded
                log.warning("A batch could not be recorded.", exc_info=True)

    def _keep(self, seen: Seen) -> Iterator[Seen]:
        """Nothing is told yet."""
        answer = _object(_decoded(seen)) if seen.status == _OK else {}
        created = _object(seen.request)
        if isinstance(answer.get("id"), str) and isinstance(created.get("requests"), list):
            requests = {str(each["custom_id"]): without_secrets(each["params"]) for each in created["requests"]}
            asked = Asked(seen.labels.said(), seen.provider, seen.betas, seen.started, requests)
            self._store(answer["id"], gzip.compress(json.dumps(asdict(asked)).encode(), 1))
        return iter(())

    def _told(self, seen: Seen) -> Iterator[Seen]:
        asked = self._asked(seen.route.batch) if seen.status == _OK else None
        if asked is None:
            self._complain(seen)
            return
        for line in _decoded(seen).splitlines():
            result = _object(line)
            params = asked.requests.get(str(result.get("custom_id")))
            if params is not None:
                yield _exchange(seen, asked, params, line, str(result["custom_id"]))

    def _complain(self, seen: Seen) -> None:
        if seen.status == _OK and not self._complained:
            self._complained = True
            log.warning("The results of batch %s are not recorded: nobody here knows its requests.", seen.route.batch)

    # --- where they are kept ------------------------------------------------------------------------------------------

    def _store(self, batch: str, packed: bytes) -> None:
        if self._folder is not None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(self._folder / f"{_name(batch)}{_ENDING}", packed)
                self._make_room(self._folder)
            except OSError as error:
                log.warning("%s cannot be written (%s): batches are kept in memory only.", self._folder, error)
            else:
                return
        self._memory[batch] = packed
        while sum(map(len, self._memory.values())) > self._most:
            self._memory.pop(next(iter(self._memory)))

    def _asked(self, batch: str) -> Asked | None:
        packed = self._memory.get(batch)
        if packed is None and self._folder is not None:
            path = self._folder / f"{_name(batch)}{_ENDING}"
            packed = path.read_bytes() if path.exists() else None
        return None if packed is None else Asked(**json.loads(gzip.decompress(packed)))

    def _make_room(self, folder: Path) -> None:
        """Without those whose results are gone, and within the bound: the newest stay."""
        files = sorted(((path.stat(), path) for path in folder.glob(f"*{_ENDING}")), key=lambda pair: -pair[0].st_mtime)
        total = 0
        for told, path in files:
            total += told.st_size
            if total > self._most or time.time() - told.st_mtime > _KEPT:
                path.unlink(missing_ok=True)


def _exchange(seen: Seen, asked: Asked, params: dict[str, Any], result: bytes, name: str) -> Seen:
    """Its id is the same whoever fetches the results, and how often. A batch of several requests is several talks."""
    labels = Labels(**asked.labels)
    return replace(
        seen,
        id=hashlib.sha256(f"{seen.route.batch}\n{name}".encode()).hexdigest()[:32],
        route=Route(BATCHES),
        labels=labels if len(asked.requests) == 1 else replace(labels, conversation="", title=""),
        provider=asked.provider,
        betas=asked.betas,
        started=asked.started,
        request=json.dumps({"custom_id": name, "params": params}).encode(),
        answer=result,
        kind="application/json",
        decode=None,
        failure="",
    )


def _decoded(seen: Seen) -> bytes:
    return seen.decode(seen.answer) if seen.decode else seen.answer


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:  # the last line of results that nobody read to their end
        return {}
    return value if isinstance(value, dict) else {}


def _name(batch: str) -> str:
    return hashlib.sha256(batch.encode()).hexdigest()[:24]


def _write(path: Path, packed: bytes) -> None:
    """Only its owner's to read; whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(packed)
    unfinished.replace(path)
