"""Numbers, times and query strings as people read them."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.models import Compaction
from conversations.web.facts import retention_words
from conversations.web.findings import audit_of
from conversations.web.highlight import clean

register = template.Library()

_STEPS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600), (86_400 * 60, "d", 86_400))  # up to, unit, seconds
_NOW = 5  # seconds
_KILO = 1000
_TENTHS = 100  # from here on a decimal says nothing
_SHORT = 10_000  # milliseconds


@register.filter
def tokens(value: int | None) -> str:
    """150212 → "150,212"; unknown → "–"."""
    return "–" if value is None else f"{value:,}"


@register.filter
def size(value: int | None) -> str:
    """Bytes: 1234567 → "1.2 MB"."""
    amount = float(value or 0)
    for unit in ("B", "kB", "MB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= _TENTHS else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} GB"


@register.filter
def duration(milliseconds: int | None) -> str:
    """61500 → "1 min 2 s"."""
    if milliseconds is None:
        return "–"
    if milliseconds < _SHORT:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Relative, with the exact time for those who hover or listen."""
    if moment is None:
        return "–"
    exact = f"{moment:%d %B %Y %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, _relative(moment))


@register.filter
def exact(moment: datetime | None) -> SafeString | str:
    """20 Nov 2026 09:15."""
    if moment is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{moment:%-d %b %Y %H:%M}")


def _relative(moment: datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < _NOW:
        return "now"
    for limit, unit, divisor in _STEPS:
        if seconds < limit:
            return f"{int(seconds // divisor)} {unit} ago"
    return f"{moment:%-d %b %Y}"


@register.filter
def words(value: str) -> str:
    """tool_clear → "tool clear"."""
    return str(value).replace("_", " ")


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The page's own query string with some parameters changed; empty ones are left out. A new filter starts anew."""
    query = context["request"].GET.copy()
    for name in ("after", "before", "around"):
        if name not in changes:
            query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {"", None}:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def without(context: template.Context, name: str) -> str:
    """The page's own query string without one parameter."""
    return with_query(context, **{name: ""})


@register.filter
def shown(text: str) -> str:
    """Words of a message, with what cannot be seen as a sign: hostile text must not reorder what stands around it."""
    return clean(text)


@register.filter
def signed(value: float) -> str:
    """0.308 → "+0.31"."""
    return f"{value:+.2f}"


@register.simple_tag
def retention(compaction: Compaction) -> str:
    """What was kept of a compaction, by importance: "64–78 %"; unknown → "–"."""
    return retention_words(audit_of(compaction)) or "–"
