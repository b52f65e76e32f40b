"""Shadows: objects of a subclass that share another's state, the same `__dict__`, and do one thing differently.

So nothing of the agent's is changed, `isinstance` holds, closing either closes both, and whoever copies a client takes
the shadow along. HTTP clients and the byte streams of answers have one.
"""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from inspect import iscoroutinefunction
from typing import Any


class Untappable(TypeError):
    """This object has no state of its own that a shadow could share, or is none of the clients we know."""


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


def http_shadow(http: Any, tapped: Any) -> Any:
    """A shadow of an `httpx.Client` or `AsyncClient`, whichever version, that tells its tap. Raises Untappable."""
    shadow = _shadow(http, _http_kind(_class_of(http)))
    shadow._observatory_tap = tapped  # noqa: SLF001 -- its own slot
    return shadow


@cache
def _http_kind(base: Any) -> type:
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


def stream_shadow(stream: Any, follower: Any) -> Any:
    """A shadow of one of httpx's byte streams that tells its follower what passes through. Raises Untappable."""
    shadow = _shadow(stream, _stream_kind(_class_of(stream)))
    shadow._observatory_follower = follower  # noqa: SLF001 -- its own slot
    return shadow


@cache
def _stream_kind(base: Any) -> type:
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
