"""The bounded buffer between the agent's threads and ours. Its owner holds the lock."""

import time
from collections import deque

from .limits import Limits
from .seen import Seen


class Buffer:
    """Oldest first. When it is over its bounds the oldest go."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[float, Seen]] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, seen: Seen) -> int:
        """How many had to go for it, itself included where it alone is too large."""
        self._waiting.append((time.monotonic(), seen))
        self.bytes += seen.size
        gone = 0
        while self.bytes > self._limits.buffer_bytes or len(self._waiting) > self._limits.buffer_count:
            self._next()
            gone += 1
        return gone

    def ready_in(self) -> float | None:
        """Seconds until the next batch should be taken; None while there is nothing."""
        if not self._waiting:
            return None
        if self.bytes >= self._limits.batch_bytes or len(self._waiting) >= self._limits.batch_count:
            return 0.0
        return max(0.0, self._waiting[0][0] + self._limits.linger - time.monotonic())

    def take(self) -> list[Seen]:
        """The next batch: at least one, as long as there are any."""
        batch: list[Seen] = []
        size = 0
        while self._waiting and len(batch) < self._limits.batch_count:
            size += self._waiting[0][1].size
            if batch and size > self._limits.batch_bytes:
                break
            batch.append(self._next())
        return batch

    def _next(self) -> Seen:
        seen = self._waiting.popleft()[1]
        self.bytes -= seen.size
        return seen
