"""Where calls are seen: at `send` of the HTTP client that one `anthropic` client has, below its retries.

The HTTP client is replaced by a shadow: an object of a subclass that shares the original's state (the same `__dict__`).
So nothing of the agent's is changed, `isinstance` holds, closing either closes both, and copies by `with_options()`
take the shadow with them. A streamed answer's byte stream is shadowed in the same way.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from inspect import iscoroutinefunction
from typing import Any

from .delivery import Delivery
from .labels import Labels, labels_now
from .routes import provider_of, route_of
from .seen import Begun

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
                response.stream = _shadow_stream(response.stream, self._follower(begun, response))

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


# --- shadows ----------------------------------------------------------------------------------------------------------


class Untappable(TypeError):
    """This object has no state of its own that a shadow could share, or is none of the clients we know."""


def tap(client: Any, labels: Labels, delivery: Delivery) -> None:
    """Put a shadow before the client's HTTP client; one that is there is replaced. Raises Untappable."""
    http = getattr(client, "_client", None)
    http = getattr(http, "_observatory_original", http)
    if not callable(getattr(http, "send", None)):
        raise Untappable(f"{type(client).__name__} has no HTTP client that we know")
    shadow = _shadow(http, _http_shadow(_class_of(http)))
    shadow._observatory_tap = Tap(labels, provider_of(client), delivery)  # noqa: SLF001 -- its own slot
    client._client = shadow  # noqa: SLF001 -- the one attribute that every version of the client has


def tap_of(client: Any) -> Tap | None:
    """The client's tap; None where it is not observed."""
    found = getattr(getattr(client, "_client", None), "_observatory_tap", None)
    return found if isinstance(found, Tap) else None


def _shadow(original: Any, kind: Any) -> Any:
    if not hasattr(original, "__dict__"):
        raise Untappable(f"{type(original).__name__} keeps its state in slots")
    shadow = object.__new__(kind)
    shadow.__dict__ = original.__dict__
    shadow._observatory_original = original  # in its own slot; keeps it alive
    return shadow


def _like(base: Any, members: dict[str, Any], *slots: str) -> type:
    """A subclass that looks like `base`. Its slots lie outside the shared state; the original alone cleans up."""
    looks = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    own: dict[str, Any] = {"__slots__": ("_observatory_original", *slots)}
    if hasattr(base, "__del__"):
        own["__del__"] = _leave_it_to_the_original
    return type(base.__name__, (base,), {**looks, **own, **members})


def _leave_it_to_the_original(_self: Any) -> None:
    """The state is not this object's to close."""


def _class_of(thing: Any) -> Any:  # which mypy takes for None's as well
    return type(thing)


def _base(shadow: Any) -> Any:
    """The class that a shadow stands for."""
    return type(shadow).__base__


@cache
def _http_shadow(base: Any) -> type:
    """A kind of `httpx.Client` or `httpx.AsyncClient`, whichever major version the agent has, that tells its tap."""
    send = _send_async if iscoroutinefunction(base.send) else _send
    return _like(base, {"send": send}, "_observatory_tap")


def _send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    send, tapped = _base(self).send, self._observatory_tap
    begun = tapped.begin(request)
    if begun is None:
        return send(self, request, *args, **kwargs)
    try:
        response = send(self, request, *args, **kwargs)
    except BaseException as error:
        tapped.fail(begun, error)
        raise
    tapped.end(begun, response)
    return response


async def _send_async(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    send, tapped = _base(self).send, self._observatory_tap
    begun = tapped.begin(request)
    if begun is None:
        return await send(self, request, *args, **kwargs)
    try:
        response = await send(self, request, *args, **kwargs)
    except BaseException as error:
        tapped.fail(begun, error)
        raise
    tapped.end(begun, response)
    return response


def _shadow_stream(stream: Any, follower: Follower) -> Any:
    shadow = _shadow(stream, _stream_shadow(_class_of(stream)))
    shadow._observatory_follower = follower  # noqa: SLF001 -- its own slot
    return shadow


@cache
def _stream_shadow(base: Any) -> type:
    """A kind of httpx's byte stream that tells its follower what passes through."""
    if hasattr(base, "__aiter__"):
        return _like(base, {"__aiter__": _read_async, "aclose": _close_async}, "_observatory_follower")
    return _like(base, {"__iter__": _read, "close": _close}, "_observatory_follower")


def _read(self: Any) -> Iterator[bytes]:
    follower, pieces = self._observatory_follower, _base(self).__iter__(self)
    try:
        for piece in pieces:
            follower.piece(piece)
            yield piece
    except GeneratorExit:  # who reads has had enough; `close` comes next
        pieces.close()
        raise
    except BaseException as error:
        follower.ended(type(error).__name__)
        raise
    follower.ended()


async def _read_async(self: Any) -> AsyncIterator[bytes]:
    follower, pieces = self._observatory_follower, _base(self).__aiter__(self)
    try:
        async for piece in pieces:
            follower.piece(piece)
            yield piece
    except GeneratorExit:  # as above
        await pieces.aclose()
        raise
    except BaseException as error:
        follower.ended(type(error).__name__)
        raise
    follower.ended()


def _close(self: Any) -> None:
    try:
        _base(self).close(self)
    finally:
        self._observatory_follower.ended()


async def _close_async(self: Any) -> None:
    try:
        await _base(self).aclose(self)
    finally:
        self._observatory_follower.ended()
