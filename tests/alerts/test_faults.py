"""What happens when a channel is down, slow, gone or leads elsewhere: nothing told twice, nothing lost, all seen."""

import socket
import threading
from datetime import timedelta

import pytest
from django.db import connection

from conversations.alerts.channels import webhook
from conversations.alerts.channels.sending import send
from conversations.alerts.incidents import record_signals
from conversations.alerts.outbox import due_channels, replay
from conversations.alerts.telling import tell
from conversations.models import Channel, Delivery, Incident, Notice
from conversations.vocabulary import SignalState
from tests.alerts.telling import AT, create_channel, create_rule, signal

DOWN = "http://127.0.0.1:9/"  # nobody listens at the discard port


@pytest.fixture
def hook(acme, receiver):
    return create_channel(acme, "webhook", name="hook", address=f"{receiver.url}/alerts?token=t0ps3cret")


def fire(workspace, *channels, groups=("coder",), at=AT, **fields):
    rule = create_rule(workspace, channels)
    return record_signals(workspace=workspace, rule=rule, signals=[signal(g, **fields) for g in groups], at=at)


def told(incident):
    return [(event.kind, event.text) for event in incident.events.order_by("id") if event.kind != "opened"]


def state_of(channel):
    delivery = Delivery.objects.get(channel=channel)
    channel.refresh_from_db()
    return delivery.state, delivery.attempts, delivery.next_attempt_at - AT, channel.last_failure


def move(channel, address):
    channel.sealed = create_channel(channel.workspace, "webhook", address=address).sealed
    channel.save()


# --- all is well ----------------------------------------------------------------------------------------------------


def test_what_fires_is_told_once(acme, hook, receiver, clock):
    (incident,) = fire(acme, hook)

    for _ in range(3):
        clock.sweep()
        clock.go(minutes=10)

    (body,) = receiver.bodies
    assert (body["type"], body["workspace"], body["incidents"][0]["id"]) == ("incidents", "acme", incident.pk)
    assert body["incidents"][0]["happened"] == ["opened"]
    assert receiver.keys == [body["id"]]
    assert state_of(hook)[:2] == ("sent", 1)
    assert told(incident) == [("notified", "Told hook.")]


# --- the receiver's faults ------------------------------------------------------------------------------------------


def is_down(channel, receiver, monkeypatch):
    move(channel, DOWN)


def is_slow(channel, receiver, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT", (0.2, 0.2))
    receiver.may_answer.clear()


def is_unknown(channel, receiver, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    move(channel, "http://hooks.example.org/")


def speaks_no_tls(channel, receiver, monkeypatch):
    move(channel, receiver.url.replace("http:", "https:"))


def answers(status, **headers):
    def fault(channel, receiver, monkeypatch):
        receiver.answer(status, **headers)

    return fault


def retried_in(seconds):
    return (timedelta(seconds=0.75 * seconds), timedelta(seconds=1.25 * seconds))


def exactly(**duration):
    return (timedelta(**duration), timedelta(**duration))


@pytest.mark.parametrize(
    ("fault", "wait", "words"),
    [
        (is_down, retried_in(30), "It could not be reached: the connection was refused or broke."),
        (is_slow, retried_in(30), "It did not answer within 10 seconds."),
        (is_unknown, retried_in(30), "Its name could not be resolved."),
        (speaks_no_tls, retried_in(30), "Its certificate is not valid, or it does not speak TLS."),
        (answers(500), retried_in(30), "It answered 500."),
        (answers(404), retried_in(30), "It answered 404."),
        (answers(503, Retry_After="120"), exactly(seconds=120), "It answered 503."),
        (answers(429, Retry_After="7"), exactly(seconds=7), "It answered 429: too many messages."),
        (answers(429), retried_in(30), "It answered 429: too many messages."),
        (answers(429, Retry_After="99999999"), exactly(days=1), "It answered 429: too many messages."),
        (
            answers(429, Retry_After="Fri, 20 Nov 2026 09:30:00 GMT"),
            exactly(minutes=30),
            "It answered 429: too many messages.",
        ),
    ],
)
def test_what_may_pass_is_tried_again(acme, hook, receiver, clock, monkeypatch, fault, wait, words):
    with monkeypatch.context() as patches:
        fault(hook, receiver, patches)
        (incident,) = fire(acme, hook)
        clock.sweep()
    state, attempts, waits, failure = state_of(hook)

    assert (state, attempts, failure) == ("failed", 1, words)
    assert wait[0] <= waits <= wait[1]
    assert told(incident) == [("delivery_failed", f"{words} It is tried again.")]

    seen = len(receiver.requests)
    clock.go(seconds=waits.total_seconds() - 1)
    clock.sweep()
    assert len(receiver.requests) == seen  # not before its time

    receiver.forget()
    move(hook, f"{receiver.url}/alerts")
    clock.go(seconds=2)
    clock.sweep()
    assert state_of(hook)[::3] == ("sent", "")
    assert told(incident)[-1] == ("notified", "Told hook, at attempt 2.")


def test_attempts_bear_one_key(acme, hook, receiver, clock):
    receiver.answers[:] = [(500, {}), (502, {}), (204, {})]
    fire(acme, hook)
    for _ in range(3):
        clock.sweep()
        clock.go(hours=1)

    assert len(receiver.keys) == 3
    assert len(set(receiver.keys)) == 1


def test_it_is_given_up_in_the_end_and_can_be_sent_again(acme, alice, hook, receiver, clock):
    receiver.answer(500)
    (incident,) = fire(acme, hook)
    began = clock.now
    while Delivery.objects.get().state != "dead":
        clock.sweep()
        ended = clock.now
        clock.go(minutes=5)

    assert len(receiver.requests) == 12
    assert timedelta(hours=4) < ended - began < timedelta(hours=7)
    assert [kind for kind, _ in told(incident)] == ["delivery_failed", "delivery_failed"]
    assert told(incident)[-1] == ("delivery_failed", "It answered 500. Given up.")
    assert Notice.objects.get(user=alice.user).text == "hook could not be told: It answered 500."

    receiver.forget()
    assert replay(Delivery.objects.all(), clock.now) == 1
    clock.sweep()
    assert state_of(hook)[::3] == ("sent", "")
    assert len({body["id"] for body in receiver.bodies}) == 1


def leads_to_a_private_address(channel, receiver, settings, monkeypatch):
    settings.CHANNEL_NETWORKS = []


def resolves_to_a_private_address(channel, receiver, settings, monkeypatch):
    """As when a name's owner changes it between a check and the connection: the first answer is public."""
    settings.CHANNEL_NETWORKS = []
    port = int(receiver.url.rpartition(":")[2])
    found = iter(["93.184.215.14", "127.0.0.1"])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(found), port))]
    )
    socket.getaddrinfo("hooks.example.org", port)
    move(channel, f"http://hooks.example.org:{port}/")


def redirects_to_a_private_address(channel, receiver, settings, monkeypatch):
    receiver.answer(302, Location="http://127.0.0.2/latest/meta-data")


def is_malformed(address):
    def fault(channel, receiver, settings, monkeypatch):
        move(channel, address)

    return fault


INCOMPLETE = "Write the whole address, as in https://hooks.example.org/observatory."
NO_ADDRESS = "This is not an address: it should look like https://hooks.example.org/observatory."
PRIVATE = "Its address is private, and private addresses are not allowed here."


@pytest.mark.parametrize(
    ("fault", "words", "requests"),
    [
        (leads_to_a_private_address, PRIVATE, 0),
        (resolves_to_a_private_address, PRIVATE, 0),
        (
            redirects_to_a_private_address,
            "It answered 302, a redirect to 127.0.0.2. Redirects are not followed.",
            1,
        ),
        (is_malformed("hooks.example.org/x"), INCOMPLETE, 0),
        (is_malformed("http://[::1/"), NO_ADDRESS, 0),
        (is_malformed("http://a:99999/"), NO_ADDRESS, 0),
        (is_malformed("file:///etc/passwd"), INCOMPLETE, 0),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_given_up(acme, hook, receiver, clock, settings, monkeypatch, fault, words, requests):
    with monkeypatch.context() as patches:
        fault(hook, receiver, settings, patches)
        (incident,) = fire(acme, hook)
        clock.sweep()

    assert len(receiver.requests) == requests
    assert state_of(hook)[::3] == ("dead", words)
    assert told(incident) == [("delivery_failed", f"{words} Given up.")]


def test_a_channel_that_is_gone_is_switched_off(acme, alice, hook, receiver, clock):
    receiver.answer(410)
    fire(acme, hook)
    clock.sweep()
    hook.refresh_from_db()

    assert (hook.is_on, hook.off_reason) == (False, "It answered 410: the receiver wants nothing more.")
    assert "hook could not be told" in Notice.objects.get(user=alice.user).text
    assert acme.activities.get().action == "channel.switched_off"

    (incident,) = fire(acme, hook, at=clock.now)
    clock.sweep()
    assert len(receiver.requests) == 1
    assert told(incident) == [
        (
            "delivery_failed",
            "The channel is switched off. It answered 410: the receiver wants nothing more. Given up.",
        )
    ]

    receiver.forget()
    Channel.objects.update(is_on=True, off_reason="")
    replay(Delivery.objects.all(), clock.now)
    clock.sweep()
    assert sorted(body["incidents"][0]["id"] for body in receiver.bodies) == sorted(
        Incident.objects.values_list("id", flat=True)
    )


def test_one_channel_that_is_down_keeps_no_other_from_telling(acme, hook, receiver, clock):
    broken = create_channel(acme, "webhook", address=DOWN)
    fire(acme, broken, hook)
    clock.sweep()

    assert state_of(hook)[0] == "sent"
    assert state_of(broken)[0] == "failed"


# --- our own faults -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What ends a process leaves no time for handlers."""


@pytest.mark.parametrize("arrived", [True, False])
def test_a_process_that_is_killed_while_sending_is_told_of(acme, hook, receiver, clock, arrived):
    (incident,) = fire(acme, hook)

    def send_and_die(channel, message, now):
        if arrived:
            send(channel, message, now)
        raise Killed

    with pytest.raises(Killed):
        clock.sweep(sender=send_and_die)
    clock.go(minutes=4)
    clock.sweep()
    assert len(receiver.requests) == arrived  # it might still be at it

    clock.go(minutes=1)
    clock.sweep()
    assert [kind for kind, _ in told(incident)] == ["delivery_uncertain", "notified"]
    assert len(receiver.requests) == 1 + arrived
    assert len(set(receiver.keys)) == 1  # a receiver that knows keys does nothing twice
    assert "Sent again" in receiver.bodies[-1]["text"]
    assert state_of(hook)[:2] == ("sent", 2)


def test_what_comes_late_of_a_process_that_was_given_up_changes_nothing(acme, hook, receiver, clock):
    (incident,) = fire(acme, hook)

    def outlive_the_lease(channel, message, now):
        clock.go(minutes=6)
        tell(hook.pk, clock)
        receiver.answer(500)
        return send(channel, message, now)

    tell(hook.pk, clock, sender=outlive_the_lease)

    assert state_of(hook)[:2] == ("sent", 2)
    assert [kind for kind, _ in told(incident)] == ["delivery_uncertain", "notified"]


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_at_once_tell_once(acme, hook, receiver, clock):
    incidents = fire(acme, hook, groups="abcd")
    together = threading.Barrier(4)

    def sweep():
        together.wait()
        try:
            for _ in range(4):
                clock.sweep()
        finally:
            connection.close()

    sweepers = [threading.Thread(target=sweep) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()
    clock.sweep()

    assert sorted(body["incidents"][0]["id"] for body in receiver.bodies) == sorted(each.pk for each in incidents)
    assert len(set(receiver.keys)) == 4
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_clock_that_jumps_back_tells_nothing_twice(acme, hook, receiver, clock):
    fire(acme, hook)
    clock.sweep()
    clock.go(days=-1)
    clock.sweep()
    clock.go(days=2)
    clock.sweep()

    assert len(receiver.requests) == 1


def test_a_channel_whose_secret_cannot_be_read_says_so(acme, hook, receiver, clock, settings):
    (incident,) = fire(acme, hook)
    settings.SECRET_KEY = "another"
    clock.sweep()
    settings.SECRET_KEY_FALLBACKS = []

    assert state_of(hook)[0] == "dead"
    assert "it was encrypted with another secret key" in told(incident)[0][1]


def test_an_incident_that_ends_before_it_was_told_is_told_with_its_end(acme, hook, receiver, clock):
    (incident,) = fire(acme, hook)
    record_signals(
        workspace=acme, rule=incident.rule, signals=[signal("coder", SignalState.OK)], at=AT + timedelta(minutes=1)
    )
    clock.go(minutes=2)
    clock.sweep()

    (body,) = receiver.bodies
    assert body["incidents"][0]["happened"] == ["opened", "resolved"]
    assert body["title"].startswith("✓ Resolved")


def test_nothing_is_due_when_all_is_told(acme, hook, receiver, clock):
    fire(acme, hook)
    clock.sweep()
    clock.go(days=1)

    assert due_channels(clock.now) == []
