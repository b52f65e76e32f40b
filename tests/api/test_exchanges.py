import gzip
import json

import pytest

from conversations.models import Batch, BatchProblem, Compaction, Conversation, Message, Request
from tests.api import posting
from tests.factories import create_api_key

URL = "/api/v1/exchanges"

pytestmark = pytest.mark.usefixtures("asked")


def post(client, key, body, query="?wait=1", **headers):
    return posting.post(client, key, URL + query, body, **headers)


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


# --- shapes and limits ------------------------------------------------------------------------------------------------

ONE = exchange("Refund order 8812.", "Which address?")


@pytest.mark.parametrize(
    "body",
    [
        {"exchanges": [ONE]},
        [ONE],
        ONE,
        json.dumps(ONE) + "\n",
        json.dumps(ONE) + "\n\n" + json.dumps(exchange("Hello.", "Hi.", number=2, conversation="ticket-2")),
        json.dumps({"exchanges": [ONE]}, indent=2),
        json.dumps([ONE]).replace("Which address?", "Which \\ud83d address?"),
        json.dumps([ONE]).replace("Which address?", "Which \\u0000 address?"),
        json.dumps([ONE]).replace('"max_tokens": 64', '"max_tokens": NaN'),
    ],
)
def test_exchanges_come_in_several_shapes(client, key, body):
    response = post(client, key, body)

    assert {result["status"] for result in response.json()["results"]} == {"accepted"}
    assert response.json()["batch"]["state"] == "digested"
    assert Message.objects.filter(conversation__external_id="ticket-1").count() == 2
    assert BatchProblem.objects.count() == 0


def test_exchanges_may_be_compressed(client, key):
    body = gzip.compress(json.dumps([ONE]).encode())

    response = post(client, key, body, **{"Content-Encoding": "gzip"})

    assert response.json()["results"][0]["status"] == "accepted"


@pytest.mark.parametrize("body", ["", "hello", "[1, 2", '{"exchanges": 3}', '{"exchanges": [1, 2'])
def test_what_is_no_batch_is_refused(client, key, body):
    response = post(client, key, body)

    assert response.status_code == 422
    assert response.json()["error"]["mend"]
    assert Batch.objects.count() == 0


def test_one_bad_line_does_not_take_the_others_with_it(client, key):
    response = post(client, key, json.dumps(ONE) + '\n{"request": {"mess\n')

    accepted, rejected = response.json()["results"]
    assert (accepted["status"], rejected["status"], rejected["code"]) == ("accepted", "rejected", "bad_json")


def test_limits_hold_for_each_exchange_and_for_all(client, key, settings):
    settings.MAX_EVENT_BYTES = 2000
    deep = exchange("a", "b", number=3)
    deep["request"]["metadata"] = value = {}
    for _ in range(100):
        value["deeper"] = value = {}
    response = post(client, key, [exchange("x" * 3000, "y", number=2), ONE, deep])
    assert [result.get("code") for result in response.json()["results"]] == ["too_large", None, "too_deep"]

    settings.MAX_EVENTS = 2
    assert post(client, key, [ONE] * 3).status_code == 413
    settings.MAX_BODY_BYTES = 100
    assert post(client, key, [ONE]).status_code == 413


def test_key_must_be_allowed_to_send(client, acme):
    assert client.post(URL, "[]", content_type="application/json").status_code == 401
    assert post(client, create_api_key(acme, ["read"])[1], [ONE]).status_code == 403
    assert Batch.objects.count() == 0


def test_same_exchanges_again_are_duplicates(client, key):
    post(client, key, [ONE])

    response = post(client, key, [ONE])

    assert [result["status"] for result in response.json()["results"]] == ["duplicate"]
    assert response.json()["batch"]["state"] == "digested"
    assert Message.objects.count() == 2


def test_without_waiting_a_worker_digests(client, key, asked, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = post(client, key, [ONE], "")

    assert response.json()["batch"]["state"] == "pending"
    assert Message.objects.count() == 0
    assert asked == ["digest"]


def test_call_that_failed_is_taken_and_says_nothing(client, key):
    failed = exchange("Refund order 8812.", "Which address?", error={"status": 529, "body": {}})
    del failed["response"]

    response = post(client, key, [failed])

    assert response.json()["results"][0]["status"] == "accepted"
    assert (Message.objects.count(), Request.objects.count()) == (0, 0)


def test_cut_between_two_requests_is_found(client, key):
    said = [f"Sentence {number}." for number in range(12)]
    post(client, key, [exchange(*said)])

    post(client, key, [exchange(*said[6:], "And on.", "Yes.", number=2)])

    compaction = Compaction.objects.get()
    assert (compaction.kind, compaction.dropped_count) == ("truncation", 6)
