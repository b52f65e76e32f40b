"""The rules of a workspace, for the page of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import template

from conversations.alerts.evaluation import definition_of, unknown_in
from conversations.alerts.sentences import sentence
from conversations.models import Rule, RuleProgress, Workspace

register = template.Library()

#: More rules than a page shows nobody reads; the export has them all.
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One line of the list."""

    rule: Rule
    sentence: str
    channels: Sequence[str]
    progress: RuleProgress | None


@register.simple_tag
def rules_of(workspace: Workspace) -> list[RuleRow]:
    """By name, those that are on first. Two queries."""
    rules = Rule.objects.filter(workspace=workspace).select_related("progress").prefetch_related("channels")
    return [
        RuleRow(rule, _sentence(rule), sorted(channel.name for channel in rule.channels.all()), _progress(rule))
        for rule in rules.order_by("-enabled", "name", "id")[:MOST_SHOWN]
    ]


def _sentence(rule: Rule) -> str:
    return unknown_in(rule) or sentence(definition_of(rule))


def _progress(rule: Rule) -> RuleProgress | None:
    return getattr(rule, "progress", None)
