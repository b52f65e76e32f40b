"""Budgets that warn or are used up: told once, whatever comes late, twice or at once, or with a clock set back."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from conversations.alerts.budget_watch import QUIET, watch_all, watch_conversations, watched_workspaces
from conversations.ingest import services
from conversations.models import BudgetEvent, ConversationSlot, Incident
from conversations.spending.budget_queries import budget_status
from conversations.spending.budget_settings import version_of
from conversations.spending.budgets import Asker
from conversations.vocabulary import IncidentState
from tests.spending.rows import create_budget, create_override

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def turn(number, tokens, *, at=NOW, conversation="c"):
    return {
        "type": "request", "id": f"r{number}", "conversation": conversation, "at": at.isoformat(),
        "usage": {"input_tokens": tokens, "output_tokens": 0}, "model": "claude-opus-5",
    }  # fmt: skip


def agent(name="coder", version="1", conversation="c"):
    return {"type": "conversation", "conversation": conversation, "agent": name, "agent_version": version}


@pytest.fixture
def send(acme):
    def send_events(*events, now=NOW):
        receipt = services.accept_events(workspace=acme, body=json.dumps(list(events)).encode(), claimed=True)
        if receipt.is_new:
            digested = services.digest_claimed([receipt.batch])
            watch_conversations(acme.pk, digested.conversation_ids, now)

    return send_events


def used(workspace, now=NOW, **asker):
    status = budget_status(workspace.pk, Asker(**asker), version_of(workspace.pk), now)
    return [each.used for each in status.standings]


def told(workspace):
    return [(row.kind, row.percent, row.used) for row in BudgetEvent.objects.filter(workspace=workspace).order_by("id")]


def test_each_share_is_told_once(send, acme):
    budget = create_budget(acme, limit=100, warn_percents=[50, 80])
    send(turn(1, 60))
    send(turn(2, 1))
    send(turn(3, 50))

    incident = Incident.objects.get()
    assert told(acme) == [("warned", 50, 60), ("warned", 80, 111), ("reached", 100, 111)]
    assert (incident.budget, incident.group, incident.severity, incident.value) == (budget, "c", "critical", 111)
    assert incident.evidence[0]["kind"] == "conversation"


def test_budget_that_stays_used_up_is_told_of_again_until_somebody_sees_to_it(send, acme):
    create_budget(acme, limit=100, remind_minutes=240)
    send(turn(1, 160))
    for hours in (1, 3, 4, 5):
        watch_all(acme.pk, NOW + hours * HOUR)
    Incident.objects.update(state=IncidentState.ACKNOWLEDGED)
    watch_all(acme.pk, NOW + 12 * HOUR)

    assert [event.kind for event in Incident.objects.get().events.order_by("id")] == ["opened", "reminded"]


def test_batch_that_comes_twice_is_counted_and_told_once(send, acme):
    create_budget(acme, limit=100)
    send(turn(1, 90))
    send(turn(1, 90))
    send(turn(1, 90), {"type": "message", "id": "m", "conversation": "c", "role": "user", "content": "more"})

    assert used(acme, conversation="c") == [90]
    assert told(acme) == [("warned", 80, 90)]


def test_late_event_counts_in_the_window_of_its_own_time(send, acme):
    create_budget(acme, scope="agent", period="day", limit=100)
    send(agent(), turn(1, 90))
    send(turn(2, 60, at=NOW - 24 * HOUR))

    assert used(acme, agent="coder") == [90]
    assert used(acme, NOW - 24 * HOUR, agent="coder") == [60]


def test_changed_row_is_taken_out_of_the_window_in_which_it_was(send, acme):
    create_budget(acme, period="hour", limit=100)
    send(turn(1, 90))
    send(turn(1, 30, at=NOW - 2 * HOUR))

    assert used(acme, conversation="c") == [0]
    assert used(acme, NOW - 2 * HOUR, conversation="c") == [30]
    assert [row.start for row in ConversationSlot.objects.filter(input_tokens__gt=0)] == [NOW - 2 * HOUR]


def test_day_of_daylight_saving_counts_25_hours(send, acme):
    create_budget(acme, scope="workspace", period="day", time_zone="Europe/Berlin", limit=100)
    first, last = datetime(2026, 10, 24, 22, 5, tzinfo=UTC), datetime(2026, 10, 25, 22, 55, tzinfo=UTC)
    send(turn(0, 1, at=first - timedelta(minutes=6)), turn(1, 20, at=first), turn(2, 40, at=last), now=last)
    send(turn(3, 5, at=last + timedelta(minutes=5)), now=last)

    assert used(acme, first) == used(acme, last) == [60]
    assert used(acme, last + timedelta(minutes=5)) == [5]


def test_window_that_ends_resolves_and_the_next_one_is_told_anew(send, acme):
    create_budget(acme, scope="agent", period="hour", limit=100)
    send(agent(), turn(1, 100))
    watch_all(acme.pk, NOW + HOUR)
    send(turn(2, 100, at=NOW + HOUR), now=NOW + HOUR + HOUR / 60)

    states = list(Incident.objects.order_by("id").values_list("state", flat=True))
    assert states == [IncidentState.RESOLVED, IncidentState.OPEN]
    assert [kind for kind, *_ in told(acme)] == ["warned", "reached"] * 2


def test_clock_that_was_set_back_tells_nothing_again(send, acme):
    create_budget(acme, scope="agent", period="hour", limit=100)
    send(agent(), turn(1, 100))
    watch_all(acme.pk, NOW + HOUR)
    before = told(acme)

    watch_all(acme.pk, NOW)
    watch_conversations(acme.pk, acme.conversations.values_list("pk", flat=True), NOW)

    assert told(acme) == before
    assert Incident.objects.get().state == IncidentState.RESOLVED


def test_override_resolves_and_its_expiry_tells_again(send, acme):
    budget = create_budget(acme, scope="agent", limit=100, action="block")
    send(agent(), turn(1, 120))
    create_override(budget, limit=500, agent_name="coder", expires_at=timezone.now() + HOUR)
    during, after = timezone.now() + HOUR / 2, timezone.now() + 2 * HOUR

    states = []
    for at in (during, after):
        watch_all(acme.pk, at)
        status = budget_status(acme.pk, Asker("coder"), version_of(acme.pk), at)
        states.append((status.state, Incident.objects.exclude(state=IncidentState.RESOLVED).count()))

    assert states == [("ok", 0), ("block", 1)]


def test_conversation_that_fell_silent_is_no_incident_any_more(send, acme):
    create_budget(acme, limit=100)
    send(turn(1, 100))

    watch_all(acme.pk, NOW + QUIET)
    still = Incident.objects.get().state
    watch_all(acme.pk, NOW + QUIET + HOUR)

    assert (still, Incident.objects.get().state) == (IncidentState.OPEN, IncidentState.RESOLVED)


def test_workspaces_without_budgets_are_left_alone(send, acme, globex, django_assert_num_queries):
    send(turn(1, 100))
    create_budget(globex)

    ids = list(acme.conversations.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        assert watched_workspaces(ids) == []
    assert watched_workspaces() == [globex.pk]


@pytest.mark.parametrize("rows", [1, 3])
def test_watching_asks_as_much_for_any_number_of_conversations(send, acme, rows, django_assert_max_num_queries):
    create_budget(acme, limit=10**9)
    send(*(turn(number, 5, conversation=str(number)) for number in range(rows)))

    with django_assert_max_num_queries(14):
        watch_conversations(acme.pk, acme.conversations.values_list("pk", flat=True), NOW)


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_count_and_tell_everything_once(acme):
    create_budget(acme, scope="workspace", period="day", limit=1000)
    failures = []

    def write(number):
        try:
            for step in range(5):
                event = turn(f"{number}-{step}", 50, conversation=f"c{number % 2}")
                receipt = services.accept_events(workspace=acme, body=json.dumps([event]).encode(), claimed=True)
                digested = services.digest_claimed([receipt.batch])
                watch_conversations(acme.pk, digested.conversation_ids, NOW)
        except Exception as error:  # noqa: BLE001 -- told below: a thread's exception would be lost
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert used(acme) == [1000]
    assert [(kind, percent) for kind, percent, _ in told(acme)] == [("warned", 80), ("reached", 100)]
    assert Incident.objects.count() == 1
