"""The status object in the receipts of everything that is sent."""

import pytest

from tests.factories import create_api_key
from tests.spending.rows import create_budget


@pytest.fixture
def send(client, acme):
    _, key = create_api_key(acme)

    def post(path, body, **query):
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=headers, query_params=query
        ).json()

    return post


def turn(number, tokens, conversation="c"):
    usage = {"input_tokens": tokens, "output_tokens": 0}
    return {"type": "request", "id": f"r{number}", "conversation": conversation, "sequence": number, "usage": usage}


def test_receipt_of_events_tells_how_budgets_stand(send, acme):
    create_budget(acme, limit=1000)

    first = send("events", [turn(1, 900)], wait="1")
    second = send("events", [turn(2, 200)], wait="1")

    assert (first["budget"]["state"], first["budget"]["budgets"][0]["used"]) == ("warn", 900)
    assert (second["budget"]["state"], second["budget"]["budgets"][0]["used"]) == ("wrap_up", 1100)


def test_of_several_conversations_the_worst_is_told(send, acme):
    create_budget(acme, limit=1000)

    receipt = send("events", [turn(1, 10, "a"), turn(1, 5000, "b"), turn(1, 10, "d")], wait="1")

    assert receipt["budget"]["state"] == "wrap_up"
    assert receipt["budget"]["budgets"][0]["used"] == 5000


def test_receipt_of_exchanges_knows_the_conversation(send, acme):
    create_budget(acme, limit=100)
    exchange = {
        "id": "x1", "conversation": "c", "endpoint": "messages", "request": {"model": "claude-opus-5", "messages": [
            {"role": "user", "content": "Hello"}]},
        "response": {"id": "m1", "type": "message", "role": "assistant", "model": "claude-opus-5",
                     "stop_reason": "end_turn",
                     "content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 90, "output_tokens": 5}},
    }  # fmt: skip

    receipt = send("exchanges", {"exchanges": [exchange]}, wait="1")

    assert receipt["budget"]["state"] == "warn"


def test_receipt_of_a_workspace_without_budgets_is_short(send):
    receipt = send("events", [turn(1, 10)], wait="1")

    assert receipt["budget"] == {
        "state": "ok", "message": "", "decided_by": None, "reason": "No budget concerns whoever asks.", "budgets": [],
    }  # fmt: skip


def test_report_of_an_agent_is_kept_once_beside_its_conversation(send, acme):
    budget = create_budget(acme)
    report = {
        "type": "budget", "id": "b1", "conversation": "c", "happened": "wrap_up_injected", "budget": budget.pk,
        "used": 3_000_412, "limit": 3_000_000, "message": "Please finish.", "at": "2026-11-20T10:00:00Z",
    }  # fmt: skip

    first = send("events", [report], wait="1")
    again = send(
        "events", {"events": [report, {**report, "id": "b2", "happened": "blocked", "budget": 10**6}]}, wait="1"
    )
    wrong = send("events", [{**report, "happened": "cheered"}], wait="1")

    rows = acme.budgets.get().events.all()
    assert [(row.kind, row.conversation_name, row.used, row.message) for row in rows] == [
        ("wrap_up_injected", "c", 3_000_412, "Please finish."),
    ]  # fmt: skip
    assert [each["batch"]["rejected"] for each in (first, again, wrong)] == [0, 0, 1]
    assert not acme.conversations.exists()
