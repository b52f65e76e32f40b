"""When channels are told: digests, quiet hours, limits, escalation, silences, snoozes; and by whom in the app."""

import logging
from datetime import time, timedelta

import pytest

from conversations.alerts import handling
from conversations.alerts.channel_services import try_channel
from conversations.alerts.channels.answers import Failed, Sent
from conversations.alerts.handling import Hand
from conversations.alerts.incidents import record_signals
from conversations.alerts.signals import Evidence
from conversations.models import Delivery, Incident, Notice, Silence
from conversations.vocabulary import Severity, SignalState
from tests.alerts.telling import AT, create_channel, create_rule, create_silence, signal


@pytest.fixture
def make_hook(acme, receiver):
    def make_hook(**fields):
        return create_channel(acme, "webhook", **{"name": "hook", "address": f"{receiver.url}/t0ps3cret", **fields})

    return make_hook


def fire(workspace, *channels, groups=("coder",), at=AT, **fields):
    rule = create_rule(workspace, channels)
    return record_signals(workspace=workspace, rule=rule, signals=[signal(g, **fields) for g in groups], at=at)


def be_well(incident, at):
    signals = [signal(incident.group, SignalState.OK, since=at)]
    record_signals(workspace=incident.workspace, rule=incident.rule, signals=signals, at=at)


def told(receiver):
    """Groups of each message."""
    return [sorted(each["group"] for each in body["incidents"]) for body in receiver.bodies]


def texts(incident):
    return [event.text for event in incident.events.order_by("id") if event.kind != "opened"]


def test_what_is_to_be_done_is_told_with_it_while_it_lasts(acme, make_hook, receiver, clock):
    rule = create_rule(acme, [make_hook()], note="Stop the agent, then look at the summary.")
    for state in (SignalState.FIRING, SignalState.OK):
        record_signals(workspace=acme, rule=rule, signals=[signal("coder", state)], at=clock.now)
        clock.go(minutes=1)
        clock.sweep()

    opened, resolved = receiver.bodies
    assert opened["text"].splitlines()[:2] == ["7 of 5.", "Stop the agent, then look at the summary."]
    assert [body["incidents"][0]["note"] for body in (opened, resolved)] == [rule.note] * 2
    assert rule.note not in resolved["text"]


def test_a_digest_gathers_and_tells_once(acme, make_hook, receiver, clock):
    hook = make_hook(digest_minutes=10)
    fire(acme, hook, groups="a")
    clock.sweep()
    clock.go(minutes=6)
    fire(acme, hook, groups="b", at=clock.now)
    clock.sweep()
    assert told(receiver) == []

    clock.go(minutes=4)
    clock.sweep()
    clock.go(hours=1)
    clock.sweep()

    assert told(receiver) == [["a", "b"]]


def test_critical_incidents_do_not_wait_for_a_digest(acme, make_hook, receiver, clock):
    hook = make_hook(digest_minutes=10)
    fire(acme, hook, groups="a")
    fire(acme, hook, groups="b", severity=Severity.CRITICAL)
    clock.sweep()
    assert told(receiver) == [["b"]]

    clock.go(minutes=10)
    clock.sweep()
    assert told(receiver) == [["b"], ["a"]]


def test_quiet_hours_put_off_until_morning(acme, make_hook, receiver, clock):
    hook = make_hook(quiet_from=time(8), quiet_to=time(10, 30), time_zone="UTC")
    (incident,) = fire(acme, hook)
    (critical,) = fire(acme, hook, groups="b", severity=Severity.CRITICAL)
    clock.sweep()
    clock.go(hours=1, minutes=29)
    clock.sweep()
    assert told(receiver) == [["b"]]

    clock.go(minutes=1)
    clock.sweep()
    assert told(receiver) == [["b"], ["coder"]]
    assert texts(incident) == ["Not told yet: quiet hours.", "Told hook."]
    assert texts(critical) == ["Told hook."]


def test_what_is_over_the_limit_goes_together_when_there_is_room(acme, make_hook, receiver, clock):
    hook = make_hook(most_an_hour=2)
    fire(acme, hook, groups="ab")
    clock.sweep()
    clock.go(minutes=1)
    fire(acme, hook, groups="cde", at=clock.now)
    clock.sweep()
    assert told(receiver) == [["a"], ["b"]]

    clock.go(minutes=59, seconds=1)
    clock.sweep()
    assert told(receiver) == [["a"], ["b"], ["c", "d", "e"]]


def test_a_storm_goes_into_one_message(acme, make_hook, receiver, clock):
    fire(acme, make_hook(), groups="abcdefghijkl")
    clock.sweep()

    assert told(receiver) == [list("abcdefghijkl")]
    assert "12 incidents" in receiver.bodies[0]["title"]
    assert "and 2 more" in receiver.bodies[0]["text"]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_nobody_acknowledges_and_the_next_is_told(acme, alice, make_hook, receiver, clock, acknowledged):
    boss = make_hook()
    team = create_channel(acme, name="team", escalate_to=boss, escalate_after_minutes=15)
    (incident,) = fire(acme, team)
    clock.sweep()
    clock.go(minutes=14)
    clock.sweep()
    assert told(receiver) == []

    if acknowledged:
        handling.acknowledge(acme, [incident.pk], Hand(alice.user, clock.now))
    clock.go(minutes=1)
    clock.sweep()

    assert told(receiver) == ([] if acknowledged else [["coder"]])
    end = "Not told, for it was acknowledged by then." if acknowledged else "Told hook."
    assert texts(incident)[-1] == end


@pytest.mark.parametrize("well", [True, False])
def test_what_is_still_open_after_a_silence_is_told(acme, make_hook, receiver, clock, well):
    create_silence(acme, group="coder", ends_at=AT + timedelta(hours=1))
    (incident,) = fire(acme, make_hook())
    clock.sweep()
    clock.go(minutes=30)
    if well:
        be_well(incident, clock.now)
    clock.sweep()
    assert told(receiver) == []

    clock.go(minutes=31)
    clock.sweep()
    assert told(receiver) == ([] if well else [["coder"]])
    assert texts(incident)[-1] == ("Not told, for it was resolved while it was silenced." if well else "Told hook.")


def test_a_silence_that_is_ended_is_noticed_within_minutes(acme, make_hook, receiver, clock):
    create_silence(acme)
    fire(acme, make_hook())
    clock.sweep()
    Silence.objects.update(ends_at=AT + timedelta(seconds=1))
    clock.go(minutes=5)
    clock.sweep()

    assert told(receiver) == [["coder"]]


@pytest.mark.parametrize(("about", "silent"), [("own rule", True), ("other rule", False), ("other group", False)])
def test_a_silence_is_about_what_it_names(acme, make_hook, receiver, clock, about, silent):
    (incident,) = fire(acme, make_hook())
    fields = {
        "own rule": {"rule": incident.rule},
        "other rule": {"rule": create_rule(acme)},
        "other group": {"rule": incident.rule, "group": "support"},
    }
    create_silence(acme, **fields[about])
    clock.sweep()

    assert bool(receiver.bodies) is not silent


def test_a_snoozed_incident_is_told_afterwards(acme, alice, make_hook, receiver, clock):
    (incident,) = fire(acme, make_hook())
    handling.snooze(acme, [incident.pk], Hand(alice.user, AT), AT + timedelta(hours=1))
    clock.sweep()
    assert told(receiver) == []

    clock.go(hours=1)
    clock.sweep()
    assert told(receiver) == [["coder"]]


def test_in_the_app_each_member_of_the_roles_is_told_once(acme, alice, bob, victor, charlie, clock):
    fire(acme, create_channel(acme, roles=["owner", "reviewer"]))
    for _ in range(2):
        clock.sweep()
        clock.go(minutes=10)

    assert set(Notice.objects.values_list("user", flat=True)) == {alice.user.pk, bob.user.pk}
    notice = Notice.objects.get(user=bob.user)
    assert notice.url == Incident.objects.get().get_absolute_url()
    assert notice.text.startswith("≈ rule")


def test_evidence_is_told_with_addresses(acme, make_hook, receiver, clock, settings):
    settings.PUBLIC_URL = "https://observatory.example.org"
    fire(acme, make_hook(), evidence=(Evidence("compaction", 7, "compaction 7", AT), Evidence("ghost", 1, "?")))
    clock.sweep()

    (incident,) = receiver.bodies[0]["incidents"]
    assert incident["url"].startswith("https://observatory.example.org/w/acme/alerts/incidents/")
    assert [each["url"] for each in incident["evidence"]] == [
        "https://observatory.example.org/w/acme/compactions/7/",
        "",
    ]


def test_a_test_says_what_came_of_it_and_stays_on_the_channel(make_hook, receiver):
    hook = make_hook(quiet_from=time(0), quiet_to=time(0))

    assert try_channel(hook, AT) == Sent()
    assert receiver.bodies[0]["type"] == "test"

    receiver.answer(403)
    result = try_channel(hook, AT)
    hook.refresh_from_db()
    assert (result, hook.last_failure, hook.last_failure_at) == (Failed("It answered 403."), "It answered 403.", AT)


def test_no_log_tells_a_secret(acme, make_hook, receiver, clock, caplog):
    receiver.answers[:] = [(500, {}), (204, {})]
    with caplog.at_level(logging.DEBUG, logger="conversations"):
        fire(acme, make_hook())
        for _ in range(2):
            clock.sweep()
            clock.go(hours=1)

    assert Delivery.objects.get().state == "sent"
    assert "t0ps3cret" not in caplog.text
    assert not any("t0ps3cret" in str(row) for row in Delivery.objects.values_list())
