"""Where calls are seen: at `send` of the HTTP client that one `anthropic` client has, below its retries."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from .delivery import Delivery
from .labels import Labels, labels_now
from .routes import provider_of, route_of
from .seen import Begun
from .shadows import Untappable, http_shadow, stream_shadow

log = logging.getLogger("observatory_recorder")


_MOST_STREAMED = 64 * 1024 * 1024  # bytes of one streamed answer that are kept; the rest is only passed on


class Follower:
    """Collects the pieces of one streamed answer and tells once, when it has ended, failed or been closed."""

    def __init__(self, tell: Callable[[bytes, str], None]) -> None:
        self._tell: Callable[[bytes, str], None] | None = tell  # never raises
        self._pieces: list[bytes] = []
        self._size = 0

    def piece(self, piece: bytes) -> None:
        """Keep it, up to a bound."""
        if self._size < _MOST_STREAMED:
            self._pieces.append(piece)
            self._size += len(piece)

    def ended(self, failure: str = "") -> None:
        """Tell what came, the first time; later calls do nothing."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(b"".join(self._pieces), failure)
            self._pieces = []


class Tap:
    """What the shadow of one client does with each request. Nothing it does may fail or hold up the call."""

    def __init__(self, labels: Labels, provider: str, delivery: Delivery) -> None:
        self._labels, self._provider = labels, provider
        self._accept, self.server = delivery.accept, delivery.server
        self._complained: set[str] = set()

    def labels(self) -> Labels:
        """Of a call that begins now."""
        return labels_now(self._labels)

    def begin(self, request: Any) -> Begun | None:
        """None where the request is none to record."""
        with self._quietly("A call could not be recorded."):
            route = route_of(request.method, request.url.path)
            if route is not None:
                betas = request.headers.get("anthropic-beta", "")
                return Begun(route, self.labels(), self._provider, betas, request.content)
        return None

    def end(self, begun: Begun, response: Any) -> None:
        """The answer is here whole, or its stream is followed until it ends."""
        with self._quietly("An answer could not be recorded."):
            if response.is_closed:
                self._accept(begun.answered(response.status_code, _kind(response), response.content))
            else:
                response.stream = stream_shadow(response.stream, self._follower(begun, response))

    def fail(self, begun: Begun, error: BaseException) -> None:
        """No answer came; the client raises `error` or tries again."""
        with self._quietly("A failed call could not be recorded."):
            self._accept(begun.failed(error))

    def _follower(self, begun: Begun, response: Any) -> Follower:
        headers = {"content-encoding": response.headers.get("content-encoding", "identity")}
        decode = partial(_decoded, type(response), headers)
        status, kind = response.status_code, _kind(response)

        def tell(answer: bytes, failure: str) -> None:
            with self._quietly("A streamed answer could not be recorded."):
                self._accept(begun.answered(status, kind, answer, decode, failure))

        return Follower(tell)

    @contextmanager
    def _quietly(self, message: str) -> Iterator[None]:
        """The agent's call goes on whatever goes wrong with us. Told once: it may be the same with every call."""
        try:
            yield
        except Exception:
            if message not in self._complained:
                self._complained.add(message)
                log.warning("%s", message, exc_info=True)


def _kind(response: Any) -> str:
    return str(response.headers.get("content-type", "")).lower()


def _decoded(response_class: Any, headers: dict[str, str], raw: bytes) -> bytes:
    """The bytes without their content encoding, undone by the HTTP library that the agent has."""
    if headers["content-encoding"] == "identity":
        return raw
    decoded: bytes = response_class(200, headers=headers, content=raw).content
    return decoded


def tap(client: Any, labels: Labels, delivery: Delivery) -> None:
    """Put a shadow before the client's HTTP client; one that is there is replaced. Raises Untappable."""
    http = getattr(client, "_client", None)
    http = getattr(http, "_observatory_original", http)
    if not callable(getattr(http, "send", None)):
        raise Untappable(f"{type(client).__name__} has no HTTP client that we know")
    client._client = http_shadow(http, Tap(labels, provider_of(client), delivery))  # noqa: SLF001 -- the one attribute that every version of the client has


def tap_of(client: Any) -> Tap | None:
    """The client's tap; None where it is not observed."""
    found = getattr(getattr(client, "_client", None), "_observatory_tap", None)
    return found if isinstance(found, Tap) else None
