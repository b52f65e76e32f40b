from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from conversations.audit import boundary, keeping, queries, services
from conversations.audit.boundary import Boundaries
from conversations.audit.services import audit_conversation
from conversations.models import BoundaryWork, CompactionAudit, Finding, Message
from conversations.vocabulary import Role
from tests.audit.test_services import conversation_with_losses, follow
from tests.factories import create_message

FIGURES = ("retention", "retention_low", "retention_high", "facts", "kept", "altered", "forgotten", "risk", "state")


@pytest.fixture
def another_process(monkeypatch):
    """Call it: what is in memory is gone, as in a worker that has not seen the conversation."""
    return lambda: monkeypatch.setattr(services, "_BOUNDARIES", Boundaries())


@pytest.fixture
def judging():
    with patch.object(boundary, "judge", wraps=boundary.judge) as spy:
        yield spy


def told():
    rows = Finding.objects.order_by("number").values()
    return list(rows), list(CompactionAudit.objects.values(*FIGURES))


def test_another_process_judges_no_fact_again_and_says_the_same(acme, another_process, judging):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    follow(conversation, 25)
    another_process()
    judging.reset_mock()

    assert audit_conversation(conversation) == 1
    assert not judging.called
    kept = told()

    BoundaryWork.objects.all().delete()
    CompactionAudit.objects.update(version="0")
    another_process()
    audit_conversation(conversation)

    assert judging.called
    assert told() == kept


def test_other_texts_are_judged_anew_and_their_work_takes_the_place(acme, another_process, judging):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    first = bytes(BoundaryWork.objects.get().digest)
    Message.objects.filter(position=conversation.messages.earliest("position").position).update(
        blocks=[{"type": "text", "text": "Never write to the table ledger_v2."}]
    )
    CompactionAudit.objects.update(input_key="")
    another_process()
    judging.reset_mock()

    audit_conversation(conversation)

    assert judging.called
    assert bytes(BoundaryWork.objects.get().digest) != first


def test_what_another_version_said_counts_for_nothing(acme, another_process, judging):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    BoundaryWork.objects.update(version="0")
    another_process()
    judging.reset_mock()
    follow(conversation, 25)

    audit_conversation(conversation)

    assert judging.called
    assert BoundaryWork.objects.get().version == keeping.AUDITOR_VERSION


def test_what_a_release_with_other_fields_wrote_is_made_anew(acme, another_process, judging):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    other = keeping.zstandard.ZstdCompressor().compress(keeping.msgspec.msgpack.encode({"facts": []}))
    BoundaryWork.objects.update(body=other)
    another_process()
    judging.reset_mock()
    follow(conversation, 25)

    assert audit_conversation(conversation) == 1
    assert judging.called
    assert CompactionAudit.objects.get().error == ""


def test_nothing_is_kept_once_no_more_is_read_of_what_followed(acme, monkeypatch):
    monkeypatch.setattr(services, "FOLLOWING_MESSAGES", 4)
    monkeypatch.setattr(queries, "FOLLOWING_MESSAGES", 4)
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    assert BoundaryWork.objects.exists()

    follow(conversation, 4)
    audit_conversation(conversation, settled=True)

    assert not BoundaryWork.objects.exists()


def test_what_nobody_has_used_for_a_day_goes_and_use_keeps_it(acme):
    conversation = conversation_with_losses(acme)
    audit_conversation(conversation)
    old = timezone.now() - keeping.KEPT_FOR - timedelta(minutes=1)
    BoundaryWork.objects.update(at=old)

    create_message(conversation, "Carrying on.", role=Role.ASSISTANT)
    audit_conversation(conversation, settled=True)
    assert keeping.drop_idle() == 0

    BoundaryWork.objects.update(at=old)
    assert keeping.drop_idle() == 1
    assert not BoundaryWork.objects.exists()
