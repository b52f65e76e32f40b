import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from conversations.ingest import digest, services
from conversations.models import Batch, BatchProblem, Compaction, Conversation, Message, Request, Workspace
from tests.ingest.conftest import take_snapshot


def message(number, text=None, *, conversation="c", **fields):
    content = text or f"message {number}"
    return {
        "type": "message", "id": f"m{number}", "conversation": conversation, "sequence": number, "role": "user",
        "at": "2026-11-20T09:00:00Z", "content": content, **fields,
    }  # fmt: skip


def request(number, context, *, conversation="c", **fields):
    return {
        "type": "request", "id": f"r{number}", "conversation": conversation, "sequence": number, "model": "opus",
        "at": "2026-11-20T09:00:00Z", "usage": {"input_tokens": context, "output_tokens": 10}, **fields,
    }  # fmt: skip


def compaction(number, summary="so far", *, conversation="c", **fields):
    return {
        "type": "compaction", "id": f"k{number}", "conversation": conversation, "sequence": number, "trigger": "auto",
        "at": "2026-11-20T09:00:00Z", "summary": summary, **fields,
    }  # fmt: skip


STORY = [
    message(1), request(2, 1000), message(3), request(4, 5000), compaction(5), message(6), request(7, 800),
    message(8), request(9, 3000), compaction(10, kept=["m8"]), message(11), request(12, 700), request(13, 900),
]  # fmt: skip


def test_story_is_told_by_its_rows(send):
    batch = send(STORY)

    first, second = Compaction.objects.order_by("number")
    assert (first.number, first.tokens_before_observed, first.tokens_after_observed) == (1, 5010, 800)
    assert (second.number, second.tokens_before_observed, second.tokens_after_observed) == (2, 3010, 700)
    assert {m.external_id for m in first.dropped_messages.all()} == {"m1", "m3"}
    assert {m.external_id for m in second.dropped_messages.all()} == {"m6", "k5/summary"}
    assert (first.dropped_count, first.kept_count, second.dropped_count, second.kept_count) == (2, 0, 2, 1)
    assert first.summary_message.blocks == [{"type": "summary", "text": "so far"}]
    conversation = Conversation.objects.get()
    assert (conversation.message_count, conversation.request_count, conversation.compaction_count) == (7, 6, 2)
    assert (conversation.tokens_now, conversation.tokens_peak) == (900, 5000)
    assert conversation.sparkline["marks"] == [2, 4]
    assert (batch.state, batch.found["messages"], batch.found["compactions"]) == ("digested", 5, 2)


def test_times_are_the_agents_even_where_some_events_have_none(send):
    send([{"type": "conversation", "conversation": "c", "title": "No time told"}, message(1)])

    conversation = Conversation.objects.get()

    assert conversation.started_at == conversation.last_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_times_are_ours_only_until_the_agents_are_known(send):
    send([{"type": "conversation", "conversation": "c", "title": "No time told"}])
    untimed = Conversation.objects.get()

    send([message(1)])

    assert untimed.started_at is None
    assert timezone.now() - untimed.last_at < timedelta(minutes=10)
    assert Conversation.objects.get().last_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


class AnyOrder(HypothesisTestCase):
    """Hypothesis needs a transaction an example, which its own test case brings."""

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(order=st.permutations(STORY), cuts=st.lists(st.integers(1, len(STORY) - 1), max_size=4))
    def test_any_order_and_any_batching_gives_the_same_rows(self, order, cuts):
        expected = self.snapshot_of([STORY])
        edges = [0, *sorted(set(cuts)), len(order)]

        snapshot = self.snapshot_of([order[a:b] for a, b in pairwise(edges)])

        assert {name: rows for name, rows in snapshot.items() if rows != expected[name]} == {}

    def snapshot_of(self, batches):
        Workspace.objects.filter(slug="orders").delete()
        workspace = Workspace.objects.create(slug="orders", name="Orders")
        for events in batches:
            body = json.dumps({"events": events}).encode()
            services.accept_events(workspace=workspace, body=body)
        while services.claim():
            pass
        for batch in Batch.objects.order_by("id"):
            services.digest_claimed([batch])
        return take_snapshot()


def test_overlapping_batches_store_every_event_once(send, snapshot):
    send(STORY)
    before = snapshot()

    send(STORY[3:9])
    send([*STORY[:5], *STORY[8:]])

    assert snapshot() == before


def test_digesting_again_changes_nothing(send, snapshot):
    batch = send(STORY)
    send(STORY[2:7])
    before = snapshot()

    services.redigest(Batch.objects.filter(pk=batch.pk))
    services.digest_pending()

    assert snapshot() == before


def test_same_id_with_other_content_is_told_and_the_first_kept(send):
    send([message(1, "first")])

    batch = send([message(2), message(1, "second")])

    assert Message.objects.get(external_id="m1").blocks[0]["text"] == "first"
    problem = batch.problems.get()
    assert (problem.code, problem.line, problem.field) == ("conflict", 1, "id")


def test_same_id_twice_in_one_batch_is_told(send):
    batch = send([message(1, "first"), message(1, "second"), message(1, "first")])

    assert [problem.line for problem in batch.problems.all()] == [1]
    assert Message.objects.get().blocks[0]["text"] == "first"


def test_last_request_wins_whatever_is_digested_again(send):
    first = send([request(1, 100)])
    send([request(1, 900)])

    services.redigest(Batch.objects.filter(pk=first.pk))
    services.digest_pending()

    assert Request.objects.get().context_tokens == 900
    assert Conversation.objects.get().tokens_peak == 900


def test_summary_may_be_said_anew(send):
    send([compaction(1, "draft")])

    send([compaction(1, "final")])

    assert Compaction.objects.get().summary_message.blocks == [{"type": "summary", "text": "final"}]
    assert not BatchProblem.objects.exists()


def test_failed_compaction_drops_nothing(send):
    send([message(1), compaction(2, None, summary_state="failed"), message(3)])

    compaction_row = Compaction.objects.get()
    assert (compaction_row.dropped_count, compaction_row.summary_state) == (0, "failed")
    assert Conversation.objects.get().sparkline["marks"] == []


def test_cleared_tool_results_leave_the_context(send):
    result = {"type": "tool_result", "id": "t1", "text": "long output"}
    send(
        [
            message(1, [{"type": "tool_call", "id": "t1", "name": "Bash"}], role="assistant"),
            message(2, [result], role="tool"),
            message(3, [result, {"type": "text", "text": "and more"}]),
            compaction(4, None, kind="microcompact", cleared=["t1"]),
        ]
    )

    [row] = Compaction.objects.all()
    assert [m.external_id for m in row.dropped_messages.all()] == ["m2"]
    assert (row.dropped_count, row.kept_count) == (1, 2)


def test_events_without_time_or_sequence_keep_their_order(send):
    events = [{"type": "message", "id": f"m{n}", "conversation": "c", "role": "user", "content": "x"} for n in range(5)]

    send(events)

    assert list(Message.objects.order_by("position").values_list("external_id", flat=True)) == [
        "m0", "m1", "m2", "m3", "m4",
    ]  # fmt: skip


def test_conversation_facts_overwrite_and_leave_out(send):
    send(
        [
            {
                "type": "conversation",
                "conversation": "c",
                "title": "Old",
                "agent": "bot",
                "agent_version": "1",
                "cwd": "/x",
            }
        ]
    )

    send(
        [{"type": "conversation", "conversation": "c", "title": "New", "agent_version": "2", "context_window": 200000}]
    )

    row = Conversation.objects.get()
    assert (row.title, row.cwd, str(row.agent), row.context_window) == ("New", "/x", "bot 2", 200000)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d an emoji", "\u2028", "a\\u0000b"])
def test_any_text_is_stored(send, text):
    batch = send([message(1, text), message(2)])

    assert batch.state == "digested"
    assert Message.objects.count() == 2


def test_poison_batch_is_given_up_and_blocks_nobody(acme, monkeypatch):
    bodies = [json.dumps({"events": [message(n)]}).encode() for n in range(3)]
    batches = [services.accept_events(workspace=acme, body=body).batch for body in bodies]
    real = digest._write

    def poisoned(gathering, founds):
        if batches[1].pk in founds:
            raise ValueError("poison")
        return real(gathering, founds)

    monkeypatch.setattr(digest, "_write", poisoned)
    for _ in range(digest.MOST_ATTEMPTS):
        services.digest_pending()
        Batch.objects.update(claimed_until=None)

    assert list(Batch.objects.order_by("id").values_list("state", flat=True)) == ["digested", "failed", "digested"]
    assert Batch.objects.get(state="failed").error == "ValueError: poison"
    monkeypatch.undo()
    services.redigest(Batch.objects.filter(state="failed"))
    services.digest_pending()
    assert Message.objects.count() == 3


def test_batch_that_always_kills_its_worker_is_given_up_and_blocks_nobody(acme):
    for number in range(2):
        services.accept_events(workspace=acme, body=json.dumps({"events": [message(number)]}).encode())
    killing = Batch.objects.earliest("id")
    for _ in range(digest.MOST_ATTEMPTS):
        assert services.claim(only=killing.pk) == [killing]
        Batch.objects.update(claimed_until=None)  # the worker died, and the lease is over

    services.digest_pending()

    assert list(Batch.objects.order_by("id").values_list("state", flat=True)) == ["failed", "digested"]
    assert "broken off every time" in Batch.objects.get(state="failed").error


def test_claimed_batch_is_nobody_elses_until_the_lease_ends(acme):
    services.accept_events(workspace=acme, body=json.dumps({"events": [message(1)]}).encode())

    [batch] = services.claim()

    assert services.claim() == []
    Batch.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert services.claim() == [batch]


def test_batch_that_failed_before_is_claimed_alone(acme):
    for number in range(3):
        services.accept_events(workspace=acme, body=json.dumps({"events": [message(number)]}).encode())
    Batch.objects.filter(pk=Batch.objects.earliest("id").pk).update(attempts=1)

    assert [len(services.claim()) for _ in range(3)] == [1, 2, 0]


def test_failure_in_the_middle_leaves_nothing_behind(acme, monkeypatch):
    services.accept_events(workspace=acme, body=json.dumps({"events": STORY}).encode())
    monkeypatch.setattr(digest, "_finish", lambda *_args: (_ for _ in ()).throw(ValueError("killed")))

    services.digest_pending()

    assert not Message.objects.exists()
    monkeypatch.undo()
    Batch.objects.update(claimed_until=None)
    services.digest_pending()
    assert Conversation.objects.get().message_count == 7


@pytest.mark.django_db(transaction=True)
def test_worker_killed_in_the_middle_loses_and_doubles_nothing(snapshot, database_url):
    workspace = Workspace.objects.create(slug="killed", name="Killed")
    body = json.dumps({"events": STORY}).encode()
    receipt = services.accept_events(workspace=workspace, body=body)
    code = (
        "import os, signal, django; django.setup()\n"
        "from conversations.ingest import digest, services\n"
        "digest._finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "services.digest_pending()\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "observatory.settings", "DATABASE_URL": database_url}

    killed = subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL
    batch = Batch.objects.get()
    assert (batch.state, batch.attempts) == ("pending", 1)
    Batch.objects.update(claimed_until=None)
    services.digest_claimed(services.claim(only=receipt.batch.pk))
    assert Conversation.objects.get().message_count == Message.objects.count() == 7
