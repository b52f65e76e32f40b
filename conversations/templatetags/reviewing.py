"""What a page says of the reader's own review."""

from typing import Any

from django import template

from conversations.models import Finding
from conversations.review.desk import JudgedFact
from conversations.vocabulary import Answer
from conversations.web.bar import ANSWER_WORDS
from conversations.web.highlight import Html
from conversations.web.markdown import render_markdown

register = template.Library()


@register.simple_tag(takes_context=True)
def verdict_on(context: template.Context, row: Finding) -> JudgedFact | None:
    """The reader's own verdict on the finding; None where there is none, or the page is not about reviews."""
    bar: Any = context.get("bar")
    return bar.verdict_on(row.fact_id) if bar else None


@register.filter
def answered(answer: str) -> str:
    """not_lost → "not lost"."""
    return ANSWER_WORDS[Answer(answer)]


@register.filter
def markdown(text: str) -> Html:
    """What people wrote, as safe HTML."""
    return render_markdown(text)
