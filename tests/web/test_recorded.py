"""What changes records or takes them away is written down, with who did it."""

from django.core.files.uploadedfile import SimpleUploadedFile

from conversations.models import Activity
from tests.factories import create_api_key, create_batch, create_conversation
from tests.spending.rows import create_price


def last():
    row = Activity.objects.latest("id")
    return row.action, row.user or row.api_key, row.target_kind


def test_price_is_deleted_by_somebody(alice, acme):
    price = create_price(acme)

    alice.post(f"/w/acme/settings/prices/{price.pk}/delete/")

    assert last() == ("price.deleted", alice.user, "modelprice")


def test_transcript_is_imported_by_somebody_once(bob, acme):
    line = b'{"type":"user","uuid":"u1","sessionId":"s1","message":{"role":"user","content":"hi"}}\n'
    for _ in range(2):
        bob.post("/w/acme/import/upload/", {"files": SimpleUploadedFile("session.jsonl", line)})

    assert last() == ("transcripts.imported", bob.user, "batch")
    assert Activity.objects.count() == 1


def test_batch_is_digested_again_by_a_key(client, acme):
    row, key = create_api_key(acme)

    client.post(f"/api/v1/batches/{create_batch(acme).pk}/redigest", headers={"X-API-Key": key})

    assert last() == ("batch.redigested", row, "batch")


def test_list_is_exported_by_a_person_and_by_a_key(client, alice, acme):
    create_conversation(acme)
    row, key = create_api_key(acme)

    assert alice.get("/api/v1/conversations?format=csv").status_code == 200
    assert last()[:2] == ("list.exported", alice.user)
    assert client.get("/api/v1/conversations?format=jsonl", headers={"X-API-Key": key}).status_code == 200

    exported = Activity.objects.latest("id")
    assert (exported.api_key, exported.detail) == (row, {"list": "conversations", "as": "jsonl"})


def test_page_of_a_list_is_no_export(alice, acme):
    alice.get("/api/v1/conversations")

    assert not Activity.objects.exists()
