import json
from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.ingest import services
from conversations.models import Activity, Conversation
from tests.api.posting import post
from tests.api.reading import Reader
from tests.factories import create_api_key, create_conversation
from tests.spending.rows import create_budget, create_override

STATUS, DAY = "/budgets/status", timedelta(days=1)
EXCHANGE = {
    "conversation": "c1", "tags": "Web, nightly", "at": "2026-11-20T09:00:00Z",
    "request": {"model": "claude-opus-5", "messages": [{"role": "user", "content": "Hello"}]},
    "response": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello."}], "usage": {"input_tokens": 90, "output_tokens": 10},
    },
}  # fmt: skip


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


def digest(batches):
    services.digest_pending()
    assert not batches.exclude(state="digested").exists()


def send(client, acme, path, body):
    _, key = create_api_key(acme)
    answer = post(client, key, f"/api/v1/{path}?wait=1", body)
    digest(acme.batches)
    return answer.json()


@pytest.mark.parametrize(
    ("budget", "query", "used"),
    [
        ({"scope": "tag", "tag_name": "web"}, "conversation=c1", 100),
        ({"scope": "tag", "tag_name": "web"}, "conversation=c2", None),
        ({"scope": "tag", "tag_name": "web"}, "conversation=new&tags=x,WEB", 100),
        ({"scope": "tag", "tag_name": "web"}, "tags=web", 100),
        ({"scope": "tag", "tag_name": "web"}, "", None),
        ({"scope": "tag", "tag_name": "web", "agent_name": "coder"}, "conversation=c1", None),
        ({"scope": "tag", "tag_name": "web", "period": "rolling", "rolling_hours": 8000}, "tags=web", 100),
        ({"scope": "conversation", "tag_name": "web"}, "conversation=c1", 100),
        ({"scope": "conversation", "tag_name": "web"}, "conversation=c2", None),
        ({"scope": "conversation", "tag_name": "web"}, "conversation=new&tags=web", 0),
    ],
)
def test_budgets_of_tags(reader, client, acme, budget, query, used):
    send(client, acme, "exchanges", EXCHANGE)
    create_conversation(acme, external_id="c2")
    create_budget(acme, **budget)

    standings = reader.json(f"{STATUS}?{query}")["budgets"]

    assert [each["used"] for each in standings] == ([] if used is None else [used])


def test_cost_of_a_tags_whole_life(reader, client, acme):
    send(client, acme, "exchanges", EXCHANGE)
    create_budget(acme, scope="tag", tag_name="web", metric="cost", limit=1)
    [standing] = reader.json(f"{STATUS}?tags=web")["budgets"]
    assert standing["used"] == pytest.approx((90 * 5 + 10 * 25) / 1_000_000)


def test_the_receipt_has_the_tags_budget(client, acme):
    create_budget(acme, scope="tag", tag_name="web", limit=100)
    event = {"type": "conversation", "conversation": "c1", "tags": ["web"]}
    usage = {"input_tokens": 100, "output_tokens": 1}
    turn = {"type": "request", "id": "r1", "conversation": "c1", "at": "2026-11-20T09:00:00Z", "usage": usage}

    send(client, acme, "events", {"events": [event, turn]})
    receipt = send(client, acme, "events", {"events": [event | {"title": "Again"}]})

    assert receipt["budget"]["state"] == "wrap_up"


@pytest.mark.parametrize(
    ("tags", "stored"),
    [(["Web", "b"], ["b", "web"]), ("web, b", ["b", "web"]), (None, []), ([], []), (["a,b", "c"], ["c"])],
)
def test_tags_of_an_exchange(client, acme, tags, stored):
    send(client, acme, "exchanges", {**EXCHANGE, "tags": tags})
    assert Conversation.objects.get().tags == stored


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("exchanges", {**EXCHANGE, "tags": {"a": 1}}, "tags"),
        ("events", {"events": [{"type": "conversation", "conversation": "c", "tags": ["ok", "a,b"]}]}, "tags[1]"),
    ],
)
def test_what_is_no_tag_is_told(client, acme, path, body, field):
    answer = send(client, acme, path, body)
    assert field in json.dumps(answer)
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "stored"),
    [
        ({"tags": ["Night", "b"]}, 200, ["b", "night"]),
        ({"tags": []}, 200, []),
        ({}, 422, ["web"]),
        ({"tags": "web"}, 422, ["web"]),
        ({"tags": ["a,b"]}, 422, ["web"]),
        ({"tags": [f"t{n}" for n in range(21)]}, 422, ["web"]),
    ],
)
def test_a_program_says_which_tags_a_conversation_has(client, acme, body, status, stored):
    row = create_conversation(acme, tags=["web"])
    _, key = create_api_key(acme, ["manage"])
    url, headers = f"/api/v1/conversations/{row.pk}/tags", {"Authorization": f"Bearer {key}"}

    answer = client.put(url, json.dumps(body), content_type="application/json", headers=headers)

    assert answer.status_code == status, answer.content
    assert Conversation.objects.get().tags == stored
    assert Activity.objects.filter(action="conversation.tagged").count() == (status == 200)


def test_conversations_are_listed_by_tag(reader, acme):
    create_conversation(acme, external_id="c1", tags=["team web"])
    create_conversation(acme, external_id="c2")

    [found] = reader.json("/conversations?tag=Team%20Web")["results"]

    assert (found["external_id"], found["tags"]) == ("c1", ["team web"])


@pytest.mark.parametrize(("scope", "named"), [("conversation", {}), ("tag", {"tag_name": "web"})])
def test_override_of_a_tag_is_the_limit_of_its_conversations(reader, client, acme, alice, scope, named):
    send(client, acme, "exchanges", EXCHANGE)
    create_conversation(acme, external_id="c2")
    budget = create_budget(acme, scope=scope, limit=100, **named)
    create_override(budget, tag_name="nightly" if scope == "conversation" else "web", expires_at=timezone.now() + DAY)

    tagged = reader.json(f"{STATUS}?conversation=c1")["budgets"]
    others = reader.json(f"{STATUS}?conversation=c2")["budgets"]
    shown = alice.get(f"/w/acme/budgets/{budget.pk}/").context["overview"].standing

    assert (tagged[0]["limit"], shown.limit) == (5000, 5000)
    assert [each["limit"] for each in others] == ([100] if scope == "conversation" else [])
