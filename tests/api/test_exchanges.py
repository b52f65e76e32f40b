import json

import pytest

from conversations import tasks
from conversations.models import Batch, BatchProblem, Conversation, Message, Request
from tests.factories import create_api_key

URL = "/api/v1/exchanges"


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """What is put into the queue; tests digest with `?wait=1`."""
    names = []
    monkeypatch.setattr(tasks.digest, "delay", lambda: names.append("digest"))
    return names


@pytest.fixture
def key(acme):
    return create_api_key(acme, ["ingest"])[1]


def post(client, key, body, query="?wait=1", **headers):
    body = json.dumps(body) if isinstance(body, dict | list) else body
    headers = {"Authorization": f"Bearer {key}", **headers}
    return client.post(URL + query, body, content_type="application/json", headers=headers)


def exchange(*said, number=1, **fields):
    """The last of what was said is the answer."""
    roles = ("user", "assistant")
    messages = [{"role": roles[index % 2], "content": text} for index, text in enumerate(said)]
    answer = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": said[-1]}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100 * number, "output_tokens": 7},
    }
    request = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": messages[:-1]}
    return {
        "conversation": "ticket-1",
        "at": f"2026-11-20T09:00:{number:02}Z",
        "request": request,
        "response": answer,
    } | fields


def test_exchanges_become_a_conversation(client, key):
    first = exchange("Refund order 8812.", "Which address?")
    second = exchange("Refund order 8812.", "Which address?", "The new one.", "Done.", number=2)

    response = post(client, key, {"exchanges": [first, second]})

    assert response.status_code == 207
    assert response.json()["results"] == [
        {"index": 0, "id": "msg_1", "conversation": "ticket-1", "status": "accepted"},
        {"index": 1, "id": "msg_2", "conversation": "ticket-1", "status": "accepted"},
    ]
    assert response.json()["batch"]["state"] == "digested"
    said = [blocks[0]["text"] for blocks in Message.objects.order_by("position").values_list("blocks", flat=True)]
    assert said == ["Refund order 8812.", "Which address?", "The new one.", "Done."]
    assert list(Request.objects.order_by("position").values_list("external_id", "context_tokens")) == [
        ("msg_1", 100),
        ("msg_2", 200),
    ]
    assert Conversation.objects.get().source == "exchanges"


def test_exchange_that_is_not_understood_is_kept_and_told(client, key):
    good = exchange("Refund order 8812.", "Which address?")

    response = post(client, key, [{"request": "nothing"}, good])

    rejected, accepted = response.json()["results"]
    assert (rejected["status"], rejected["field"], accepted["status"]) == ("rejected", "request", "accepted")
    assert rejected["mend"]
    unread = Batch.objects.get(pk=response.json()["unread"]["id"])
    assert (unread.format, unread.rejected, unread.state) == ("exchanges_unread", 1, "digested")
    assert BatchProblem.objects.get(batch=unread).field == "request"
