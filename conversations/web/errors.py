"""Error pages: what happened, in the site's own looks, and what to do next."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from conversations.web.pages import base_context

# (title, what to do) by status
SENTENCES = {
    400: ("This request cannot be read", "Go back and try again."),
    403: ("You may not do this", "Ask an owner or admin of the workspace."),
    404: ("There is no such page", "It may have been deleted, or it belongs to a workspace you are not a member of."),
    500: ("Something broke on our side", "It has been logged. Try again; if it stays, tell whoever runs this server."),
    503: (
        "The database is away or full",
        "Load the page again in a minute. Whoever runs this server finds the reason in the log and at /health/ready.",
    ),
}
#: SQLSTATE classes of a server that is away, full or shutting down; a statement that took too long is 57014.
_AWAY = ("08", "53", "57P")


def _error(request: HttpRequest, status: int, reason: str = "") -> HttpResponse:
    title, advice = SENTENCES[status]
    context = {"status": status, "title": title, "advice": advice, "reason": reason}
    return render(request, "error.html", base_context(request) | context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Django's handler400."""
    return _error(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return _error(request, 403, str(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- as above
    """Django's handler404."""
    return _error(request, 404)


def server_error(_request: HttpRequest) -> HttpResponse:
    """Django's handler500: asks the database nothing, for it may be what broke."""
    status = 503 if _is_database_away(sys.exception()) else 500  # Django calls this while it handles the error
    title, advice = SENTENCES[status]
    context = {"status": status, "title": title, "advice": advice, "theme": "system"}
    return HttpResponse(render_to_string("error_bare.html", context), status=status)


def _is_database_away(error: BaseException | None) -> bool:
    """Whether the server gave no answer, or says itself that it cannot serve; a connection that failed has no state."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_AWAY)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Django's CSRF_FAILURE_VIEW."""
    return _error(request, 403, "The form was too old or came from another site. Load the page again and repeat.")
