import pytest
from django.db import IntegrityError, transaction

from conversations.models import Incident
from tests.alerts.telling import AT, create_incident, create_rule


def test_one_incident_of_a_group_is_open(acme):
    rule = create_rule(acme)
    create_incident(acme, rule=rule, group="coder")
    create_incident(acme, rule=rule, group="support")
    create_incident(acme, rule=rule, group="coder", state="resolved", resolved_at=AT)

    with pytest.raises(IntegrityError, match="incident_open_once"):
        create_incident(acme, rule=rule, group="coder", state="acknowledged")


def test_an_incident_has_one_owner(acme):
    fields = {"state": "open", "severity": "info", "since": AT, "opened_at": AT, "evaluated_at": AT}

    with pytest.raises(IntegrityError, match="incident_of_rule_or_budget"):
        Incident.objects.create(workspace=acme, **fields)


def test_an_incident_lies_in_its_rules_workspace(acme, globex):
    rule = create_rule(globex)

    with pytest.raises(IntegrityError, match="incident_rule_within_workspace"), transaction.atomic():
        create_incident(acme, rule=rule)


def test_a_rule_takes_its_incidents_along(acme):
    incident = create_incident(acme)

    incident.rule.delete()

    assert not Incident.objects.exists()
