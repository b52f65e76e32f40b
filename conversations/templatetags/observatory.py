"""Numbers, times and query strings as people read them."""

from typing import Any
from urllib.parse import urlencode

from django import template

from conversations.web import wording
from conversations.web.highlight import clean

register = template.Library()

for _filter in (wording.tokens, wording.size, wording.duration, wording.ago, wording.exact, wording.words, wording.how):
    register.filter(_filter.__name__, _filter)


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The page's own query string with some parameters changed; empty ones are left out. A new filter starts anew."""
    query = context["request"].GET.dict()
    for name in ("after", "before", "around"):
        if name not in changes:
            query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {"", None}:
            query[name] = str(value)
    return f"?{urlencode(query)}"


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
