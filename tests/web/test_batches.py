from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from conversations import tasks
from conversations.models import Batch, Conversation
from tests.factories import create_batch, create_conversation

PAGE = "/w/acme/import/"
UPLOAD = "/w/acme/import/upload/"
TRANSCRIPTS = sorted(Path(__file__).parent.parent.glob("data/claude_code/*.jsonl"))


@pytest.fixture
def woken(monkeypatch):
    """Batches that somebody was asked to digest."""
    found = []
    monkeypatch.setattr(tasks, "wake", found.append)
    return found


@pytest.fixture
def transcript():
    return SimpleUploadedFile("session.jsonl", TRANSCRIPTS[0].read_bytes())


@pytest.mark.parametrize("rows", [1, 3])
def test_import_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        create_batch(acme, problems=[{}])

    with django_assert_num_queries(4):
        response = alice.get(PAGE)

    assert [batch.problem_count for batch in response.context["page"].rows] == [1] * rows


def test_import_page_offers_no_form_to_viewers(victor, alice):
    assert "data-upload" in alice.get(PAGE).content.decode()
    assert "data-upload" not in victor.get(PAGE).content.decode()


def test_upload_takes_a_transcript_and_wakes_the_digestion(alice, woken, transcript):
    response = alice.post(UPLOAD, {"files": transcript}, headers={"HX-Request": "true"})

    batch = Batch.objects.get()
    assert woken == [batch]
    assert (batch.workspace, batch.name, batch.format) == (alice.workspace, "session.jsonl", "claude_code")
    assert f'hx-get="/w/acme/batches/{batch.pk}/" hx-trigger="every 1s' in response.content.decode()


def test_upload_by_a_plain_form_leads_to_the_batch(alice, woken, transcript):
    response = alice.post(UPLOAD, {"files": transcript})

    assert (response.status_code, response.url) == (302, f"/w/acme/batches/{Batch.objects.get().pk}/")


def test_upload_of_the_same_file_again_changes_nothing(alice, woken, transcript):
    alice.post(UPLOAD, {"files": transcript})
    transcript.seek(0)

    response = alice.post(UPLOAD, {"files": transcript}, headers={"HX-Request": "true"})

    assert Batch.objects.count() == len(woken) == 1
    assert "Waiting to be read" in response.content.decode()


def test_upload_says_what_is_wrong_with_each_file(alice, woken, transcript):
    bad = SimpleUploadedFile("<b>holiday.jpg", b"\xff\xd8\xff\xe0 JFIF")

    response = alice.post(UPLOAD, {"files": [bad, transcript]}, headers={"HX-Request": "true"})

    page = response.content.decode()
    assert "&lt;b&gt;holiday.jpg" in page
    assert "This is no transcript that is read here." in page
    assert len(woken) == 1


def test_upload_of_nothing_leads_back(alice):
    assert alice.post(UPLOAD).url == PAGE


@pytest.mark.parametrize("rows", [1, 3])
def test_batch_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    found = [create_conversation(acme, source="codex").external_id for _ in range(rows)]
    problems = [{"line": line} for line in range(rows)]
    batch = create_batch(acme, format="codex", found={"conversations": found}, problems=problems)

    with django_assert_num_queries(6):
        response = alice.get(f"/w/acme/batches/{batch.pk}/")

    assert len(response.context["page"].rows) == rows


def test_batch_page_links_what_was_found_and_every_problem(alice, acme):
    conversation = create_conversation(acme, source="codex")
    found = {"conversations": [conversation.external_id], "messages": 12, "requests": 3, "compactions": 1}
    batch = create_batch(acme, format="codex", found=found, problems=[{"line": 7, "raw": "<script>{"}])

    page = " ".join(alice.get(f"/w/acme/batches/{batch.pk}/").content.decode().split())

    assert conversation.get_absolute_url() in page
    assert "Found 12 messages, 3 requests and 1 compactions" in page
    assert "This line is not JSON." in page
    assert "&lt;script&gt;{" in page


def test_batch_card_stops_asking_when_it_is_read(alice, acme):
    waiting = create_batch(acme, state="pending", digested_at=None)
    read = create_batch(acme)

    cards = [
        alice.get(f"/w/acme/batches/{batch.pk}/", headers={"HX-Request": "true"}).content.decode()
        for batch in (waiting, read)
    ]

    assert ["hx-trigger" in card for card in cards] == [True, False]


def test_batch_is_read_again_on_demand(alice, acme, woken):
    batch = create_batch(acme, state="failed", error="bug")

    response = alice.post(f"/w/acme/batches/{batch.pk}/redigest/")

    batch.refresh_from_db()
    assert (response.status_code, batch.state, batch.error) == (302, "pending", "")
    assert woken == [batch]


def test_batch_without_bytes_cannot_be_read_again(alice, acme, woken):
    batch = create_batch(acme, raw_deleted_at="2026-11-01T00:00Z")

    page = alice.get(f"/w/acme/batches/{batch.pk}/").content.decode()
    alice.post(f"/w/acme/batches/{batch.pk}/redigest/")

    assert "Read it again" not in page
    assert woken == []


def test_uploaded_transcript_becomes_a_conversation(alice, woken, transcript):
    alice.post(UPLOAD, {"files": transcript})

    tasks.services.digest_batch(woken[0].pk)

    conversation = Conversation.objects.order_by("id").first()
    assert conversation.get_absolute_url() in alice.get(f"/w/acme/batches/{woken[0].pk}/").content.decode()
