"""What was stored before redaction was turned on loses its secrets as well, wherever it stands."""

import json

import pytest
from django.apps import apps
from django.db import models

from conversations import tasks
from conversations.audit.services import audit_conversation, due_conversations
from conversations.ingest import services
from conversations.models import (
    Activity,
    Batch,
    BoundaryWork,
    Comment,
    Compaction,
    Conversation,
    Finding,
    Hold,
    LedgerEntry,
    LlmAnswer,
    Mark,
    Message,
    RedactionRun,
    Review,
    Thread,
)
from conversations.ops import redacting
from conversations.ops.moving_marks import place_in
from conversations.ops.redaction_tables import TABLES
from conversations.redaction.settings import redactor_of, settings_of
from conversations.vocabulary import Redaction, RedactionState
from tests.ingest.test_digest import compaction, message
from tests.ingest.test_redacting import CARD, EVENTS, SECRET, TOKEN, everything_stored

RULE = f"Never write to {SECRET} before the release is out."


@pytest.fixture
def stored(acme, alice):
    """Two conversations full of secrets, audited, reviewed and talked about."""
    events = [
        *EVENTS,
        message(10, RULE, conversation="d"),
        compaction(11, "The release is being prepared.", conversation="d"),
        message(12, "Go on.", conversation="d"),
    ]
    body = json.dumps({"events": events}).encode()
    receipt = services.accept_events(workspace=acme, body=body, claimed=True)
    services.digest_claimed([receipt.batch])
    audit_conversation(Conversation.objects.get(external_id="d"))
    found = Compaction.objects.get(external_id="k11")
    review = Review.objects.create(workspace=acme, compaction=found, reviewer=alice.user, comment=f"ask {SECRET}")
    Mark.objects.create(workspace=acme, review=review, compaction=found, what="missed", start=0, end=9, quote=RULE)
    thread = Thread.objects.create(workspace=acme, compaction=found, about=RULE)
    Comment.objects.create(workspace=acme, thread=thread, author=alice.user, author_name="Alice", text=f"@{SECRET}")
    LlmAnswer.objects.create(workspace=acme, key="k", answer=RULE)
    LlmAnswer.objects.create(workspace=acme, key="l", answer=RULE, compaction=found)
    LedgerEntry.objects.create(workspace=acme, name=RULE, text=RULE, anchors=[SECRET], kind="C1")
    acme.redaction = Redaction.INGEST
    acme.save()
    return acme


def run_to_the_end(workspace, by):
    run = redacting.begin(workspace, by)
    while redacting.work_on(run.pk, 60):
        pass
    run.refresh_from_db()
    return run


def test_nothing_stored_holds_a_secret_afterwards(stored, alice):
    assert Finding.objects.filter(text__contains=SECRET).exists()
    assert BoundaryWork.objects.exists()

    run = run_to_the_end(stored, alice.user)

    rest = everything_stored()
    for secret in (SECRET, TOKEN, str(CARD)):
        assert secret not in rest
    assert not BoundaryWork.objects.exists()  # compressed
    assert (run.state, run.error) == (RedactionState.DONE, "")
    assert run.done == run.total
    assert 10 < run.changed < run.total
    assert Batch.objects.get().raw_deleted_at is not None


def test_conversations_are_audited_anew_with_their_new_words(stored, alice):
    run_to_the_end(stored, alice.user)
    due = Conversation.objects.get(external_id="d")
    assert due.pk in due_conversations()
    audit_conversation(due, settled=True)

    finding = Finding.objects.get(text__startswith="Never write to")
    [external_id, block, start, end] = finding.spans[0]
    text = Message.objects.get(external_id=external_id, conversation=finding.conversation).blocks[block]["text"]
    assert redactor_of(stored).placeholder("email", SECRET) in text[start:end]


def test_same_events_again_change_nothing(stored, alice, send_again):
    run_to_the_end(stored, alice.user)
    before = list(Message.objects.order_by("pk").values("blocks", "content_hash", "size", "excerpt"))

    batch = send_again([*EVENTS[:3], message(10, RULE, conversation="d"), message(99)])

    assert not batch.problems.exists()
    assert list(Message.objects.order_by("pk").values("blocks", "content_hash", "size", "excerpt"))[:-1] == before


@pytest.fixture
def send_again(stored):
    def send(events):
        stored.redaction = "ingest"
        stored.save()
        receipt = services.accept_events(workspace=stored, body=json.dumps({"events": events}).encode(), claimed=True)
        services.digest_claimed([receipt.batch])
        return receipt.batch

    return send


def test_second_run_changes_nothing(stored, alice):
    run_to_the_end(stored, alice.user)
    before = everything_stored_of_conversations()

    assert run_to_the_end(stored, alice.user).changed == 0
    assert everything_stored_of_conversations() == before


def everything_stored_of_conversations():
    return list(Message.objects.order_by("pk").values()), list(Finding.objects.order_by("pk").values())


def test_later_detectors_find_more_and_the_message_stays_known(stored, alice, send_again):
    run_to_the_end(stored, alice.user)
    chosen = settings_of(stored)
    stored.redaction_patterns.create(name="release", expression="release")
    chosen.save()

    run_to_the_end(stored, alice.user)

    assert "[release #" in Message.objects.get(external_id="m10").blocks[0]["text"]
    assert not send_again([message(10, RULE, conversation="d"), message(98)]).problems.exists()


def test_held_conversations_stay_as_they_are(stored, alice):
    held = Conversation.objects.get(external_id="d")
    Hold.objects.create(workspace=stored, conversation=held, reason="lawsuit")

    run_to_the_end(stored, alice.user)

    assert SECRET in Message.objects.get(external_id="m10").blocks[0]["text"]
    assert SECRET not in str(Message.objects.get(external_id="m1").blocks)
    assert Batch.objects.get().raw_deleted_at is None, "it holds both"


def test_runs_do_not_meet_and_go_on_after_a_dead_worker(stored, alice):
    run = redacting.begin(stored, alice.user)
    assert redacting.begin(stored, alice.user) == run
    assert redacting.left_behind() == [run.pk]

    assert redacting.work_on(run.pk, 0), "it was claimed, and there was no time"
    tasks.resume_redactions()
    run.refresh_from_db()
    assert run.state == RedactionState.DONE
    assert [row.action for row in Activity.objects.order_by("pk")] == ["redaction.run_begun", "redaction.run_done"]


def test_run_begins_again_when_the_settings_change_meanwhile(stored, alice):
    run = redacting.begin(stored, alice.user)
    renewal = redacting.Renewal(stored)
    assert redacting._step(run, renewal)
    assert run.after

    redacting.begin(stored, alice.user)

    assert not redacting._step(run, renewal), "its settings are old ones"
    run.refresh_from_db()
    assert (run.table, run.after, run.done) == (0, 0, 0)


def test_who_changes_a_redacted_comment_or_review_is_told(stored, alice):
    before = Comment.objects.get().revision, Review.objects.get().revision

    run_to_the_end(stored, alice.user)

    assert (Comment.objects.get().revision, Review.objects.get().revision) == (before[0] + 1, before[1] + 1)
    run_to_the_end(stored, alice.user)
    assert Comment.objects.get().revision == before[0] + 1


def test_marks_stay_on_their_words(stored, alice):
    mark = Mark.objects.get()
    said = Message.objects.get(external_id="m10")
    summary = Mark.objects.create(
        workspace=stored,
        review=mark.review,
        compaction=mark.compaction,
        what="invented",
        start=4,
        end=11,
        quote="release",
    )
    again = RULE.index("release")
    Mark.objects.filter(pk=mark.pk).update(message=said, start=again, end=again + 7, quote="release")

    run_to_the_end(stored, alice.user)

    mark.refresh_from_db()
    summary.refresh_from_db()
    text = Message.objects.get(external_id="m10").blocks[0]["text"]
    assert text[mark.start : mark.end] == "release"
    assert mark.start != again
    assert (summary.start, summary.end) == (4, 11)


@pytest.mark.parametrize(
    ("was", "text", "quoted", "quote", "start", "place"),
    [
        ("a S b S", "a [x] b [x]", "S", "[x]", 6, 8),
        ("a S b S", "a [x] b [x]", "b", "b", 4, 6),
        ("a S b", "a [x] b", "S b", "[x] b", 2, 2),
        ("a secret b", "a [x] b", "ret b", "ret b", 5, None),
    ],
)
def test_place_is_that_of_the_same_words(was, text, quoted, quote, start, place):
    assert place_in(text, was, quote, quoted, start) == place


def test_failed_run_says_so_quotes_nothing_and_can_be_gone_on_with(stored, alice, monkeypatch, caplog):
    def fail(*_args):
        raise ValueError(SECRET)

    run = redacting.begin(stored, alice.user)
    with monkeypatch.context() as patch:
        patch.setattr(redacting, "_renew", fail)
        assert not redacting.work_on(run.pk, 60)
    run.refresh_from_db()
    assert (run.state, run.error) == (RedactionState.FAILED, "ValueError. The server's log says where.")
    assert "_step" in caplog.text
    assert SECRET not in caplog.text

    redacting.try_again(run)
    assert not redacting.work_on(run.pk, 60)
    assert RedactionRun.objects.get().state == RedactionState.DONE


def test_other_workspaces_are_left_alone(stored, alice, globex):
    Conversation.objects.create(
        workspace=globex, source="events", external_id="g", title=SECRET, last_at="2026-11-20T09:00:00Z"
    )

    run_to_the_end(stored, alice.user)

    assert Conversation.objects.get(workspace=globex).title == SECRET


#: Columns that no run goes through, and why that is right.
STAY = {
    "by them rows are found": {
        "conversation.external_id", "conversation.parent_external_id", "message.external_id", "request.external_id",
        "compaction.external_id", "compaction.summary_external_id", "compaction.dropped_ids", "compaction.kept_ids",
        "compaction.cleared_ids", "knowncontexts.external_id", "budgetevent.external_id", "batch.source_key",
        "batch.found", "budgetevent.conversation_name", "notice.url",
    },
    "done block by block, or deleted": {"message.blocks", "message.excerpt", "llmanswer.answer", "llmreading.reading"},
    "figures and places": {"conversation.sparkline", "finding.spans", "finding.parts", "review.criteria"},
    "sentences of ours": {
        "batchproblem.mend", "compactionaudit.error", "compactionaudit.llm_reason", "compactionaudit.llm_key",
        "ruleprogress.states", "ruleprogress.told", "ruleprogress.problem", "rulerun.worst", "rulerun.places",
        "rulerun.problem", "incident.group", "delivery.last_error",
        "llmcall.error", "activity.target", "activity.detail", "deletion.error", "redactionrun.error",
        "channel.off_reason", "channel.last_failure", "maildigest.failure", "rankingversion.weights",
        "rankingversion.trial",
    },
    "settings that people typed": {
        "channel.sealed", "budget.conversation_name", "budget.message", "budgetoverride.conversation_name",
        "budgetoverride.reason", "rule.note", "silence.group", "silence.reason", "hold.reason", "deletion.needles",
        "redactionsettings.sealed_key", "redactionpattern.expression", "queue.instructions", "queue.rubric",
        "queue.filters", "signinprovider.issuer", "signinprovider.client_id",
    },
    "people's own": {"session.session_data", "session.browser", "secondfactor.sealed_secret"},
    "encrypted": {"hiddensecret.sealed", "signinprovider.sealed_secret"},
}  # fmt: skip
_LONG = 300  # characters of a column that may hold a sentence somebody said


def may_hold_words(field):
    long = isinstance(field, models.CharField) and (field.max_length or 0) >= _LONG
    return not field.choices and (long or isinstance(field, models.TextField | models.JSONField))


def test_every_column_of_words_is_gone_through_or_says_why_not():
    """A new column has to say how; tables without a workspace hold nothing that an agent said."""
    done = {
        f"{table.model._meta.model_name}.{name}"
        for table in TABLES
        for name in (*table.texts, *table.values, *table.quotes, *table.unseen)
    }
    columns = {
        f"{model._meta.model_name}.{field.name}"
        for model in apps.get_app_config("conversations").get_models()
        for field in model._meta.concrete_fields
        if may_hold_words(field)
    }
    stay = {name for names in STAY.values() for name in names}

    assert columns - done - stay == set(), "name it in ops.redaction_tables.TABLES, or here with the reason"
    assert stay & done == set()
