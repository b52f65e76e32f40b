from django.db.models import JSONField
from django.db.models.functions import Cast

from conversations.models import Message
from tests.factories import create_conversation, create_message

BLOCKS = [{"type": "tool_call", "name": "Edit", "input": {"old_string": "é", "file": "b", "a": 1}}]


def test_json_keeps_the_order_of_keys(acme):
    create_message(create_conversation(acme), blocks=BLOCKS)

    [blocks] = Message.objects.values_list("blocks", flat=True)

    assert list(blocks[0]["input"]) == ["old_string", "file", "a"]


def test_json_can_be_searched_when_cast(acme):
    create_message(create_conversation(acme), blocks=BLOCKS)

    found = Message.objects.annotate(json=Cast("blocks", JSONField())).filter(json__contains=[{"name": "Edit"}])

    assert found.get().json == BLOCKS
