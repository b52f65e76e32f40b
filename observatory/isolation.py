"""Every request ends where it began: outside of all workspaces."""

from collections.abc import Callable, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from conversations.models import isolation


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
            streamed.streaming_content = _within(workspace_id, cast("Iterator[bytes]", streamed.streaming_content))
        return response


def _within(workspace_id: int, content: Iterator[bytes]) -> Iterator[bytes]:
    with isolation.within(workspace_id):
        yield from content
