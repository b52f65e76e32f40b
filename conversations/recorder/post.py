"""One request to the server and what its answer means: taken, to be tried later, refused, or set up wrongly."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import IO, Any

from .version import VERSION

_UNCHANGED = 304
_LATER = frozenset({408, 425, 429})
_SET_UP_WRONGLY = frozenset({401, 403, 404, 405})
_MOST_READ = 16 * 1024 * 1024  # bytes of an answer; a receipt has some 100 an exchange
_LONGEST_WAIT = 600.0  # seconds that a server may ask us to stay away


class Verdict(Enum):
    """What to do with what was sent."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"  # the content: it would be refused again
    WRONG = "wrong"  # the address or the key: everything would be refused until someone mends it


@dataclass(frozen=True, slots=True)
class Answer:
    """`told` explains it to people; `wait` in seconds where the server named a time; `body` of a receipt."""

    verdict: Verdict
    told: str = ""
    wait: float | None = None
    body: dict[str, Any] = field(default_factory=dict)
    etag: str = ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET, and may carry the key elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


Body = bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Server:
    """Where an Observatory listens, and a key that may send to it."""

    url: str
    key: str = field(repr=False)
    timeout: float = 10.0  # seconds for one request

    def post(self, path: str, body: Body, **headers: str) -> Answer:
        """Never raises for what the network or the server does. `body` a file: it is sent as it is read."""
        return self._ask(path, body, headers)

    def get(self, path: str, **headers: str) -> Answer:
        """As `post`. What is unchanged by its ETag is taken, with an empty body."""
        return self._ask(path, None, headers)

    def _ask(self, path: str, body: Body | None, headers: dict[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", body, self._headers | named)  # noqa: S310 -- http(s): url_and_key
        try:
            with self._open(request) as response:
                return _of_success(response.status, response.read(_MOST_READ), response.headers.get("ETag", ""))
        except urllib.error.HTTPError as error:
            with error:
                return _of_error(error)
        except (OSError, ValueError, EOFError) as error:  # refused, reset, timed out, TLS, half an answer
            return Answer(Verdict.LATER, f"{self.url} cannot be reached: {getattr(error, 'reason', error)!r}")
        except Exception as error:  # noqa: BLE001 -- http.client has errors of its own kind for answers that are none
            return Answer(Verdict.LATER, f"{self.url} does not speak HTTP: {error!r}")

    def _open(self, request: urllib.request.Request) -> Any:
        return urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "User-Agent": f"observatory-recorder/{VERSION}"}


def _of_success(status: int, body: bytes, etag: str) -> Answer:
    try:
        receipt = json.loads(body)
    except ValueError:
        receipt = None
    if isinstance(receipt, dict):
        return Answer(Verdict.TAKEN, body=receipt, etag=etag)
    return Answer(Verdict.WRONG, f"The server answered {status}, but not as an Observatory does: is the address right?")


def _of_error(error: urllib.error.HTTPError) -> Answer:
    if error.code == _UNCHANGED:
        return Answer(Verdict.TAKEN)
    told = f"The server answered {error.code}{_explained(error)}"
    if error.code in _LATER or error.code >= 500:  # noqa: PLR2004 -- the server's own trouble
        return Answer(Verdict.LATER, told, _wait(error.headers.get("Retry-After")))
    if error.code in _SET_UP_WRONGLY:
        return Answer(Verdict.WRONG, told)
    if location := error.headers.get("Location"):
        return Answer(Verdict.WRONG, f"{told} and sends us to {location}: use that address")
    return Answer(Verdict.REFUSED, told)


def _explained(error: urllib.error.HTTPError) -> str:
    """The server's own words about an error, where it has any."""
    try:
        body = json.loads(error.read(_MOST_READ))
        said = body["error"]
        return f": {said['message']} {said.get('mend', '')}".rstrip()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f" ({error.reason})"


def _wait(retry_after: str | None) -> float | None:
    """Seconds, from a number or a date; None where neither can be read."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
