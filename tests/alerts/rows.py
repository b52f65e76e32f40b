"""Rules and audited compactions for tests of alerts."""

from datetime import timedelta

from conversations.models import Compaction, Incident, Rule
from tests.factories import START, create_compaction, create_conversation
from tests.web.audited import create_audit

_MINUTE = timedelta(minutes=1)


def create_rule(workspace, **fields):
    fields = {
        "name": "Forgotten", "metric": "forgotten", "aggregation": "each", "warning": 5, "settle_minutes": 0, **fields,
    }  # fmt: skip
    return Rule.objects.create(workspace=workspace, **fields)


def compacted(workspace, *, at=START, agent="coder", conversation=None, forgotten=0, **fields):
    """A compaction at that time, audited; `audit` are fields of its audit, None for no audit."""
    conversation = conversation or create_conversation(workspace, agent=agent)
    audit = fields.pop("audit", {})
    compaction = create_compaction(conversation, at=at, **fields)
    if audit is not None:
        create_audit(compaction, forgotten=forgotten, **audit)
    return Compaction.objects.get(pk=compaction.pk)


def incidents(rule=None):
    """(group, minutes from START to its begin and end, state) of all, in the order in which they were opened."""
    rows = Incident.objects.filter(rule=rule) if rule else Incident.objects.all()
    return [
        (row.group, (row.since - START) / _MINUTE, row.until and (row.until - START) / _MINUTE, row.state)
        for row in rows.order_by("id")
    ]
