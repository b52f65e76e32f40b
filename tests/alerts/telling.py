"""Rows of rules, channels and incidents for tests, and signals."""

import itertools
from datetime import UTC, datetime

from conversations.alerts.channels.sealing import Secret, seal
from conversations.alerts.signals import Signal
from conversations.models import Channel, Incident, Rule, RuleChannel, Silence
from conversations.vocabulary import IncidentState, Severity, SignalState

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
_numbers = itertools.count(1)


def create_channel(workspace, kind="in_app", *, address="", signing_key="whsec_tests", **fields):
    sealed = seal(Secret(address=address, signing_key=signing_key)) if kind != "in_app" else ""
    fields = {"name": f"channel {next(_numbers)}", "kind": kind, "sealed": sealed, **fields}
    return Channel.objects.create(workspace=workspace, **fields)


def create_rule(workspace, channels=(), **fields):
    fields = {
        "name": f"rule {next(_numbers)}",
        "metric": "forgotten",
        "aggregation": "each",
        "warning": 5,
        **fields,
    }
    rule = Rule.objects.create(workspace=workspace, **fields)
    for channel in channels:
        RuleChannel.objects.create(workspace=workspace, rule=rule, channel=channel)
    return rule


def create_incident(workspace, *, rule=None, **fields):
    fields = {
        "state": IncidentState.OPEN,
        "severity": Severity.WARNING,
        "summary": "7 facts were forgotten.",
        "since": AT,
        "opened_at": AT,
        "evaluated_at": AT,
        **fields,
    }
    return Incident.objects.create(workspace=workspace, rule=rule or create_rule(workspace), **fields)


def signal(group="", state=SignalState.FIRING, severity=Severity.WARNING, since=AT, **fields):
    return Signal(group=group, state=state, severity=severity, since=since, **{"summary": "7 of 5.", **fields})


def create_silence(workspace, **fields):
    fields = {"reason": "maintenance", "starts_at": AT, **fields}
    return Silence.objects.create(workspace=workspace, **fields)
