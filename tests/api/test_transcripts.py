import gzip
import json

import pytest
import zstandard
from django.core.files.uploadedfile import SimpleUploadedFile

from conversations import tasks
from conversations.models import Batch, Conversation, Message
from tests.factories import create_api_key

URL = "/api/v1/transcripts"


def record(number):
    return {
        "type": "user", "uuid": f"u{number}", "sessionId": "s1", "version": "2.1.49", "isSidechain": False,
        "parentUuid": None, "timestamp": "2026-11-20T09:00:00Z",
        "message": {"role": "user", "content": f"text {number}"},
    }  # fmt: skip


TRANSCRIPT = b"".join(json.dumps(record(number)).encode() + b"\n" for number in range(3))


@pytest.fixture(autouse=True)
def no_queue(monkeypatch):
    monkeypatch.setattr(tasks.digest, "delay", lambda: None)


@pytest.fixture
def headers(acme):
    return {"Authorization": f"Bearer {create_api_key(acme, ['ingest'])[1]}"}


UPLOADS = [
    (TRANSCRIPT, {}),
    (gzip.compress(TRANSCRIPT, mtime=0), {}),
    (gzip.compress(TRANSCRIPT, mtime=0), {"Content-Encoding": "gzip"}),
    (zstandard.ZstdCompressor().compress(TRANSCRIPT), {}),
    (zstandard.ZstdCompressor().compress(TRANSCRIPT), {"Content-Encoding": "zstd"}),
]


@pytest.mark.parametrize(("body", "more"), UPLOADS)
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "application/json"])
def test_transcript_is_recognised_whatever_it_is_called(client, headers, body, more, content_type):
    response = client.post(f"{URL}?wait=1&name=s.jsonl", body, content_type=content_type, headers={**headers, **more})

    assert response.status_code == 207
    batch = response.json()["batch"]
    assert (batch["format"], batch["state"], batch["name"]) == ("claude_code", "digested", "s.jsonl")
    assert Message.objects.count() == 3


def test_transcript_may_come_as_the_file_of_a_form(client, headers):
    file = SimpleUploadedFile("mine.jsonl", TRANSCRIPT)

    response = client.post(f"{URL}?wait=1", {"file": file}, headers=headers)

    assert response.json()["batch"]["name"] == "mine.jsonl"
    assert Conversation.objects.get().source == "claude_code"


def test_form_without_a_file_is_refused(client, headers):
    assert client.post(URL, {"text": "x"}, headers=headers).status_code == 422


@pytest.mark.parametrize("body", [b"", b"hello", b'{"a": 1}\n', b"\x00\x01\x02"])
def test_unknown_format_is_refused_and_not_stored(client, headers, body):
    response = client.post(URL, body, content_type="text/plain", headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "unknown_format")
    assert not Batch.objects.exists()


def test_transcript_over_the_limit_is_refused(client, headers, settings):
    settings.MAX_TRANSCRIPT_BYTES = 100

    for body in (TRANSCRIPT, gzip.compress(TRANSCRIPT, mtime=0)):
        response = client.post(URL, body, content_type="text/plain", headers=headers)
        assert response.status_code == 413
    assert not Batch.objects.exists()


def test_same_transcript_again_is_the_same_batch(client, headers):
    answers = [client.post(f"{URL}?wait=1", TRANSCRIPT, content_type="text/plain", headers=headers) for _ in range(2)]

    assert len({answer.json()["batch"]["id"] for answer in answers}) == 1
    assert Message.objects.count() == 3
