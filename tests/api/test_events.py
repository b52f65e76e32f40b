import gzip
import json

import pytest
import zstandard

from conversations import tasks
from conversations.models import Batch, Conversation, Message
from tests.factories import create_api_key

URL = "/api/v1/events"
EVENT = {"type": "message", "id": "m1", "conversation": "c1", "role": "user", "content": "never deploy on Friday"}


@pytest.fixture(autouse=True)
def digests_asked(monkeypatch):
    """Counts what is put into the queue; tests digest themselves."""
    asked = []
    monkeypatch.setattr(tasks.digest, "delay", lambda: asked.append("digest"))
    monkeypatch.setattr(tasks.audit_conversation, "delay", lambda *args, **kwargs: None)
    return asked


@pytest.fixture
def key(acme):
    return create_api_key(acme, ["ingest"])[1]


def post(client, key, body, **headers):
    body = json.dumps(body) if isinstance(body, dict | list) else body
    headers = {"Authorization": f"Bearer {key}", **headers}
    return client.post(URL + headers.pop("query", ""), body, content_type="application/json", headers=headers)


def test_events_are_accepted_and_digested(client, key):
    response = post(client, key, {"events": [EVENT]}, query="?wait=1")

    assert response.status_code == 207
    assert response.json()["results"] == [{"index": 0, "id": "m1", "status": "accepted"}]
    assert response.json()["batch"]["state"] == "digested"
    assert Message.objects.get().blocks == [{"type": "text", "text": "never deploy on Friday"}]


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_events_may_be_compressed(client, key, encoding, compress):
    body = compress(json.dumps({"events": [EVENT]}).encode())

    response = post(client, key, body, **{"Content-Encoding": encoding}, query="?wait=1")

    assert response.json()["results"][0]["status"] == "accepted"
    assert Conversation.objects.get().external_id == "c1"


def test_same_batch_again_is_a_duplicate_and_changes_nothing(client, key):
    post(client, key, {"events": [EVENT]}, query="?wait=1")

    response = post(client, key, {"events": [EVENT]})

    assert response.json()["results"] == [{"index": 0, "id": "m1", "status": "duplicate"}]
    assert Batch.objects.count() == 1
