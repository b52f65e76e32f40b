"""The one body that errors have, and the one place where exceptions become answers."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from conversations.errors import BadInput, ObservatoryError, OverRate, Refused, TooLarge, Unavailable

log = logging.getLogger(__name__)

#: The first that fits counts, so the special ones stand before the general.
STATUSES: tuple[tuple[type[ObservatoryError], int], ...] = (
    (TooLarge, 413),
    (BadInput, 422),
    (OverRate, 429),
    (Refused, 403),
    (Unavailable, 503),
)
_MENDS = {
    401: "Send the key as `Authorization: Bearer obs_…`. `manage.py create_api_key --name NAME` makes one.",
    403: "Use a key that has this scope.",
    404: "Check the id; it may lie in another workspace than the key.",
    405: "See /api/v1/docs/ for what this address takes.",
    503: "Send it again in some seconds.",
}


def error_body(code: str, message: str, *, at: str = "", mend: str = "") -> dict[str, dict[str, str]]:
    """Tell a program (`code`), a person (`message`), where (`at`: a field or parameter), and what to do (`mend`)."""
    return {"error": {"code": code, "message": message, "at": at, "mend": mend}}


def handle_exception(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Answer for an exception a view raised; None for those nobody foresaw, which Django logs and answers with 500."""
    if isinstance(error, ObservatoryError):
        return _ours(error)
    if isinstance(error, OperationalError):
        log.error("database out of reach error=%s", error)
        return _ours(Unavailable("The database cannot be reached.", mend=_MENDS[503]))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    return _drf(error) if isinstance(error, exceptions.APIException) else None


def _ours(error: ObservatoryError) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    retry_after = error.retry_after if isinstance(error, OverRate) else 5 if status == 503 else None  # noqa: PLR2004
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(error_body(error.code, error.message, at=error.at, mend=error.mend), status, headers=headers)


def _drf(error: exceptions.APIException) -> Response:
    at, detail = _first_detail(error.detail)
    code = str(getattr(detail, "code", None) or error.default_code)
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    body = error_body(code, str(detail), at=at, mend=_MENDS.get(error.status_code, ""))
    return Response(body, error.status_code, headers=headers)


def _first_detail(detail: Any, at: str = "") -> tuple[str, Any]:
    """The first leaf of DRF's nested error details, and the path to it."""
    if isinstance(detail, dict) and detail:
        name, inner = next(iter(detail.items()))
        return _first_detail(inner, f"{at}.{name}" if at else str(name))
    if isinstance(detail, list) and detail:
        return _first_detail(detail[0], at)
    return at, detail
