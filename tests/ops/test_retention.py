import json
from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.ingest import inbox
from conversations.models import Activity, Batch, BatchProblem, Conversation, Hold, RetentionRule
from conversations.ops import retention
from conversations.ops.retention import Days, Schedule
from tests.factories import chunks_of, create_batch, create_conversation


def kept(workspace, **fields):
    batch = create_batch(workspace, **fields)
    inbox.store(batch, [b"as they came"])
    return batch


CASES = [  # state, days old, rejected, with a problem, purged
    ("digested", 29, 0, False, False),
    ("digested", 31, 0, False, True),
    ("digested", 31, 1, False, False),
    ("digested", 31, 0, True, False),
    ("digested", 119, 1, True, False),
    ("digested", 121, 1, True, True),
    ("failed", 31, 0, False, False),
    ("failed", 121, 0, False, True),
    ("pending", 1000, 0, False, False),
]


@pytest.mark.parametrize(("state", "days", "rejected", "with_problem", "purged"), CASES)
def test_bytes_are_kept_as_long_as_they_may_be_needed(acme, state, days, rejected, with_problem, purged):
    batch = kept(acme, state=state, rejected=rejected)
    Batch.objects.filter(pk=batch.pk).update(received_at=timezone.now() - timedelta(days=days))
    if with_problem:
        BatchProblem.objects.create(workspace=acme, batch=batch, code="bad_json", message="broken", line=1)

    assert retention.purge_raw() == purged
    assert chunks_of(batch).exists() != purged
    assert (Batch.objects.get().raw_deleted_at is not None) == purged
    assert BatchProblem.objects.exists() == with_problem
    assert retention.purge_raw() == 0


def test_each_workspace_has_its_own_days(acme, globex):
    acme.raw_days = 5
    acme.save()
    batches = [kept(workspace) for workspace in (acme, globex)]
    Batch.objects.update(received_at=timezone.now() - timedelta(days=10))

    retention.purge_raw()

    assert [chunks_of(batch).exists() for batch in batches] == [False, True]


def test_more_than_one_transaction_of_batches_is_purged(acme, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for _ in range(5):
        kept(acme)
    Batch.objects.update(received_at=timezone.now() - timedelta(days=31))

    assert retention.purge_raw() == 5
    assert not Batch.objects.filter(raw_deleted_at=None).exists()


# --- by agent, and holds --------------------------------------------------------------------------------------------


def holding(workspace, *agents, days):
    """A batch so old, with a conversation of each of these agents."""
    names = [create_conversation(workspace, agent=agent).external_id for agent in agents]
    batch = create_batch(workspace, found={"conversations": names})
    events = [{"type": "message", "id": "m", "conversation": name, "role": "user", "content": "Hi"} for name in names]
    inbox.store(batch, [json.dumps(events).encode()])
    Batch.objects.filter(pk=batch.pk).update(received_at=timezone.now() - timedelta(days=days))
    return batch


BY_AGENT = [  # agents in the batch, days old, purged
    (["brief"], 4, False),
    (["brief"], 6, True),
    (["other"], 29, False),
    (["other"], 31, True),
    (["brief", "other"], 29, False),
    (["brief", "other"], 31, True),
    (["brief", "long"], 31, False),
    (["brief", "long"], 91, True),
]


@pytest.mark.parametrize(("agents", "days", "purged"), BY_AGENT)
def test_bytes_stay_as_long_as_any_of_their_agents_keeps_them(acme, agents, days, purged):
    RetentionRule.objects.create(workspace=acme, agent_name="brief", raw_days=5)
    RetentionRule.objects.create(workspace=acme, agent_name="long", raw_days=90)
    holding(acme, *agents, days=days)

    assert retention.purge_raw() == purged


HOLDS = [{"agent_name": "coder"}, {"conversation": "first"}]


@pytest.mark.parametrize("hold", HOLDS)
def test_holds_stop_every_purge(acme, hold):
    acme.conversation_days = 10
    acme.save()
    batch = holding(acme, "coder", "other", days=1000)
    kept(acme, format="exchanges_unread")
    Batch.objects.update(received_at=timezone.now() - timedelta(days=1000))
    Conversation.objects.update(last_at=timezone.now() - timedelta(days=11))
    first = Conversation.objects.get(agent__name="coder")
    on = {"conversation": first} if "conversation" in hold else hold
    hold = Hold.objects.create(workspace=acme, reason="a case", **on)

    assert retention.purge_raw() == 0
    retention.purge_conversations(10)
    assert Conversation.objects.get() == first
    assert chunks_of(batch).exists()

    hold.released_at = timezone.now()
    hold.save()
    retention.purge_conversations(10)
    assert not Conversation.objects.exists()
    assert retention.purge_raw() == 1  # what was not understood; the other went with its conversations


def test_a_hold_is_also_on_what_delegated_and_on_what_was_delegated(acme):
    """They may lie in one file, whose bytes go as a whole."""
    acme.conversation_days = 10
    acme.save()
    old = timezone.now() - timedelta(days=11)
    create_conversation(acme, external_id="parent", last_at=old)
    held = create_conversation(acme, external_id="held", parent_external_id="parent", last_at=old)
    create_conversation(acme, external_id="child", parent_external_id="held", last_at=old)
    create_conversation(acme, external_id="stranger", last_at=old)
    Hold.objects.create(workspace=acme, conversation=held, reason="a case")

    retention.purge_conversations(10)

    assert set(Conversation.objects.values_list("external_id", flat=True)) == {"parent", "held", "child"}


def test_conversations_go_when_their_days_are_over(acme, globex):
    RetentionRule.objects.create(workspace=acme, agent_name="brief", raw_days=5, conversation_days=7)
    RetentionRule.objects.create(workspace=acme, agent_name="kept", raw_days=5)
    acme.conversation_days = 30
    acme.save()
    for workspace in (acme, globex):
        for agent, days in [("brief", 6), ("brief", 8), ("kept", 900), ("other", 29), ("other", 31), (None, 31)]:
            at = timezone.now() - timedelta(days=days)
            create_conversation(workspace, agent=agent, title=f"{agent} {days}", last_at=at)

    assert retention.purge_conversations(10) is False

    assert set(Conversation.objects.filter(workspace=acme).values_list("title", flat=True)) == {
        "brief 6", "kept 900", "other 29",
    }  # fmt: skip
    assert Conversation.objects.filter(workspace=globex).count() == 6
    row = Activity.objects.get()
    assert (row.actor, row.action, row.detail) == ("retention", "conversations.purged", {"conversations": 3})


def test_a_purge_whose_time_is_over_says_that_there_is_more(acme):
    acme.conversation_days = 1
    acme.save()
    create_conversation(acme, last_at=timezone.now() - timedelta(days=2))

    assert retention.purge_conversations(-1) is True
    assert Conversation.objects.exists()


def test_preview_is_what_a_purge_then_does(acme):
    for days in (5, 12, 40):
        batch = holding(acme, "coder", days=days)
        name = batch.found["conversations"][0]
        Conversation.objects.filter(external_id=name).update(last_at=timezone.now() - timedelta(days=days))
    schedule = Schedule(Days(30, None), {"coder": Days(raw=10, conversations=35)})

    now, week, month = retention.preview(acme, schedule)

    assert [(each.days, each.conversations, each.batches) for each in (now, week, month)] == [
        (0, 1, 2), (7, 1, 3), (30, 3, 3),
    ]  # fmt: skip
    assert now.raw_bytes == sum(Batch.objects.order_by("received_at").values_list("byte_count", flat=True)[:2])
    RetentionRule.objects.create(workspace=acme, agent_name="coder", raw_days=10, conversation_days=35)
    assert retention.purge_raw() == now.batches
    retention.purge_conversations(10)
    assert Conversation.objects.count() == 3 - now.conversations
