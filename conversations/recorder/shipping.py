"""Batches to the server, one after the other; while it is away, to the backlog. One thread runs it."""

import gzip
import logging
import random
import time
from collections.abc import Iterable

from .backlog import Backlog, Payload
from .limits import Counts, Limits
from .post import Answer, Server, Verdict
from .seen import Seen
from .wire import Unreadable, line_of

log = logging.getLogger("observatory_recorder")

_PATH = "/api/v1/exchanges"
_QUICK = 1  # gzip's level: 4 times as fast as its default for 15 % more bytes


class Shipper:
    """Sends what it is given, keeps what it could not send, and knows when to try again."""

    def __init__(self, server: Server, backlog: Backlog, limits: Limits, counts: Counts) -> None:
        self._server, self._limits, self._counts = server, limits, counts
        self.backlog = backlog
        self._failures = 0
        self._resume_at = 0.0  # monotonic; before it the server is left in peace
        self._told: set[str] = set()

    @property
    def is_away(self) -> bool:
        """The server failed, and it is too early to try again."""
        return time.monotonic() < self._resume_at

    def ready_in(self) -> float | None:
        """Seconds until something of the backlog should be sent; None while there is nothing."""
        return None if self.backlog.is_empty else max(0.0, self._resume_at - time.monotonic())

    def ship(self, batch: Iterable[Seen]) -> None:
        """Send a new batch, or keep it behind what waits already."""
        payload = self.pack(batch)
        if not payload.count:
            return
        waits = self.is_away or not self.backlog.is_empty
        if waits or not self._send(payload):
            self.keep(payload)

    def catch_up(self) -> None:
        """Send the oldest of the backlog."""
        kept = self.backlog.oldest()
        if kept is not None and self._send(kept.payload):
            self.backlog.remove(kept)

    def keep(self, payload: Payload) -> None:
        """To the backlog."""
        self._counts.dropped += self.backlog.put(payload)

    def restarted(self) -> Counts:
        """In the child of a fork: nothing was sent or counted yet."""
        self._counts = Counts()
        self.backlog.forget()
        return self._counts

    def pack(self, batch: Iterable[Seen]) -> Payload:
        """The batch as it would be sent."""
        return _packed(list(self._lines(batch)))

    def _lines(self, batch: Iterable[Seen]) -> Iterable[bytes]:
        for seen in batch:
            try:
                yield line_of(seen)
            except Unreadable:
                self._counts.unreadable += 1
                self._tell("A request with a body that is no JSON object was not recorded.")
            except Exception:  # one exchange must not cost the others
                self._counts.unreadable += 1
                log.warning("An exchange could not be recorded.", exc_info=True)

    # --- what the server makes of it ----------------------------------------------------------------------------------

    def _send(self, payload: Payload) -> bool:
        """Whether it is settled: taken, or refused for good."""
        headers = {"Content_Type": "application/x-ndjson", "Content_Encoding": "gzip"}
        answer = _checked(self._server.post(_PATH, payload.body, **headers))
        if answer.verdict is Verdict.TAKEN:
            self._taken(payload.count, answer.body["results"])
            return True
        if answer.verdict is Verdict.REFUSED:
            self._refused(payload, answer)
            return True
        self._failed(answer)
        return False

    def _taken(self, count: int, results: list[dict[str, str]]) -> None:
        if self._failures:
            log.info("The Observatory answers again.")
        self._failures, self._resume_at = 0, 0.0
        self._told -= {Verdict.LATER.value, Verdict.WRONG.value}
        rejected = [result for result in results if result.get("status") == "rejected"]
        self._counts.delivered += count - len(rejected)
        for result in rejected:
            self._rejected(result.get("code", ""), result.get("message", ""))

    def _refused(self, payload: Payload, answer: Answer) -> None:
        """One of them is at fault: halves are sent until it is alone."""
        if payload.count <= 1:
            self._rejected("refused", answer.told)
            return
        lines = gzip.decompress(payload.body).splitlines()
        middle = len(lines) // 2
        self.keep(_packed(lines[:middle]))
        self.keep(_packed(lines[middle:]))

    def _rejected(self, code: str, message: str) -> None:
        self._counts.rejected += 1
        self._counts.reasons[code] = self._counts.reasons.get(code, 0) + 1
        self._tell(f"The Observatory could not take an exchange ({code}): {message}", key=f"rejected {code}")

    def _failed(self, answer: Answer) -> None:
        self._failures += 1
        if answer.verdict is Verdict.WRONG:
            pause = self._limits.wrong_pause
        else:
            pause = min(self._limits.longest_pause, self._limits.first_pause * 2 ** min(self._failures - 1, 16))
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 -- so that many agents do not come back at once
        self._resume_at = time.monotonic() + (answer.wait if answer.wait is not None else pause * jitter)
        where = self.backlog.folder or "memory"
        self._tell(
            f"{answer.told}. Calls go on unhindered; what is recorded waits in {where}.", key=answer.verdict.value
        )

    def _tell(self, message: str, *, key: str = "") -> None:
        """Once; that the server is away, once each time."""
        if (key or message) not in self._told:
            self._told.add(key or message)
            log.warning("%s", message)


def _checked(answer: Answer) -> Answer:
    results = answer.body.get("results")
    is_receipt = isinstance(results, list) and all(isinstance(result, dict) for result in results)
    if answer.verdict is not Verdict.TAKEN or is_receipt:
        return answer
    return Answer(Verdict.WRONG, "The server took it, but did not say what became of it: is the address right?")


def _packed(lines: list[bytes]) -> Payload:
    return Payload(gzip.compress(b"\n".join(lines), _QUICK, mtime=0), len(lines))
