"""Every request ends where it began: outside of all workspaces."""

from collections.abc import Callable, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from conversations.models import isolation

#: Bytes. To enter a workspace and leave it takes two messages to Postgres, 80 µs each.
_PIECE = 65_536


class WorkspaceMiddleware:
    """Leaves the workspace that the view has entered, whatever happened; the innermost, so that sessions and people
    are read and written outside."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """What is streamed is made after the view: there the workspace is entered again."""
        try:
            response = self.get_response(request)
            workspace_id = isolation.entered()
        finally:
            isolation.leave()
        if response.streaming and workspace_id is not None:
            streamed = cast("StreamingHttpResponse", response)
            content, at_least = cast("Iterator[bytes]", streamed.streaming_content), _bytes_of_a_piece(response)
            streamed.streaming_content = _within(workspace_id, content, at_least)
        return response


def _bytes_of_a_piece(response: HttpResponseBase) -> int:
    """Events are handed on as they come."""
    return 0 if response.headers["Content-Type"].startswith("text/event-stream") else _PIECE


def _within(workspace_id: int, content: Iterator[bytes], at_least: int) -> Iterator[bytes]:
    """Each piece is made within the workspace, which is left before it is handed on: nobody may ever ask for the next
    one. What is left inside of a `with` then is tidied up by the garbage collector, wherever that runs: in the midst of
    another statement it would wait for the connection that this statement holds, for ever."""
    goes_on = True
    while goes_on:
        with isolation.within(workspace_id):
            piece, goes_on = _piece(content, at_least)
        if piece:
            yield piece


def _piece(content: Iterator[bytes], at_least: int) -> tuple[bytes, bool]:
    """So many bytes or more, and whether there may be others."""
    held, size = [], 0
    for each in content:
        held.append(each)
        size += len(each)
        if size >= at_least:
            return b"".join(held), True
    return b"".join(held), False
