"""A conversation that was deleted is nowhere, and does not come back."""

import json

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.ingest import inbox, services
from conversations.ingest.forgetting import forget
from conversations.models import (
    Batch,
    BatchChunk,
    BatchProblem,
    BudgetEvent,
    BudgetOverride,
    Compaction,
    Conversation,
    Incident,
    KnownContexts,
    LlmAnswer,
    Message,
    Notice,
)
from tests.factories import chunks_of, create_compaction, create_conversation, create_message
from tests.spending.rows import create_budget, create_override
from tests.web.audited import create_finding

SECRET = "my-bank-pin-is-4711"


def message(conversation, text=SECRET, number=1):
    return {"type": "message", "id": f"m{number}", "conversation": conversation, "role": "user", "content": text}


def send(workspace, *events, body=None):
    body = json.dumps({"events": events}).encode() if body is None else body
    receipt = services.accept_events(workspace=workspace, body=body)
    services.digest_pending()
    return Batch.objects.get(pk=receipt.batch.pk)


def conversation_of(workspace, external_id):
    return Conversation.objects.get(workspace=workspace, external_id=external_id)


def stored(batch):
    return b"".join(inbox.load(batch))


def everywhere(text):
    """The tables in which some row still holds the text, compressed bytes included."""
    found = set()
    for model in apps.get_app_config("conversations").get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            sql = f"SELECT 1 FROM {model._meta.db_table} t WHERE t::text LIKE %s LIMIT 1"  # noqa: S608 -- our own table
            cursor.execute(sql, [f"%{text}%"])
            if cursor.fetchone():
                found.add(model._meta.db_table)
    found |= {"bytes" for batch in Batch.objects.all() if text.encode() in stored(batch)}
    return found


SHAPES = [
    lambda events: json.dumps({"events": events}).encode(),
    lambda events: json.dumps(events, indent=1).encode(),
    lambda events: "\n".join(map(json.dumps, events)).encode(),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_others_keep_their_bytes_and_can_be_digested_again(acme, shape):
    batch = send(acme, body=shape([message("gone"), message("stays", "Hello")]))

    assert forget(acme.pk, [conversation_of(acme, "gone").pk], for_good=True) == 1

    assert everywhere(SECRET) == set()
    batch.refresh_from_db()
    assert (batch.found["conversations"], batch.raw_deleted_at) == (["stays"], None)
    Conversation.objects.all().delete()
    services.redigest(Batch.objects.all())
    services.digest_pending()
    assert Conversation.objects.get().external_id == "stays"
    assert Message.objects.get().blocks == [{"type": "text", "text": "Hello"}]


def test_a_batch_of_one_conversation_loses_its_bytes(acme):
    batch = send(acme, message("gone"))

    forget(acme.pk, [conversation_of(acme, "gone").pk], for_good=True)

    batch.refresh_from_db()
    assert batch.raw_deleted_at is not None
    assert not chunks_of(batch).exists()
    assert services.redigest(Batch.objects.all()) == 0


@pytest.mark.parametrize(("for_good", "back"), [(True, False), (False, True)])
def test_what_was_deleted_for_good_is_not_taken_again(acme, globex, for_good, back):
    send(acme, message("gone"))
    forget(acme.pk, [conversation_of(acme, "gone").pk], for_good=for_good)

    batch = send(acme, message("gone", number=2), message("other", "Hello"))
    send(globex, message("gone", "of another workspace"))

    assert Conversation.objects.filter(workspace=acme, external_id="gone").exists() == back
    assert (SECRET.encode() in stored(batch)) == back
    assert conversation_of(acme, "other").message_count == 1
    assert conversation_of(globex, "gone").message_count == 1


def test_a_transcript_goes_as_a_whole_and_does_not_come_back_when_it_grows(acme, tmp_path):
    def upload(lines):
        path = tmp_path / "session.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        with path.open("rb") as file:
            receipt = services.accept_transcript(workspace=acme, file=file, name="session.jsonl")
        services.digest_pending()
        return Batch.objects.get(pk=receipt.batch.pk)

    def line(number):
        return {
            "type": "user", "uuid": f"u{number}", "parentUuid": f"u{number - 1}" if number else None,
            "sessionId": "11111111-1111-4111-8111-111111111111", "timestamp": f"2026-11-20T09:00:0{number}Z",
            "message": {"role": "user", "content": f"{SECRET} {number}"},
        }  # fmt: skip

    upload([line(0)])
    upload([line(0), line(1)])
    assert Conversation.objects.get().message_count == 2

    forget(acme.pk, [Conversation.objects.get().pk], for_good=True)
    assert everywhere(SECRET) == set()
    grown = upload([line(0), line(1), line(2)])

    assert not Conversation.objects.exists()
    assert everywhere(SECRET) == set()
    assert (grown.state, grown.found["conversations"], grown.name) == ("digested", [], "")


def test_everything_that_was_made_of_it_goes_along(acme, alice):
    conversation = create_conversation(acme, title=SECRET)
    dropped = create_message(conversation, SECRET)
    compaction = create_compaction(conversation, SECRET, dropped=[dropped])
    create_finding(compaction, text=SECRET)
    stays = create_conversation(acme)
    LlmAnswer.objects.create(workspace=acme, key="a", answer=SECRET, compaction=compaction)
    LlmAnswer.objects.create(workspace=acme, key="b", answer=SECRET)
    KnownContexts.objects.create(
        workspace=acme, source=conversation.source, external_id=conversation.external_id, state=b""
    )
    BudgetEvent.objects.create(
        workspace=acme, conversation_name=conversation.external_id, kind="warned", at=conversation.last_at
    )
    budget = create_budget(acme)
    for row in (conversation, stays):
        create_override(budget, conversation_name=row.external_id, reason=SECRET if row is not stays else "fine")
        Incident.objects.create(
            workspace=acme, budget=budget, group=row.external_id, state="open", severity="warning", since=row.last_at,
            opened_at=row.last_at, evaluated_at=row.last_at, summary=SECRET if row is not stays else "fine",
        )  # fmt: skip
    for row in (conversation, compaction, dropped, stays):
        Notice.objects.create(
            workspace=acme, user=alice.user, kind="mention", text=SECRET if row is not stays else "fine",
            url=row.get_absolute_url(), key=row.get_absolute_url(),
        )  # fmt: skip

    forget(acme.pk, [conversation.pk], for_good=True)

    assert everywhere(SECRET) == set()
    assert Conversation.objects.get() == stays
    assert Notice.objects.get().text == "fine"
    assert not KnownContexts.objects.exists()
    assert not BudgetEvent.objects.exists()
    assert BudgetOverride.objects.get().conversation_name == Incident.objects.get().group == stays.external_id


def test_what_was_not_understood_goes_where_it_names_the_conversation(acme):
    services.accept_exchange_bodies(workspace=acme, body=b'{"conversation": "gone", "request": "%s"}' % SECRET.encode())
    services.accept_exchange_bodies(workspace=acme, body=b'{"conversation": "other", "request": "Hello"}')
    conversation = create_conversation(acme, external_id="gone", source="exchanges")

    forget(acme.pk, [conversation.pk], for_good=True)

    assert everywhere(SECRET) == set()
    assert BatchChunk.objects.filter(batch__format="exchanges_unread").count() == 1
    assert BatchProblem.objects.count() == 1


def test_only_the_workspaces_own_are_deleted(acme, globex):
    theirs = create_conversation(globex)

    assert forget(acme.pk, [theirs.pk], for_good=True) == 0
    assert Conversation.objects.get() == theirs


def test_deleting_twice_is_deleting_once(acme):
    conversation = create_conversation(acme)

    assert forget(acme.pk, [conversation.pk], for_good=True) == 1
    assert forget(acme.pk, [conversation.pk], for_good=True) == 0


def test_a_copy_elsewhere_becomes_the_original(acme):
    original, copy = create_conversation(acme), create_conversation(acme)
    first = create_compaction(original)
    second = create_compaction(copy, copy_of=first)

    forget(acme.pk, [original.pk], for_good=True)

    assert Compaction.objects.get() == second
    assert Compaction.objects.originals().get() == second


def test_digesting_what_is_new_asks_no_more_for_it(acme):
    services.accept_events(workspace=acme, body=json.dumps([message("first")]).encode())
    with CaptureQueriesContext(connection) as queries:
        services.digest_pending()

    asked = [query["sql"] for query in queries.captured_queries if "deletedconversation" in query["sql"]]
    assert [sql.split()[0] for sql in asked] == ["INSERT"]
