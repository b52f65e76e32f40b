"""Budgets as people read them: in a sentence, how fast they are used, and when they run out."""

from datetime import datetime
from typing import Any

from django import template

from conversations.models import BudgetEvent, Conversation
from conversations.spending.budget_events import happened_in
from conversations.spending.budgets import Rule, Standing
from conversations.spending.forecast import Forecast
from conversations.spending.messages import amount, period_words, resets_at, scope_words
from conversations.vocabulary import BudgetEventKind, BudgetMetric, BudgetPeriod

register = template.Library()

_HAPPENED = {
    BudgetEventKind.WARNED: "warned",
    BudgetEventKind.REACHED: "was used up",
    BudgetEventKind.WRAP_UP_INJECTED: "the agent was given the message to wrap up",
    BudgetEventKind.BLOCKED: "the agent sent nothing more",
}
_SIGNS = {
    BudgetEventKind.WARNED: ("warning", "≈ warning"),
    BudgetEventKind.REACHED: ("critical", "✕ limit"),
    BudgetEventKind.WRAP_UP_INJECTED: ("info", "✉ wrap up"),
    BudgetEventKind.BLOCKED: ("critical", "✕ blocked"),
}


@register.filter
def whom(rule: Rule) -> str:
    """Whom it judges."""
    return scope_words(rule.scope, rule.agent_name, rule.agent_version, rule.conversation_name, rule.tag_name)


@register.filter
def every(minutes: int) -> str:
    """60 → "hour", 240 → "4 hours", 10080 → "7 days"."""
    unit, many = ("day", minutes // 1440) if minutes % 1440 == 0 else ("hour", minutes // 60)
    return unit if many == 1 else f"{many} {unit}s"


@register.filter
def counted(rule: Rule) -> str:
    """What it counts, and in which time: "tokens a day"."""
    return f"{rule.unit} {period_words(rule.every)}"


@register.filter
def resets(standing: Standing) -> str:
    """When it begins anew; empty where it never does."""
    return "" if standing.rule.every.period == BudgetPeriod.LIFE else resets_at(standing.window, standing.rule.every)


@register.simple_tag
def in_units(value: float | None, rule: Rule) -> str:
    """An amount of what the budget counts."""
    if value is None:
        return "not known"
    return f"${amount(value, rule.metric)}" if rule.metric == BudgetMetric.COST else amount(value, rule.metric)


@register.simple_tag
def burn(found: Forecast | None, rule: Rule) -> str:
    """How fast it is used: "12,400 a day"."""
    if found is None:
        return ""
    is_hourly = rule.every.period == BudgetPeriod.HOUR
    value = found.a_day / 24 if is_hourly else found.a_day
    return f"{in_units(value, rule)} {'an hour' if is_hourly else 'a day'}"


@register.simple_tag
def runs_out(found: Forecast | None, standing: Standing, now: datetime) -> str:
    """When it is used up, with how sure that is."""
    if standing.is_full:
        return "used up"
    if found is None or not found.rate:
        return ""
    if found.expected is None:
        end = "" if standing.rule.every.period == BudgetPeriod.LIFE else " before it begins anew"
        return f"perhaps from {_day(found.early, now)} on" if found.early else f"not{end}"
    late = _day(found.late, now) if found.late else "later"
    early = _day(found.early, now) if found.early else _day(found.expected, now)
    expected = _day(found.expected, now)
    return expected if early == late == expected else f"{expected} ({early} to {late})"


def _day(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "later"
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%a %-d %b}"


@register.filter
def happened(event: BudgetEvent) -> str:
    """What happened, in words."""
    words = _HAPPENED[BudgetEventKind(event.kind)]
    return f"{words} at {event.percent} %" if event.kind == BudgetEventKind.WARNED else words


@register.filter
def event_badge(event: BudgetEvent) -> tuple[str, str]:
    """Class and words of its badge."""
    return _SIGNS[BudgetEventKind(event.kind)]


@register.filter
def plainly(value: Any) -> str:
    """A stored amount without needless places: 3000412.0000 → "3,000,412"."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


@register.inclusion_tag("budgets/on_conversation.html", takes_context=True)
def budget_events(context: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
    """What happened to budgets in a conversation; nothing where nothing did. One query, two where something did."""
    return {"happened": happened_in(conversation), "workspace": context["workspace"], "user": context.get("user")}
