"""The recorder's wheel, for `pip install`: open to all, for its source is."""

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import condition, require_safe

from conversations.ops.recorder_wheel import FILE, recorder_wheel


def _etag(_request: HttpRequest, name: str) -> str | None:
    return f'"{hashlib.sha256(recorder_wheel()).hexdigest()[:32]}"' if name == FILE else None


@require_safe
def wheels(_request: HttpRequest) -> HttpResponse:
    """A page of links, as `pip install --find-links` reads it: its address stays when the version changes."""
    address, digest = reverse("recorder_wheel", args=[FILE]), hashlib.sha256(recorder_wheel()).hexdigest()
    page = '<!doctype html><html lang="en"><title>The recorder</title><a href="{}#sha256={}">{}</a></html>'
    return HttpResponse(format_html(page, address, digest, FILE))


@require_safe
@condition(etag_func=_etag)
def wheel(_request: HttpRequest, name: str) -> HttpResponse:
    """The wheel of this server's version; 404 for others."""
    if name != FILE:
        raise Http404(f"This server has {FILE}.")
    return HttpResponse(recorder_wheel(), content_type="application/octet-stream")
