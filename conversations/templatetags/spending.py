"""Money, shares and budgets as people read them."""

from decimal import Decimal

from django import template

from conversations.spending.budgets import Standing
from conversations.spending.messages import amount
from conversations.vocabulary import BudgetMetric

register = template.Library()

_CENT = 0.01
_SMALL = 0.0001


@register.filter
def usd(value: float | None) -> str:
    """12.3 → "$12.30"; below a cent four places; unknown → "–"."""
    if value is None:
        return "–"
    size = abs(value)
    places = 2 if size >= _CENT or size < _SMALL else 4
    return f"{'−' if value < 0 else ''}${size:,.{places}f}"


@register.filter
def rate(value: Decimal | float) -> str:
    """A price per million tokens: 6.25 → "$6.25", 5 → "$5", 0.025 → "$0.025"."""
    number = Decimal(str(value)).normalize()
    return f"${number:f}"


@register.filter
def share(value: float | None) -> str:
    """0.586 → "58.6 %"; unknown → "–"."""
    return "–" if value is None else f"{value * 100:.1f} %".replace("-", "−")


@register.simple_tag
def spent(standing: Standing) -> str:
    """What is used of a budget."""
    return _said(standing.used, standing.rule.metric)


@register.simple_tag
def limit_of(standing: Standing) -> str:
    """A budget's limit."""
    return _said(standing.limit, standing.rule.metric)


def _said(value: float | None, metric: BudgetMetric) -> str:
    if value is None:
        return "not known"
    return f"${amount(value, metric)}" if metric == BudgetMetric.COST else amount(value, metric)
