"""Rules are made, changed, switched and deleted; what they had opened ends with them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations.alerts.incidents import record_signals
from conversations.alerts.signals import Signal
from conversations.models import ApiKey, Channel, Incident, Rule, RuleChannel, RuleProgress, User
from conversations.people.activity import record_activity
from conversations.vocabulary import IncidentState, Severity, SignalState

#: What makes up a rule, besides its channels; names of fields, in the order in which people read them.
FIELDS = (
    "name", "note", "enabled", "metric", "aggregation", "window_minutes", "direction", "warning", "critical",
    "clear", "in_a_row", "clear_in_a_row", "minimum_sample", "no_data", "quiet_minutes", "settle_minutes",
    "agent_name", "agent_version", "model", "fact_kind", "least_importance", "ledger_entry", "group_by",
    "remind_minutes", "tells_resolved",
)  # fmt: skip
Actor = User | ApiKey | str


@transaction.atomic
def save_rule(rule: Rule, channels: Iterable[Channel], actor: Actor) -> Rule:
    """Store a rule, new or changed, with the channels it tells by. Its progress follows at the next evaluation."""
    before = Rule.objects.filter(pk=rule.pk).first() if rule.pk else None
    rule.save()
    wanted = {channel.pk for channel in channels}
    links = RuleChannel.objects.filter(workspace=rule.workspace, rule=rule)
    known = set(links.values_list("channel_id", flat=True))
    links.exclude(channel_id__in=wanted).delete()
    RuleChannel.objects.bulk_create(
        RuleChannel(workspace=rule.workspace, rule=rule, channel_id=pk) for pk in sorted(wanted - known)
    )
    if before and before.enabled and not rule.enabled:
        _end_incidents(rule, timezone.now())
    detail = _changes(before, rule) | ({"channels": [len(known), len(wanted)]} if wanted != known else {})
    record_activity(
        workspace=rule.workspace, actor=actor, action="rule.changed" if before else "rule.made", target=rule,
        detail=detail,
    )  # fmt: skip
    return rule


@transaction.atomic
def add_channel(rule: Rule, channel: Channel, actor: Actor) -> None:
    """The rule tells by this channel as well."""
    links = RuleChannel.objects.filter(workspace=rule.workspace, rule=rule).select_related("channel")
    save_rule(rule, [*(link.channel for link in links), channel], actor)


def _changes(before: Rule | None, after: Rule) -> dict[str, Any]:
    if before is None:
        return {}
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@transaction.atomic
def switch_rule(rule: Rule, actor: Actor, *, on: bool) -> None:
    """A rule that is off is not evaluated, and what it had opened is resolved."""
    rule.enabled = on
    rule.save(update_fields=["enabled", "changed_at"])
    if not on:
        _end_incidents(rule, timezone.now())
    record_activity(workspace=rule.workspace, actor=actor, action=f"rule.switched_{'on' if on else 'off'}", target=rule)


@transaction.atomic
def delete_rule(rule: Rule, actor: Actor) -> None:
    """Nobody is told by it any more."""
    _end_incidents(rule, timezone.now())
    record_activity(workspace=rule.workspace, actor=actor, action="rule.deleted", target=rule)
    rule.delete()


def _end_incidents(rule: Rule, at: datetime) -> None:
    rows = Incident.objects.filter(workspace=rule.workspace, rule=rule).exclude(state=IncidentState.RESOLVED)
    groups = rows.order_by("group").values_list("group", flat=True)
    signals = [Signal(group, SignalState.OK, Severity.INFO, at) for group in groups]
    record_signals(workspace=rule.workspace, rule=rule, signals=signals, at=at)
    # Switched on again, it begins without a past.
    RuleProgress.objects.filter(workspace=rule.workspace, rule=rule).delete()
