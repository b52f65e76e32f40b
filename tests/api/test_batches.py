import json

import pytest

from conversations import tasks
from conversations.ingest import services
from conversations.models import Batch, Message
from tests.factories import create_api_key, create_batch

MESSAGE = {"type": "message", "id": "m1", "conversation": "c1", "role": "user", "content": "hello"}


@pytest.fixture
def headers(acme):
    return {"Authorization": f"Bearer {create_api_key(acme)[1]}"}


@pytest.mark.parametrize("rows", [1, 3])
def test_batch_list_runs_the_same_queries_for_any_number_of_rows(
    client, acme, headers, rows, django_assert_num_queries
):
    client.get("/api/v1/batches", headers=headers)
    for number in range(rows):
        create_batch(acme, str(number).encode(), problems=[{}])

    with django_assert_num_queries(2):
        response = client.get("/api/v1/batches", headers=headers)

    assert len(response.json()["results"]) == rows


def test_batch_list_is_paged_newest_first(client, acme, headers):
    ids = [create_batch(acme, str(number).encode()).pk for number in range(3)]

    first = client.get("/api/v1/batches?limit=2", headers=headers).json()
    second = client.get(first["next"], headers=headers).json()

    assert [batch["id"] for batch in first["results"] + second["results"]] == ids[::-1]
    assert second["next"] is None


def test_batch_list_can_be_narrowed_to_a_state(client, acme, headers):
    create_batch(acme, b"1")
    failed = create_batch(acme, b"2", state="failed", error="boom")

    response = client.get("/api/v1/batches?state=failed", headers=headers)

    assert [(batch["id"], batch["error"]) for batch in response.json()["results"]] == [(failed.pk, "boom")]
    assert client.get("/api/v1/batches?state=lost", headers=headers).status_code == 422


def test_batch_tells_what_was_found_and_what_was_not_understood(client, acme, headers):
    body = json.dumps([MESSAGE, {**MESSAGE, "id": "m2", "role": "wizard"}]).encode()
    batch = services.accept_events(workspace=acme, body=body).batch
    services.digest_pending()

    told = client.get(f"/api/v1/batches/{batch.pk}", headers=headers).json()

    assert (told["state"], told["accepted"], told["rejected"]) == ("digested", 1, 1)
    assert told["conversations"][0]["external_id"] == "c1"
    assert [problem["line"] for problem in told["problems"]["results"]] == [1]


def test_every_problem_can_be_paged_to(client, acme, headers):
    batch = create_batch(acme, problems=[{"line": line} for line in range(1, 6)])
    address, lines = f"/api/v1/batches/{batch.pk}?limit=2", []

    while address:
        page = client.get(address, headers=headers).json()["problems"]
        lines += [problem["line"] for problem in page["results"]]
        address = page["next"]

    assert lines == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "/redigest")])
def test_batch_is_hidden_from_outsiders(client, acme, globex, method, path):
    batch = create_batch(acme)
    outsider = {"Authorization": f"Bearer {create_api_key(globex)[1]}"}

    response = getattr(client, method)(f"/api/v1/batches/{batch.pk}{path}", headers=outsider)

    assert response.status_code == 404


def test_outsiders_list_only_their_own_batches(client, acme, globex):
    create_batch(acme)
    outsider = {"Authorization": f"Bearer {create_api_key(globex)[1]}"}

    assert client.get("/api/v1/batches", headers=outsider).json()["results"] == []


def test_same_bytes_of_another_workspace_are_its_own(acme, globex):
    body = json.dumps([MESSAGE]).encode()

    receipts = [services.accept_events(workspace=workspace, body=body) for workspace in (acme, globex)]
    services.digest_pending()

    assert [receipt.is_new for receipt in receipts] == [True, True]
    assert set(Message.objects.values_list("workspace__slug", flat=True)) == {"acme", "globex"}


def test_batch_can_be_digested_again(client, acme, headers, monkeypatch, django_capture_on_commit_callbacks):
    asked = []
    monkeypatch.setattr(tasks.digest, "delay", lambda: asked.append("digest"))
    batch = create_batch(acme, state="failed")

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"/api/v1/batches/{batch.pk}/redigest", headers=headers)

    assert (response.status_code, response.json()["state"]) == (202, "pending")
    assert asked == ["digest"]


def test_batch_without_bytes_cannot_be_digested_again(client, acme, headers):
    batch = create_batch(acme, raw_deleted_at="2026-11-20T00:00:00Z")

    assert client.post(f"/api/v1/batches/{batch.pk}/redigest", headers=headers).status_code == 422
    assert Batch.objects.get().state == "digested"
