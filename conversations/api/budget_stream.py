"""GET /api/v1/budgets/stream: the status object as server-sent events, whenever it changes.

A stream keeps one thread of the server and its database connection for as long as it lasts. So there are few at once
(MAX_BUDGET_STREAMS a process, a quarter of its threads as delivered), none lasts longer than LASTS seconds, and whoever
comes when all are taken is told so at once, with the time after which to try again. Between events the stream asks for
the version of the workspace's sums, which is one query of 0.1 ms; NOTIFY would make every commit that counts wait for
every other one on the server.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from conversations.api.budget_status import Told, told
from conversations.api.budgets import BudgetStatusView, asker_of
from conversations.errors import Unavailable
from conversations.spending.budgets import Asker

LASTS = 240  # seconds; the client comes again by itself
PAUSE = 1.0  # seconds between two looks
HEARTBEAT = 15.0  # seconds after which a silent stream says that it is there, so that proxies leave it open
COMES_AGAIN = 2_000  # milliseconds after which a client whose stream ended does

_taken = 0
_lock = threading.Lock()
_never = threading.Event()  # waited for, so that looks are apart


class AnyAccept(BaseContentNegotiation):
    """Whatever a client accepts: a stream is written by the view itself, and errors are JSON as everywhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """There is no body to read."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        """The only one."""
        return renderers[0], renderers[0].media_type


class BudgetStreamView(BudgetStatusView):
    """The same as server-sent events: once at first, then whenever it changes."""

    content_negotiation_class = AnyAccept

    def get(self, request: Request) -> HttpResponseBase:
        """Events named `budget`, whose data is the status object and whose id is its ETag; comments in between. A
        client that sends `Last-Event-ID` is told nothing that it knows. 503 with Retry-After where too many streams are
        open: ask `/budgets/status` instead."""
        stream = Stream(self.workspace.pk, asker_of(self.values), request.headers.get("Last-Event-ID", ""))
        response = StreamingHttpResponse(stream, content_type="text/event-stream")
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"  # nginx would keep events back
        response["Content-Encoding"] = "identity"  # and so would compressing them
        return response


class Stream:
    """What one client is sent. Takes a place when made and gives it back when closed, once. Raises Unavailable."""

    def __init__(self, workspace_id: int, asker: Asker, known: str) -> None:
        _take()
        self._is_open = True
        self._events = _events(workspace_id, asker, known)

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        """The client left, or the stream has ended."""
        if self._is_open:
            self._is_open = False
            _give_back()


def _take() -> None:
    global _taken  # noqa: PLW0603 -- one count for all threads
    with _lock:
        if _taken >= settings.MAX_BUDGET_STREAMS:
            raise Unavailable(
                f"{_taken} streams of budgets are open, and no more are allowed.",
                mend="Ask /api/v1/budgets/status instead, or raise OBSERVATORY_MAX_BUDGET_STREAMS.",
            )
        _taken += 1


def _give_back() -> None:
    global _taken  # noqa: PLW0603 -- as above
    with _lock:
        _taken -= 1


def _events(workspace_id: int, asker: Asker, known: str) -> Iterator[bytes]:
    ends, silent_since = time.monotonic() + LASTS, time.monotonic()
    yield b"retry: %d\n\n" % COMES_AGAIN
    while (now := time.monotonic()) < ends:
        answer = told(workspace_id, asker)
        if answer.etag != known:
            known, silent_since = answer.etag, now
            yield _event(answer)
        elif now - silent_since >= HEARTBEAT:
            silent_since = now
            yield b": still here\n\n"
        _never.wait(PAUSE)


def _event(answer: Told) -> bytes:
    return b"event: budget\nid: %s\ndata: %s\n\n" % (answer.etag.encode(), answer.body)
