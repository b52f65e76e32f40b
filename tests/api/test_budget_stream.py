import json
from itertools import islice

import pytest

from conversations.api import budget_stream
from conversations.spending.budgets import NOBODY
from tests.api.reading import Reader
from tests.factories import create_conversation
from tests.spending.rows import create_budget, spend

STREAM = "/budgets/stream?conversation=c"


@pytest.fixture
def reader(client, acme, monkeypatch):
    monkeypatch.setattr(budget_stream, "PAUSE", 0)
    monkeypatch.setattr(budget_stream, "_taken", 0)
    return Reader(client, acme, ("ingest",))


@pytest.fixture
def conversation(acme):
    found = create_conversation(acme, external_id="c")
    create_budget(acme, limit=100)
    return found


def events(response, count):
    return [piece.decode() for piece in islice(response.streaming_content, count)]


def test_stream_tells_at_first_and_when_it_changes(reader, conversation, monkeypatch):
    monkeypatch.setattr(budget_stream, "HEARTBEAT", 0)
    response = reader.get(STREAM)
    retry, first, comment = events(response, 3)
    spend(conversation, input_tokens=90)
    [second] = events(response, 1)
    monkeypatch.setattr(budget_stream, "HEARTBEAT", 1000)
    response.close()

    assert (response["Content-Type"], retry, comment) == ("text/event-stream", "retry: 2000\n\n", ": still here\n\n")
    states = [json.loads(event.partition("data: ")[2])["state"] for event in (first, second)]
    assert states == ["ok", "warn"]
    assert first.startswith("event: budget\nid: ")


def test_stream_goes_on_where_it_was(reader, conversation, monkeypatch):
    tag = reader.get("/budgets/status?conversation=c").headers["ETag"]
    monkeypatch.setattr(budget_stream, "LASTS", 0.05)

    response = reader.get(STREAM, **{"Last-Event-ID": tag})

    assert events(response, 5) == ["retry: 2000\n\n"]


def test_streams_are_few_and_places_are_given_back(reader, conversation, settings):
    settings.MAX_BUDGET_STREAMS = 1
    stream = budget_stream.Stream(conversation.workspace_id, NOBODY, "")

    refused = reader.get(STREAM, Accept="text/event-stream")

    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "/api/v1/budgets/status" in refused.content.decode()
    stream.close()
    stream.close()
    budget_stream.Stream(conversation.workspace_id, NOBODY, "").close()


def test_stream_needs_a_key(client, acme):
    assert client.get(f"/api/v1{STREAM}").status_code == 401
