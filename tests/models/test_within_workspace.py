import pytest
from django.db import IntegrityError, connection

from conversations.models import Compaction, Conversation, Message
from tests.factories import (
    create_agent,
    create_api_key,
    create_batch,
    create_compaction,
    create_conversation,
    create_message,
    create_request,
)


def test_message_cannot_lie_in_another_workspace_than_its_conversation(acme, globex):
    conversation = create_conversation(acme)

    with pytest.raises(IntegrityError, match="message_conversation_within_workspace"):
        Message.objects.create(
            workspace=globex, conversation=conversation, external_id="m", position=1, role="user", blocks=[], size=0,
            content_hash=b"",
        )  # fmt: skip


def test_message_cannot_be_dropped_by_a_compaction_of_another_workspace(acme, globex):
    message = create_message(create_conversation(acme))
    foreign = create_compaction(create_conversation(globex))

    with pytest.raises(IntegrityError, match="message_dropped_by_within_workspace"):
        Message.objects.filter(pk=message.pk).update(dropped_by=foreign)


def test_conversation_cannot_have_an_agent_of_another_workspace(acme, globex):
    foreign = create_agent(globex)

    create_conversation(acme, agent=foreign)

    with pytest.raises(IntegrityError, match="conversation_agent_within_workspace"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_conversation_takes_its_rows_along(acme):
    conversation = create_conversation(acme)
    message = create_message(conversation)
    create_compaction(conversation, dropped=[message])
    create_request(conversation)

    conversation.delete()

    assert not Message.objects.exists()
    assert not Compaction.objects.exists()


def test_compaction_gives_its_messages_back(acme):
    message = create_message(create_conversation(acme))
    compaction = create_compaction(message.conversation, dropped=[message])

    compaction.delete()

    message.refresh_from_db()
    assert message.dropped_by is None


def test_workspace_takes_everything_along(acme):
    conversation = create_conversation(acme, agent="support")
    create_compaction(conversation, dropped=[create_message(conversation)])
    key, _ = create_api_key(acme)
    create_batch(acme, api_key=key, problems=[{}])

    acme.delete()

    assert not Conversation.objects.exists()
