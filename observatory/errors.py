"""What is answered when no view did: pages to people, the API's own error body to programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from conversations.api.errors import error_body
from conversations.web import errors as pages

_API = "/api/"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if not request.path.startswith(_API):
        return pages.page_not_found(request, exception)
    body = error_body("not_found", "There is nothing at this address.", mend="/api/v1/docs/ lists the addresses.")
    return JsonResponse(body, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    page = pages.server_error(request)
    if not request.path.startswith(_API):
        return page
    mend = "It has been logged. Send it again: what was taken already is not taken twice."
    body = error_body("server_error", "Something broke on our side.", mend=mend)
    return JsonResponse(body, status=page.status_code)
