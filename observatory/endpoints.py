"""What machines ask of the server: is it alive, is it ready, how much does it do."""

import ipaddress
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from conversations.ops.health import check_readiness
from conversations.ops.metrics import metrics_text


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """This process answers; asks nobody else, so that a database that is away gets no web server killed."""
    return JsonResponse({"status": "live"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200, or 503 and what is wrong: one entry a check."""
    checks = check_readiness()
    is_ready = all(check.ok for check in checks)
    body = {"status": "ready" if is_ready else "not ready", "checks": {check.name: check.as_dict() for check in checks}}
    return JsonResponse(body, status=200 if is_ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text; for this machine, or for whoever sends OBSERVATORY_METRICS_TOKEN as a bearer token."""
    if not _may_read_metrics(request):
        return HttpResponse("Set OBSERVATORY_METRICS_TOKEN and send it as a bearer token.\n", status=403)
    return HttpResponse(metrics_text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # Behind a proxy every request comes from this machine.
    return "HTTP_X_FORWARDED_FOR" not in request.META and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a Unix socket has no address: whoever reaches it is on this machine
        return not address
