"""What came of sending one message, and when to try again. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: 30 s, 1 min, 2, 4, … up to 1 h between attempts: 12 of them take five and a half hours.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
MOST_ATTEMPTS = 12
#: A receiver may ask to be left alone for so long.
LONGEST_ASKED_WAIT = timedelta(days=1)
_JITTER = 0.25  # of the wait, to either side

OK = range(200, 300)
REDIRECTS = range(300, 400)
GONE = 410
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The receiver has it not, as far as we know."""

    reason: str  # one sentence for people, without any part of the address that may be secret
    wait: timedelta | None = None  # the receiver asked for
    is_final: bool = False  # trying again would not help before somebody mends the channel
    is_gone: bool = False  # the receiver wants nothing more: the channel is switched off


Result = Sent | Failed


def result_of_status(status: int, retry_after: str, now: datetime, location: str = "") -> Result:
    """What an HTTP status means. `location` is the host a redirect points to, for telling."""
    if status in OK:
        return Sent()
    if status in REDIRECTS:
        where = f" to {location}" if location else ""
        return Failed(f"It answered {status}, a redirect{where}. Redirects are not followed.", is_final=True)
    if status == GONE:
        return Failed("It answered 410: the receiver wants nothing more.", is_final=True, is_gone=True)
    wait = asked_wait(retry_after, now)
    if status == TOO_MANY:
        return Failed("It answered 429: too many messages.", wait=wait)
    return Failed(f"It answered {status}.", wait=wait)


def asked_wait(retry_after: str, now: datetime) -> timedelta | None:
    """What a `Retry-After` asks for, in seconds or as a date; None where it says nothing that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), LONGEST_ASKED_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_ASKED_WAIT)


def wait_after(attempts: int, seed: str) -> timedelta:
    """How long to wait after so many attempts (from 1). `seed`, the message's key, spreads those that failed
    together: up to a quarter earlier or later, and always the same for the same message."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
    digest = hashlib.blake2b(f"{seed} {attempts}".encode(), digest_size=4).digest()
    return wait * (1 + _JITTER * (int.from_bytes(digest) / 2**31 - 1))
