from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.audit import services
from conversations.audit.queries import compactions_to_audit, segment_of
from conversations.audit.services import audit_conversation, due_conversations, stale_conversations
from conversations.models import CompactionAudit, Conversation, Finding
from conversations.vocabulary import CompactionKind, Role, SummaryState
from tests.factories import create_compaction, create_conversation, create_message

RULE = "Never write to the table ledger_v1: the auditors have frozen it until March."
FINDING = (
    "The retry loop lives in billing/webhooks/retry.py and gives up after 5 attempts; "
    "dispatch_invoice() in billing/dispatch.py is its only caller."
)
PORT = "The staging database listens on port 5433, not on 5432."


def conversation_with_losses(workspace, summary="The user is migrating the billing service. Nothing else was agreed."):
    conversation = create_conversation(workspace, agent="coder", cwd="/srv/billing")
    said = [
        create_message(conversation, RULE),
        create_message(conversation, "I read the code. " + FINDING, role=Role.ASSISTANT),
        create_message(conversation, PORT, role=Role.USER),
    ]
    create_compaction(conversation, summary, dropped=said)
    return conversation


def follow(conversation, count, text="Carrying on with step {}."):
    for number in range(count):
        create_message(conversation, text.format(number), role=Role.ASSISTANT if number % 2 else Role.USER)


def test_audit_stores_what_was_forgotten_with_the_words_it_rests_on(acme):
    conversation = conversation_with_losses(acme)

    assert audit_conversation(conversation) == 1

    [finding] = Finding.objects.filter(text__contains="ledger_v1")
    message, block, start, end = finding.spans[0]
    row = conversation.messages.get(external_id=message)
    assert (finding.outcome, finding.kind) == ("forgotten", "prohibition")
    assert row.blocks[block]["text"][start:end] == finding.quote
    audit = CompactionAudit.objects.get()
    assert (audit.state, audit.forgotten, audit.facts) == (
        "done",
        Finding.objects.filter(outcome="forgotten").count(),
        Finding.objects.count(),
    )


def test_audit_of_a_summary_that_holds_everything_finds_nothing_lost(acme):
    conversation = conversation_with_losses(acme, f"User: {RULE}\n{FINDING}\n{PORT}")

    audit_conversation(conversation)

    assert list(Finding.objects.lost()) == []
    assert CompactionAudit.objects.get().retention == 1.0


def test_audit_again_changes_nothing_and_a_new_version_keeps_the_rows(acme, monkeypatch):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    before = list(Finding.objects.order_by("number").values())

    again = audit_conversation(conversation)
    monkeypatch.setattr(services, "AUDITOR_VERSION", "next")
    renewed = audit_conversation(conversation)

    assert (again, renewed) == (0, 1)
    assert list(Finding.objects.order_by("number").values()) == before


def test_audit_again_when_a_dropped_message_arrives_late(acme):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    compaction = conversation.compactions.get()

    create_message(
        conversation,
        "Always answer the customer in German, she asked for it twice.",
        position=15,
        dropped_by=compaction,
    )

    assert audit_conversation(conversation) == 1
    assert Finding.objects.filter(text__contains="German").exists()


def test_audit_looks_again_when_the_conversation_has_grown_by_half(acme):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)

    follow(conversation, 10)
    too_little = audit_conversation(conversation)
    follow(conversation, 15)
    enough = audit_conversation(conversation)

    assert (too_little, enough) == (0, 1)
    assert CompactionAudit.objects.get().seen_messages == 25


def test_small_growth_is_looked_at_once_it_has_waited(acme):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    follow(conversation, 3)
    audit_conversation(conversation)
    assert due_conversations() == []

    Conversation.objects.update(audit_due_at=timezone.now() - timedelta(seconds=1))

    assert due_conversations() == [conversation.pk]
    assert audit_conversation(Conversation.objects.get(), settled=True) == 1
    assert Conversation.objects.get().audit_due_at is None


def test_an_encrypted_summary_is_unreadable_and_nothing_is_claimed(acme):
    conversation = create_conversation(acme)
    said = create_message(conversation, RULE)
    create_compaction(
        conversation, None, dropped=[said], kind=CompactionKind.HOSTED_OPAQUE, summary_state=SummaryState.ENCRYPTED
    )

    audit_conversation(conversation)

    audit = CompactionAudit.objects.get()
    assert (audit.state, audit.retention, audit.facts) == ("unreadable", None, 0)


def test_a_failure_is_stored_and_told_and_tried_by_the_next_version(acme, monkeypatch, caplog):
    conversation = conversation_with_losses(acme)

    def broken(segment):
        raise ValueError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(services, "audit_segment", broken)
        audit_conversation(conversation)

    assert CompactionAudit.objects.get().state == "failed"
    assert "audit_failed" in caplog.text
    monkeypatch.setattr(services, "AUDITOR_VERSION", "next")
    assert stale_conversations() == [conversation.pk]
    audit_conversation(conversation)
    assert CompactionAudit.objects.get().state == "done"


def test_life_lines_follow_a_fact_until_it_dies(acme):
    conversation = conversation_with_losses(acme, RULE)
    first = conversation.compactions.get()
    later = [first.summary_message, create_message(conversation, "Now the invoices, please.")]
    create_compaction(conversation, "Invoices are being worked on.", dropped=later)

    audit_conversation(conversation)

    [line] = conversation.life_lines.filter(text__contains="ledger_v1")
    assert [stage["outcome"] for stage in line.stages] == ["kept", "forgotten"]
    assert (line.generations_kept, line.died_at) == (1, 2)


@pytest.mark.parametrize("following", [0, 1, 40])
def test_what_followed_is_counted_up_to_the_limit(acme, monkeypatch, following):
    monkeypatch.setattr(services, "FOLLOWING_MESSAGES", 30)
    conversation = conversation_with_losses(acme)
    follow(conversation, following)

    audit_conversation(conversation)

    assert CompactionAudit.objects.get().seen_messages == min(following, 30)


def test_what_earlier_compactions_dropped_is_read_when_asked_for(acme):
    conversation = create_conversation(acme, agent="coder")
    first = create_message(conversation, RULE)
    create_compaction(conversation, "The first summary.", dropped=[first])
    create_compaction(conversation, "The second summary.", dropped=[create_message(conversation, FINDING)])

    segments = [segment_of(compaction) for compaction in compactions_to_audit(conversation)]

    assert [[line.text for line in segment.earlier()] for segment in segments] == [[], [RULE]]
