"""How many requests a key may make: a token bucket a key.

Each web process counts for itself: with n processes a key may reach n times the rate. A count they share would cost a
write a request, which is more than the request it guards; the limit is there to stop a runaway client, not to bill.
"""

import threading
import time
from dataclasses import dataclass

from django.conf import settings

from conversations.errors import OverRate

_lock = threading.Lock()
_buckets: dict[int, "Bucket"] = {}


@dataclass(slots=True)
class Bucket:
    """Tokens left at `at` (seconds of a monotonic clock)."""

    tokens: float
    at: float

    def take(self, now: float, rate: int) -> bool:
        """Take a token if there is one; `rate` come back a second, and at most as many are kept."""
        self.tokens = min(float(rate), self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def check_rate(key_id: int) -> None:
    """Raises OverRate if the key made more requests than OBSERVATORY_MAX_REQUESTS_PER_SECOND allows."""
    rate = settings.MAX_REQUESTS_PER_SECOND
    now = time.monotonic()
    with _lock:
        bucket = _buckets.setdefault(key_id, Bucket(rate, now))
        if bucket.take(now, rate):
            return
    raise OverRate(
        f"This key makes more than {rate:,} requests a second.",
        mend="Wait a second. Send more events a request: one request takes thousands.",
    )


def forget() -> None:
    """Start anew; for tests."""
    with _lock:
        _buckets.clear()
