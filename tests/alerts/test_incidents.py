import threading
from datetime import timedelta

import pytest
from django.db import connection

from conversations.alerts.incidents import record_signals
from conversations.alerts.signals import Evidence
from conversations.models import Delivery, Incident, IncidentEvent
from conversations.vocabulary import Severity, SignalState
from tests.alerts.telling import AT, create_channel, create_rule, signal
from tests.spending.rows import create_budget

OK, FIRING, NO_DATA = SignalState.OK, SignalState.FIRING, SignalState.NO_DATA


def at(minutes):
    return AT + timedelta(minutes=minutes)


@pytest.fixture
def rule(acme):
    return create_rule(acme, [create_channel(acme), create_channel(acme)], name="Forgetful")


@pytest.fixture
def record(acme, rule):
    def record(*signals, minute=0):
        return record_signals(workspace=acme, rule=rule, signals=signals, at=at(minute))

    return record


def timeline(incident):
    return [event.kind for event in incident.events.order_by("id")]


def told():
    return list(Delivery.objects.order_by("id").values_list("kind", flat=True))


def test_a_firing_group_opens_one_incident_and_tells_every_channel(record, rule):
    evidence = tuple(Evidence("compaction", number, f"compaction {number}", AT) for number in range(25))

    opened = record(signal("coder", value=7, threshold=5, evidence=evidence), signal("support", OK))

    incident = Incident.objects.get()
    assert opened == [incident]
    assert (incident.rule, incident.group, incident.state, incident.severity) == (rule, "coder", "open", "warning")
    assert (incident.value, incident.threshold, incident.summary, incident.since) == (7, 5, "7 of 5.", AT)
    assert [each["id"] for each in incident.evidence] == list(range(20))
    assert incident.evidence[0] == {
        "kind": "compaction", "id": 0, "label": "compaction 0", "at": "2026-11-20T09:00:00+00:00",
    }  # fmt: skip
    assert timeline(incident) == ["opened"]
    assert told() == ["opened", "opened"]
    assert set(Delivery.objects.values_list("next_attempt_at", "state")) == {(AT, "waiting")}


def test_the_same_again_tells_nobody_again(record):
    for minute in (0, 0, 1, 2):
        record(signal(value=7 + minute), minute=minute)

    incident = Incident.objects.get()
    assert (incident.value, incident.opened_at, incident.evaluated_at) == (9, AT, at(2))
    assert timeline(incident) == ["opened"]
    assert told() == ["opened"] * 2


def test_worse_is_told_and_better_is_not(record):
    record(signal(severity=Severity.WARNING))
    record(signal(severity=Severity.CRITICAL), minute=1)
    record(signal(severity=Severity.INFO), minute=2)
    record(signal(severity=Severity.CRITICAL), minute=3)

    incident = Incident.objects.get()
    assert incident.severity == "critical"
    assert timeline(incident) == ["opened", "worsened"]
    assert told() == ["opened"] * 2 + ["worsened"] * 2


def test_data_that_is_well_resolves(record):
    record(signal("coder"))
    (resolved,) = record(signal("coder", OK, since=at(-1)), minute=5)
    again = record(signal("coder", OK, since=at(-1)), minute=6)

    assert (resolved.state, resolved.resolved_at, resolved.until) == ("resolved", at(5), at(-1))
    assert again == []
    assert timeline(resolved) == ["opened", "resolved_by_data"]
    assert told() == ["opened"] * 2 + ["resolved"] * 2


def test_a_channel_that_does_not_tell_of_ends_is_not_told(acme, record, rule):
    rule.channels.order_by("id").first().__class__.objects.filter(pk=rule.channels.first().pk).update(
        tells_resolved=False
    )
    record(signal())
    record(signal(state=OK), minute=1)

    assert told() == ["opened", "opened", "resolved"]


def test_a_rule_may_keep_silent_when_it_is_over(acme, record, rule):
    rule.tells_resolved = False
    rule.save()
    record(signal())
    (resolved,) = record(signal(state=OK), minute=1)

    assert resolved.state == "resolved"
    assert timeline(resolved) == ["opened", "resolved_by_data"]
    assert told() == ["opened", "opened"]


@pytest.mark.parametrize("state", [NO_DATA, None])
def test_without_data_an_incident_stays_as_it_is(record, state):
    record(signal("coder"))
    changed = record(*([signal("coder", state)] if state else []), minute=1)

    assert changed == []
    assert Incident.objects.get().state == "open"


def test_no_data_opens_nothing(record):
    assert record(signal("coder", NO_DATA)) == []


def test_old_signals_change_nothing(record):
    record(signal(value=7), minute=10)

    assert record(signal(value=3), minute=9) == []
    assert record(signal(state=OK), minute=9) == []
    assert Incident.objects.get().value == 7

    record(signal(state=OK), minute=11)

    assert record(signal(), minute=11) == []
    assert Incident.objects.count() == 1


def test_it_opens_anew_after_it_was_well(record):
    record(signal())
    record(signal(state=OK), minute=1)
    record(signal(since=at(2)), minute=2)

    assert list(Incident.objects.order_by("id").values_list("state", flat=True)) == ["resolved", "open"]


def close_by_hand(incident, minute):
    Incident.objects.filter(pk=incident.pk).update(state="resolved", resolved_at=at(minute), awaits_ok=True)


def test_what_was_closed_by_hand_stays_closed_while_the_trouble_is_the_same(record):
    (incident,) = record(signal())
    close_by_hand(incident, 5)

    assert record(signal(), minute=6) == []
    assert record(signal(since=at(4)), minute=7) == []
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("well_in_between", [True, False])
def test_new_trouble_after_closing_by_hand_opens_anew(record, well_in_between):
    (incident,) = record(signal())
    close_by_hand(incident, 5)
    if well_in_between:
        assert record(signal(state=OK, since=at(5)), minute=6) == []
    record(signal(since=AT if well_in_between else at(6)), minute=7)

    assert list(Incident.objects.order_by("id").values_list("state", "awaits_ok")) == [
        ("resolved", False),
        ("open", False),
    ]


def test_reminders_come_at_their_interval_until_somebody_acknowledges(record, rule):
    rule.remind_minutes = 60
    rule.save()
    for minute in (0, 59, 60, 90, 120):
        record(signal(), minute=minute)
    Incident.objects.update(state="acknowledged")
    record(signal(), minute=600)

    assert timeline(Incident.objects.get()) == ["opened", "reminded", "reminded"]


def test_a_snoozed_incident_reminds_nobody(record, rule):
    rule.remind_minutes = 60
    rule.save()
    record(signal())
    Incident.objects.update(snoozed_until=at(100))
    record(signal(), minute=70)
    record(signal(), minute=101)

    assert timeline(Incident.objects.get()) == ["opened", "reminded"]


def test_escalation_is_planned_with_the_incident(acme):
    boss = create_channel(acme, name="boss")
    lead = create_channel(acme, name="lead", escalate_to=boss, escalate_after_minutes=60)
    boss.escalate_to, boss.escalate_after_minutes = lead, 5  # in a ring
    boss.save()
    team = create_channel(acme, name="team", escalate_to=lead, escalate_after_minutes=15)

    record_signals(workspace=acme, rule=create_rule(acme, [team]), signals=[signal()], at=AT)

    assert list(Delivery.objects.order_by("id").values_list("channel__name", "kind", "next_attempt_at")) == [
        ("team", "opened", AT),
        ("lead", "escalated", at(15)),
        ("boss", "escalated", at(75)),
    ]


def test_budgets_have_incidents_too(acme):
    budget = create_budget(acme)
    budget.channels.add(create_channel(acme), through_defaults={"workspace": acme})

    record_signals(workspace=acme, budget=budget, signals=[signal("coder")], at=AT)

    assert str(Incident.objects.get()) == f"{budget.name}: coder"
    assert told() == ["opened"]


def test_budgets_remind_as_rules_do(acme):
    budget = create_budget(acme, remind_minutes=60)
    for minute in (0, 59, 60, 90, 120):
        record_signals(workspace=acme, budget=budget, signals=[signal("coder")], at=at(minute))
    Incident.objects.update(state="acknowledged")
    record_signals(workspace=acme, budget=budget, signals=[signal("coder")], at=at(600))

    assert timeline(Incident.objects.get()) == ["opened", "reminded", "reminded"]


def test_signals_need_an_owner(acme):
    with pytest.raises(ValueError, match="of a rule or of a budget"):
        record_signals(workspace=acme, signals=[signal()], at=AT)


@pytest.mark.parametrize("groups", [1, 5])
def test_recording_asks_as_much_when_all_is_well(record, groups, django_assert_num_queries):
    with django_assert_num_queries(3):  # a savepoint and its release among them
        record(*(signal(str(number), OK) for number in range(groups)))


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_open_one_incident(acme):
    rule = create_rule(acme, [create_channel(acme)])
    together = threading.Barrier(4)

    def evaluate():
        together.wait()
        for minute in range(5):
            signals = [signal(group, severity=Severity.CRITICAL if minute else Severity.INFO) for group in "abc"]
            record_signals(workspace=acme, rule=rule, signals=signals, at=at(minute))
        connection.close()

    schedulers = [threading.Thread(target=evaluate) for _ in range(4)]
    for scheduler in schedulers:
        scheduler.start()
    for scheduler in schedulers:
        scheduler.join()

    assert Incident.objects.count() == 3
    assert sorted(IncidentEvent.objects.values_list("kind", flat=True)) == ["opened"] * 3 + ["worsened"] * 3
    assert sorted(told()) == ["opened"] * 3 + ["worsened"] * 3
