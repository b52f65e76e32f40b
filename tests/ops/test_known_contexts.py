from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.ingest import services
from conversations.models import ContextPage, Conversation, KnownContexts, Message
from conversations.ops.known_contexts import DAYS, purge_known_contexts
from tests.ingest.agents import Client


@pytest.fixture
def clients(acme):
    """Two conversations, the first of which nobody has gone on with for long; and how to go on."""

    def accept(*exchanges):
        services.accept_exchanges(workspace=acme, exchanges=exchanges, source="exchanges")
        services.digest_pending()

    old, new = Client("old"), Client("new")
    accept(*old.turns(3), *new.turns(3))
    KnownContexts.objects.filter(external_id="old").update(updated_at=timezone.now() - timedelta(days=DAYS, minutes=1))
    KnownContexts.objects.filter(external_id="new").update(updated_at=timezone.now() - timedelta(days=DAYS - 1))
    return old, accept


def test_contexts_of_conversations_that_ended_long_ago_are_forgotten(clients):
    assert purge_known_contexts() == 1

    [known] = KnownContexts.objects.all()
    assert known.external_id == "new"
    assert set(ContextPage.objects.values_list("contexts_id", flat=True)) == {known.pk}
    assert purge_known_contexts() == 0


def test_conversation_that_goes_on_after_all_is_not_told_twice(clients):
    old, accept = clients
    tasks.purge()
    assert not KnownContexts.objects.filter(external_id="old").exists()

    accept(old.turn("Are you still there?", "Yes."))

    conversation = Conversation.objects.get(external_id="old")
    assert Message.objects.filter(conversation=conversation).count() == len(old.history) == 8
