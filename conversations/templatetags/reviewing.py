"""What a page says of the reader's own review."""

from typing import Any

from django import template

from conversations.models import Finding
from conversations.review.desk import JudgedFact
from conversations.web.fact_html import fact_html, verdict_html
from conversations.web.facts import Item
from conversations.web.highlight import Html
from conversations.web.markdown import render_markdown

register = template.Library()


@register.simple_tag(takes_context=True)
def verdict_on(context: template.Context, row: Finding) -> JudgedFact | None:
    """The reader's own verdict on the finding; None where there is none, or the page is not about reviews."""
    bar: Any = context.get("bar")
    return bar.verdict_on(row.fact_id) if bar else None


@register.simple_tag(takes_context=True)
def fact_line(context: template.Context, item: Item) -> Html:
    """A fact of the facts column, with the reader's own verdict."""
    return fact_html(item, context["facts"].query, verdict_on(context, item.row))


@register.filter
def verdict(said: JudgedFact | None) -> Html:
    """The reader's own verdict in words."""
    return verdict_html(said or None)


@register.filter
def markdown(text: str) -> Html:
    """What people wrote, as safe HTML."""
    return render_markdown(text)
