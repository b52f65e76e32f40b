from tests.factories import (
    create_api_key,
    create_batch,
    create_compaction,
    create_conversation,
    create_message,
    create_request,
)


def test_factories_make_a_compacted_conversation(acme):
    conversation = create_conversation(acme, agent="support")
    first = create_message(conversation, "never deploy on Friday")
    create_request(conversation, 5000)

    compaction = create_compaction(conversation, "be careful", dropped=[first])

    assert list(compaction.dropped_messages.all()) == [first]
    assert compaction.summary_message.blocks == [{"type": "summary", "text": "be careful"}]
    assert (conversation.message_count, conversation.request_count, conversation.compaction_count) == (2, 1, 1)


def test_factories_make_batches_and_keys(acme):
    batch = create_batch(acme, b"{}", problems=[{"line": 3}])
    row, key = create_api_key(acme, ["read"])

    assert batch.problems.get().line == 3
    assert (row.scopes, len(key)) == (["read"], 47)
