import gzip
import json

import pytest
import zstandard

from conversations.models import Batch, Conversation, Message
from tests.api import posting
from tests.factories import chunks_of

URL = "/api/v1/events"
EVENT = {"type": "message", "id": "m1", "conversation": "c1", "role": "user", "content": "never deploy on Friday"}

pytestmark = pytest.mark.usefixtures("asked")


def post(client, key, body, query="", **headers):
    return posting.post(client, key, URL + query, body, **headers)


def test_events_are_accepted_and_digested(client, key):
    response = post(client, key, {"events": [EVENT]}, "?wait=1")

    assert response.status_code == 207
    assert response.json()["results"] == [{"index": 0, "id": "m1", "status": "accepted"}]
    assert response.json()["batch"]["state"] == "digested"
    assert Message.objects.get().blocks == [{"type": "text", "text": "never deploy on Friday"}]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("identity", bytes),
        ("GZIP", gzip.compress),
    ],
)
def test_events_may_be_compressed(client, key, encoding, compress):
    body = compress(json.dumps({"events": [EVENT]}).encode())

    response = post(client, key, body, "?wait=1", **{"Content-Encoding": encoding})

    assert response.json()["results"][0]["status"] == "accepted"
    assert Conversation.objects.get().external_id == "c1"


@pytest.mark.parametrize("body", [[EVENT], {"events": [EVENT]}, EVENT, json.dumps(EVENT) + "\n"])
def test_events_come_in_several_shapes(client, key, body):
    assert post(client, key, body).json()["results"][0]["status"] == "accepted"


def test_same_batch_again_is_a_duplicate_and_changes_nothing(client, key):
    post(client, key, {"events": [EVENT]}, "?wait=1")

    response = post(client, key, {"events": [EVENT]})

    assert response.json()["results"] == [{"index": 0, "id": "m1", "status": "duplicate"}]
    assert Batch.objects.count() == 1


def test_known_event_in_another_batch_is_a_duplicate(client, key):
    post(client, key, [EVENT], "?wait=1")

    response = post(client, key, [EVENT, {**EVENT, "id": "m2"}], "?wait=1")

    assert [result["status"] for result in response.json()["results"]] == ["duplicate", "accepted"]
    assert Message.objects.count() == 2


def test_rejected_event_is_told_with_its_mend_and_kept_raw(client, key):
    bad = {**EVENT, "id": "m2", "role": "wizard"}

    response = post(client, key, [EVENT, bad], "?wait=1")

    accepted, rejected = response.json()["results"]
    assert accepted["status"] == "accepted"
    assert (rejected["index"], rejected["status"], rejected["code"]) == (1, "rejected", "bad_field")
    assert rejected["field"] == "role"
    assert rejected["mend"]
    batch = Batch.objects.get()
    assert (batch.accepted, batch.rejected) == (1, 1)
    assert batch.problems.get().line == 1
    assert b"wizard" in zstandard.ZstdDecompressor().decompress(chunks_of(batch).get().body)


LIMITS = [
    ({"MAX_BODY_BYTES": 50}, [EVENT], {}, 413, "too_large"),
    ({"MAX_EVENTS": 1}, [EVENT, EVENT], {}, 413, "too_large"),
    ({}, "not json", {}, 422, "bad_input"),
    ({}, "", {}, 422, "bad_input"),
    ({}, '{"events": 3}', {}, 422, "bad_input"),
    ({}, b"\x1f\x8bnope", {"Content-Encoding": "gzip"}, 422, "bad_input"),
    ({}, b"nope", {"Content-Encoding": "zstd"}, 422, "bad_input"),
    ({}, gzip.compress(b"[]", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 422, "bad_input"),
    ({}, b"x", {"Content-Encoding": "br"}, 422, "bad_input"),
    ({}, gzip.compress(b" " * 10_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413, "too_large"),
    ({}, zstandard.ZstdCompressor().compress(b" " * 10_000_000), {"Content-Encoding": "zstd"}, 413, "too_large"),
]


@pytest.mark.parametrize(("limits", "body", "headers", "status", "code"), LIMITS)
def test_limits_are_answered_clearly_and_store_nothing(client, key, settings, limits, body, headers, status, code):
    for name, value in limits.items():
        setattr(settings, name, value)

    response = post(client, key, body, **headers)

    assert response.status_code == status
    error = response.json()["error"]
    assert (error["code"], bool(error["message"]), bool(error["mend"])) == (code, True, True)
    assert not Batch.objects.exists()


EVENT_LIMITS = [
    ({"MAX_EVENT_BYTES": 60}, EVENT),
    ({"MAX_DEPTH": 5}, {**EVENT, "content": [{"type": "tool_call", "name": "x", "input": [[[[[[[1]]]]]]]}]}),
]


@pytest.mark.parametrize(("limits", "event"), EVENT_LIMITS)
def test_event_over_a_limit_is_rejected_alone(client, key, settings, limits, event):
    for name, value in limits.items():
        setattr(settings, name, value)

    response = post(client, key, [event])

    assert response.status_code == 207
    assert response.json()["results"][0]["status"] == "rejected"


def test_events_are_digested_by_a_worker(client, key, asked, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post(client, key, [EVENT])

    assert asked == ["digest"]


@pytest.mark.parametrize("events", [1, 3])
def test_accepting_runs_the_same_queries_for_any_number_of_events(client, key, events, django_assert_num_queries):
    post(client, key, [EVENT])  # the key's last use is noted once a minute

    with django_assert_num_queries(3):  # the last one asks whether budgets stand otherwise
        post(client, key, [{**EVENT, "id": f"m{number}"} for number in range(2, 2 + events)])
