from datetime import timedelta

import pytest

from conversations.alerts import handling
from conversations.alerts.handling import Hand
from conversations.models import Activity, Delivery, Incident, Notice
from tests.alerts.telling import AT, create_channel, create_incident, create_rule
from tests.factories import create_api_key

LATER = AT + timedelta(hours=1)


@pytest.fixture
def hand(bob):
    return Hand(bob.user, LATER)


@pytest.fixture
def incident(acme):
    return create_incident(acme, rule=create_rule(acme, [create_channel(acme)]), group="coder")


def timeline(incident):
    return list(incident.events.order_by("id").values_list("kind", "actor", "text"))


def test_acknowledging_is_done_once(acme, incident, hand):
    assert handling.acknowledge(acme, [incident.pk], hand) == [incident]
    assert handling.acknowledge(acme, [incident.pk], hand) == []

    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_at) == ("acknowledged", hand.user, LATER)
    assert timeline(incident) == [("acknowledged", "Bob", "")]
    assert Activity.objects.get().action == "incident.acknowledged"


def test_resolving_tells_the_channels(acme, incident, hand):
    handling.resolve(acme, [incident.pk], hand, "fixed")
    handling.resolve(acme, [incident.pk], hand)

    incident.refresh_from_db()
    assert (incident.state, incident.resolved_at, incident.awaits_ok) == ("resolved", LATER, True)
    assert timeline(incident) == [("resolved_by_hand", "Bob", "fixed")]
    assert list(Delivery.objects.values_list("kind", flat=True)) == ["resolved"]


def test_whoever_is_assigned_is_told(acme, incident, hand, alice):
    handling.assign(acme, [incident.pk], hand, alice.user)
    handling.assign(acme, [incident.pk], hand, alice.user)
    handling.assign(acme, [incident.pk], hand, hand.user)
    handling.assign(acme, [incident.pk], hand, None)

    assert [text for _, _, text in timeline(incident)] == ["to Alice", "to Bob", "to nobody"]
    assert [(notice.user, notice.kind) for notice in Notice.objects.all()] == [(alice.user, "assignment")]


def test_comments_are_no_activity(acme, incident, hand):
    handling.comment(acme, [incident.pk], hand, "Looking into it.")

    assert timeline(incident) == [("commented", "Bob", "Looking into it.")]
    assert not Activity.objects.exists()


def test_what_is_resolved_is_not_snoozed(acme, hand):
    incident = create_incident(acme, state="resolved", resolved_at=AT)

    assert handling.snooze(acme, [incident.pk], hand, LATER) == []
    assert timeline(incident) == []


def test_a_snooze_is_ended_before_its_time(acme, incident, hand):
    handling.snooze(acme, [incident.pk], hand, hand.at + timedelta(hours=4))

    assert handling.wake(acme, [incident.pk], hand) == [incident]
    assert handling.wake(acme, [incident.pk], hand) == []
    assert Incident.objects.get(pk=incident.pk).snoozed_until is None
    assert [event.text for event in incident.events.filter(kind="snoozed").order_by("id")][-1] == "not any more"


def test_a_key_is_named(acme, incident):
    key, _ = create_api_key(acme, ("manage",), name="pager")

    handling.acknowledge(acme, [incident.pk], Hand(key, LATER))

    event = incident.events.get()
    assert (event.api_key, event.user, event.actor) == (key, None, str(key))


def test_incidents_of_others_stay_as_they_are(globex, incident, hand):
    assert handling.resolve(globex, [incident.pk], hand) == []
    assert Incident.objects.get().state == "open"
