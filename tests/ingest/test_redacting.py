"""With redaction at ingest no secret reaches a row, and everything that is compared still fits."""

import io
import json

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.ingest import services
from conversations.ingest.exchanges import accept_exchange_bodies
from conversations.ingest.formats import exchange_item, otlp_compactions
from conversations.ingest.formats.base import short_title
from conversations.ingest.redacting import ERROR_CHARACTERS, RECORD_CHARACTERS
from conversations.models import Batch, BatchProblem, BudgetEvent, Compaction, Conversation, Message
from conversations.redaction.settings import redactor_of, settings_of
from conversations.vocabulary import Redaction
from tests.ingest.test_digest import STORY, compaction, message
from tests.ingest.test_digest_transcripts import lines, record

SECRET = "jane.doe@example.org"
TOKEN = "ghp_" + "a1B2" * 9
CARD = 4111111111111111
BLOCKS = [
    {"type": "text", "text": f"write to {SECRET}"},
    {"type": "thinking", "text": f"{SECRET}?"},
    {"type": "tool_call", "name": "mail", "id": "t1", "input": {"to": [SECRET], SECRET: CARD}},
    {"type": "tool_result", "id": "t1", "text": f"sent to {SECRET}", "is_error": True},
    {"type": "image", "media_type": "image/png"},
]
EVENTS = [
    {"type": "conversation", "conversation": "c", "title": f"for {SECRET}", "cwd": f"/home/{SECRET}", "agent": "coder"},
    message(1, BLOCKS),
    message(2, [{"type": "text", "text": f"{'x ' * 12_000} {SECRET}"}]),
    compaction(3, f"Mail {SECRET}", instructions=f"Keep {TOKEN}", error=f"no {TOKEN}", raw={"by": [SECRET]}),
    {
        "type": "budget", "id": "b1", "conversation": "c", "happened": "blocked", "message": f"Stop, {SECRET}",
        "agent": "coder",
    },
    {"type": "message", "id": "bad", "conversation": "c", "role": SECRET, "content": SECRET},
]  # fmt: skip


@pytest.fixture
def redacting(acme):
    acme.redaction = Redaction.INGEST
    acme.save()
    return acme


def everything_stored():
    """All rows of all tables, as Postgres writes them."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("conversations").get_models(include_auto_created=True):
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')  # noqa: S608 -- a name of ours
            texts += [text for [text] in cursor.fetchall()]
    return "\n".join(texts)


def test_no_row_holds_a_secret(redacting, send):
    batch = send(EVENTS)

    stored = everything_stored()
    for secret in (SECRET, TOKEN, str(CARD)):
        assert secret not in stored
    assert batch.chunks.count() == 0
    assert batch.raw_deleted_at is not None
    assert BatchProblem.objects.get().raw == ""


def test_half_a_secret_at_the_end_of_a_cut_text_is_taken_out_as_well(redacting, send):
    """Titles are made of the beginnings of messages, and no detector knows half a key."""
    half, digits = TOKEN[:20], "4111 1111 1111"
    send([
        {"type": "conversation", "conversation": "c", "title": f"Use {half}…"},
        {"type": "conversation", "conversation": "d", "title": f"Pay with {digits}…"},
        compaction(3, error="x " * 240 + half, raw={"said": "y " * 90 + half}),
    ])  # fmt: skip

    stored = everything_stored()
    assert len("x " * 240 + half) == ERROR_CHARACTERS
    assert len("y " * 90 + half) == RECORD_CHARACTERS
    assert half not in stored
    assert digits not in stored
    titles = Conversation.objects.order_by("external_id").values_list("title", flat=True)
    assert list(titles) == ["Use …", "Pay with …"]


def test_cuts_are_where_parsers_make_them():
    assert (ERROR_CHARACTERS, RECORD_CHARACTERS) == (exchange_item.ERROR_CHARACTERS, otlp_compactions._RAW_CHARACTERS)
    assert short_title("word " * 100).endswith("…")


def test_rows_say_what_stood_there(redacting, send):
    send(EVENTS)
    email = redactor_of(redacting).placeholder("email", SECRET)

    blocks = Message.objects.get(external_id="m1").blocks
    assert blocks[0]["text"] == f"write to {email}"
    assert blocks[2]["input"]["to"] == [email]
    assert blocks[3] == {"type": "tool_result", "text": f"sent to {email}", "id": "t1", "is_error": True}
    assert blocks[4] == BLOCKS[4]
    assert Conversation.objects.get().title == f"for {email}"
    found = Compaction.objects.get()
    assert (found.instructions[:19], found.raw) == ("Keep [github token ", {"by": [email]})
    assert found.summary_message.blocks[0]["text"] == f"Mail {email}"
    assert BudgetEvent.objects.get().message == f"Stop, {email}"


def test_same_events_again_change_nothing(redacting, send, snapshot):
    send(EVENTS)
    before = snapshot()

    batch = send([*EVENTS, message(9)])

    assert not [problem for problem in batch.problems.all() if problem.code == "conflict"]
    assert snapshot()["messages"][:3] == before["messages"]


def test_message_with_another_secret_is_another_message(redacting, send):
    send([message(1, "write to a@b.org")])

    batch = send([message(1, "write to c@d.org")])

    assert [problem.code for problem in batch.problems.all()] == ["conflict"]


def test_events_from_before_redaction_are_known_again(acme, send):
    send(EVENTS[:3])
    acme.redaction = Redaction.INGEST
    acme.save()

    batch = send([*EVENTS[:3], message(9)])

    assert not batch.problems.exists()
    assert SECRET in str(Message.objects.get(external_id="m1").blocks)


def test_events_are_known_again_after_redaction_was_turned_off(redacting, send):
    send(EVENTS[:3])
    redacting.redaction = Redaction.OFF
    redacting.save()

    batch = send([*EVENTS[:3], message(9)])

    assert not batch.problems.exists()
    assert SECRET not in str(Message.objects.get(external_id="m1").blocks)


def test_other_detectors_later_do_not_make_other_messages(redacting, send):
    send([message(1, f"{SECRET} from 8.8.4.4")])
    chosen = settings_of(redacting)
    chosen.detectors = ["ip"]
    chosen.save()

    batch = send([message(1, f"{SECRET} from 8.8.4.4"), message(2, "from 8.8.4.4")])

    assert not batch.problems.exists()
    assert "[ip address #" in Message.objects.get(external_id="m2").blocks[0]["text"]


def test_exchanges_are_compared_by_what_was_sent(redacting, accept):
    def exchange(number, *texts):
        messages = [{"role": "user", "content": text} for text in texts]
        return {
            "id": f"e{number}", "conversation": "c", "at": f"2026-11-20T09:0{number}:00Z",
            "request": {"model": "opus", "messages": messages},
            "response": {"role": "assistant", "model": "opus", "content": [], "usage": {"input_tokens": 1}},
        }  # fmt: skip

    for number, texts in enumerate([[SECRET], [SECRET, TOKEN], [SECRET, TOKEN, "done"]]):
        body = json.dumps({"exchanges": [exchange(number, *texts)]}).encode()
        receipt = accept_exchange_bodies(workspace=redacting, body=body, claimed=True)
        services.digest_claimed([receipt.batch])

    said = [row.blocks[0]["text"] for row in Message.objects.order_by("position")]
    assert [text[:8] for text in said] == ["[email #", "[github ", "done"]
    assert Compaction.objects.count() == 0
    stored = everything_stored()
    assert SECRET not in stored
    assert TOKEN not in stored


def test_what_cannot_be_understood_is_not_kept(redacting):
    body = json.dumps({"exchanges": [{"id": "e1", "request": SECRET}]}).encode()

    accept_exchange_bodies(workspace=redacting, body=body)

    assert SECRET not in everything_stored()


def test_failure_of_a_batch_quotes_nothing(redacting, monkeypatch, caplog):
    def fail(*_args):
        raise ValueError(f"Failing row contains {SECRET}")

    monkeypatch.setattr("conversations.ingest.digest._write", fail)
    receipt = services.accept_events(workspace=redacting, body=json.dumps({"events": EVENTS}).encode(), claimed=True)
    services.digest_claimed([receipt.batch])

    assert Batch.objects.get().error == "ValueError"
    assert SECRET not in caplog.text


def test_key_that_cannot_be_read_keeps_the_bytes_for_later(redacting, send, settings):
    settings_of(redacting)
    sealed = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    batch = send(EVENTS)
    assert (batch.state, Message.objects.count()) == ("pending", 0)

    settings.SECRET_KEY = sealed
    services.digest_claimed([batch])

    assert Message.objects.count() == 3


def test_workspace_without_redaction_asks_for_nothing(acme, send):
    with CaptureQueriesContext(connection) as queries:
        send(STORY)

    assert not [query for query in queries if "conversations_redaction" in query["sql"]]
    assert Batch.objects.get().chunks.exists()


def test_grown_transcript_goes_on_without_the_bytes_that_came_before(redacting):
    def upload(content):
        receipt = services.accept_transcript(workspace=redacting, file=io.BytesIO(content), name=f"{SECRET}.jsonl")
        services.digest_pending()
        receipt.batch.refresh_from_db()
        return receipt.batch

    content = lines(record(1, SECRET), record(2, f"and {TOKEN}"))
    first = upload(content)
    grown = upload(content + lines(record(3, f"again {SECRET}")))

    assert (grown.continues, grown.offset) == (first, len(content))
    assert Message.objects.count() == 3
    assert upload(content) == first
    stored = everything_stored()
    assert SECRET not in stored
    assert TOKEN not in stored
