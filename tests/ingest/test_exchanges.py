"""From exchanges to rows: stored once, whichever way and however often they come."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from msgspec import structs

from conversations.ingest import exchanges as accepting
from conversations.ingest import services
from conversations.ingest.events import Problem, Summary, Text, Usage
from conversations.ingest.exchange import Announced, Call, Exchange, Spoken
from conversations.models import (
    Batch,
    BatchProblem,
    Compaction,
    ContextPage,
    Conversation,
    KnownContexts,
    Message,
    Request,
)
from conversations.vocabulary import CompactionKind, Role
from tests.factories import START


def user(text):
    return Spoken(Role.USER, [Text(text)])


def assistant(text):
    return Spoken(Role.ASSISTANT, [Text(text)])


class Client:
    """An agent that sends its whole history with every request."""

    def __init__(self, name="ticket-1", tokens=1000):
        self.name, self.tokens, self.number, self.history = name, tokens, 0, []

    def turn(self, text, answer=None, sent=None, **fields):
        self.number += 1
        self.history.append(user(text))
        answer = answer or f"{self.name or 'somebody'} is told of {text}"
        messages = [*sent, user(text)] if sent is not None else list(self.history)
        self.history.append(assistant(answer))
        return Exchange(
            id=f"{self.name or id(self)}-{self.number}",
            conversation=self.name,
            sent=messages,
            received=[assistant(answer)],
            at=START + timedelta(seconds=self.number),
            model="claude-sonnet-5-5",
            calls=[Call(usage=Usage(input_tokens=self.tokens * len(messages), output_tokens=10))],
            **fields,
        )

    def turns(self, count, about="matter"):
        return [self.turn(f"{about} {number}") for number in range(count)]


@pytest.fixture
def accept(acme):
    def accept_all(*exchanges, workspace=acme, source="exchanges"):
        receipt = services.accept_exchanges(workspace=workspace, exchanges=exchanges, source=source, claimed=True)
        if receipt.is_new:
            services.digest_claimed([receipt.batch])
        receipt.batch.refresh_from_db()
        return receipt

    return accept_all


def said(**conditions):
    rows = Message.objects.filter(**conditions).order_by("position", "id")
    return [blocks[0]["text"] for blocks in rows.values_list("blocks", flat=True)]


# --- once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 7, 30])
def test_history_that_is_sent_again_is_stored_once(accept, at_once):
    client = Client()
    exchanges = client.turns(30)
    for start in range(0, 30, at_once):
        accept(*exchanges[start : start + at_once])

    assert said() == [each.blocks[0].text for each in client.history]
    assert Request.objects.count() == 30
    conversation = Conversation.objects.get()
    assert (conversation.external_id, conversation.source, conversation.message_count) == ("ticket-1", "exchanges", 60)
    assert BatchProblem.objects.count() == 0


def test_the_same_exchanges_again_change_nothing(accept, snapshot):
    exchanges = Client().turns(5)
    accept(*exchanges)
    before = snapshot(), list(KnownContexts.objects.values_list("state", flat=True))

    receipt = accept(*exchanges)

    assert [result.status for result in receipt.results] == ["duplicate"] * 5
    assert not receipt.is_new
    assert (receipt.batch.state, receipt.batch.duplicates) == ("digested", 5)
    assert (snapshot(), list(KnownContexts.objects.values_list("state", flat=True))) == before


def test_batch_digested_again_changes_nothing(accept, snapshot):
    client = Client()
    accept(*client.turns(8))
    accept(client.turn("Go on.", sent=client.history[-6:]))
    before = snapshot()

    assert services.redigest(Batch.objects.all()) == 2
    services.digest_pending()

    assert snapshot() == before


def test_two_ways_in_tell_the_same(accept):
    """Exchanges and spans: other ids of the calls, the same messages and compactions under the same keys."""
    told = []
    for source in ("exchanges", "otlp"):
        client = Client()
        exchanges = client.turns(8)
        exchanges.append(client.turn("Go on.", sent=client.history[-6:]))
        accept(*exchanges, source=source)
        ours = {"conversation__source": source}
        keys = list(Message.objects.filter(**ours).order_by("position").values_list("external_id", "content_hash"))
        compactions = Compaction.objects.filter(**ours).values_list("external_id", "dropped_count", "kind")
        told.append((keys, list(compactions)))

    assert told[0] == told[1]
    assert len(told[0][1]) == 1


def test_workspaces_know_nothing_of_each_other(accept, acme, globex):
    exchanges = Client().turns(3)
    accept(*exchanges)

    receipt = accept(*exchanges, workspace=globex)

    assert [result.status for result in receipt.results] == ["accepted"] * 3
    assert Conversation.objects.filter(workspace=globex).count() == 1
    assert set(ContextPage.objects.values_list("workspace_id", flat=True)) == {acme.pk, globex.pk}


def test_exchanges_of_one_post_are_taken_in_the_order_they_were_sent(accept):
    client = Client()
    exchanges = client.turns(6)

    receipt = accept(*reversed(exchanges))

    assert [result.id for result in receipt.results] == [each.id for each in reversed(exchanges)]
    assert said() == [each.blocks[0].text for each in client.history]


# --- what left the context --------------------------------------------------------------------------------------------


def test_cut_has_its_dropped_messages_and_tokens(accept):
    client = Client()
    accept(*client.turns(8))
    cut = client.history[-6:]
    accept(client.turn("Go on.", sent=cut))
    accept(client.turn("And on.", sent=[*cut, *client.history[-2:]]))

    compaction = Compaction.objects.get()
    assert (compaction.kind, compaction.summary_state, compaction.dropped_count) == ("truncation", "absent", 10)
    assert said(dropped_by=compaction) == [each.blocks[0].text for each in client.history[:10]]
    assert (compaction.tokens_before_observed, compaction.tokens_after_observed) == (15_010, 7_000)
    assert compaction.raw["found_by"] == "difference"


def test_window_that_slides_is_one_row_that_grows(accept):
    client = Client()
    for number in range(15):
        accept(client.turn(f"matter {number}", sent=client.history[-9:]))

    compaction = Compaction.objects.get()
    assert said(dropped_by=compaction) == [each.blocks[0].text for each in client.history[:-11]]
    assert compaction.dropped_count == 19


def test_summary_of_the_client_stands_beside_what_it_replaced(accept):
    client = Client()
    accept(*client.turns(8))
    summary = user("Here is a summary of the conversation to date:\n\nEight matters.")
    accept(client.turn("Go on.", sent=[summary, *client.history[-2:]]))

    compaction = Compaction.objects.get()
    assert (compaction.kind, compaction.summary_state, compaction.dropped_count) == ("client", "text", 14)
    assert compaction.summary_message.blocks[0]["text"] == "Eight matters."
    assert compaction.summary_message.dropped_by is None


def test_announced_compaction_has_one_row_whichever_way_it_is_seen(accept):
    client = Client()
    accept(*client.turns(4))
    announced = Announced(kind=CompactionKind.THRESHOLD, summary="Five matters.")
    block = Spoken(Role.ASSISTANT, [Summary("Five matters.")])
    exchange = client.turn("matter 4", "On.", announced=[announced])
    accept(replaced(exchange, received=[block, assistant("On.")]))
    client.history.insert(-1, block)
    seen = Announced(kind=CompactionKind.THRESHOLD, in_request=True, before=9, summary="Five matters.")
    for number in range(3):
        accept(client.turn(f"more {number}", announced=[seen]))

    compaction = Compaction.objects.get()
    assert (compaction.dropped_count, compaction.kept_count) == (9, 0)
    assert compaction.summary_message.blocks == [{"type": "summary", "text": "Five matters."}]


def replaced(exchange, **fields):

    return structs.replace(exchange, **fields)


# --- conversations without an id --------------------------------------------------------------------------------------


def test_conversation_is_recognised_by_its_beginning(accept):
    clients = [Client(""), Client(""), Client("")]
    for client in clients:
        client.marker = f"{clients.index(client)}"
    for number in range(5):
        for client in clients:
            accept(client.turn(f"matter {number}", f"Answer {number} to {client.marker}."))

    assert Conversation.objects.count() == 3
    for conversation, client in zip(Conversation.objects.order_by("id"), clients, strict=True):
        assert said(conversation=conversation) == [each.blocks[0].text for each in client.history]


def test_conversation_is_recognised_within_one_post(accept):
    client = Client("")
    accept(*client.turns(6))

    assert Conversation.objects.get().message_count == 12


@pytest.mark.parametrize("summed_up", [True, False])
def test_conversation_is_recognised_by_what_is_left_of_it(accept, summed_up):
    client = Client("")
    accept(*client.turns(6))
    left = client.history[-4:]
    if summed_up:
        left = [user("Here is a summary of the conversation to date: six matters."), *left]
    accept(client.turn("Go on.", sent=left))

    assert Conversation.objects.count() == 1
    assert Compaction.objects.get().kind == ("client" if summed_up else "truncation")


def test_exchange_without_a_conversation_comes_again(accept):
    client = Client("")
    exchanges = client.turns(4)
    accept(*exchanges)

    receipt = accept(exchanges[1])

    assert receipt.results[0].status == "duplicate"
    assert Conversation.objects.count() == 1


def test_same_question_in_two_conversations_is_two(accept):
    first, second = Client(""), Client("")
    accept(first.turn("Hello", "Hi, what is it?"))
    accept(second.turn("Hello", "Good morning!"))
    accept(second.turn("Fine.", "Good."))
    accept(first.turn("Well.", "I see."))

    assert sorted(Conversation.objects.values_list("message_count", flat=True)) == [4, 4]


def test_same_greeting_in_two_conversations_is_two(accept):
    """The first comes to an end before the second begins with the same words."""
    first, second = Client(""), Client("")
    accept(first.turn("Hello", "Hi, what is it?"), first.turn("Fine.", "Good."))
    second.number = 5
    accept(second.turn("Hello", "Hi, what is it?"))
    accept(second.turn("Another matter.", "Which?"))

    assert sorted(Conversation.objects.values_list("message_count", flat=True)) == [4, 4]


def test_beginning_may_come_after_what_follows_it(accept):
    client = Client("")
    exchanges = client.turns(4)
    for number in (2, 0, 3, 1):
        accept(exchanges[number])

    assert Conversation.objects.get().message_count == 8
    assert Request.objects.count() == 4


def test_short_answers_in_common_do_not_join_conversations(accept):
    for number in range(3):
        client = Client("")
        accept(client.turn(f"Do task {number}.", "Done."))
        accept(client.turn("Thanks.", f"Bye {number}."))

    assert sorted(Conversation.objects.values_list("message_count", flat=True)) == [4, 4, 4]


# --- what cannot be understood ----------------------------------------------------------------------------------------


def test_unread_exchange_is_kept_and_read_by_a_later_version(acme, monkeypatch):
    client = Client()
    [good] = client.turns(1)
    trouble = Problem(code="unknown_type", message="The request is of no known API.", mend="Name it.", line=0)
    body = json.dumps([{"request": {"new": "api"}}, {"request": "nothing"}], indent=1).encode()
    receipt = services.accept_exchange_bodies(workspace=acme, body=body)
    unread = receipt.unread
    assert [result.status for result in receipt.results] == ["rejected", "rejected"]
    assert (receipt.batch.pk, unread.rejected, unread.problems.count()) == (unread.pk, 2, 2)

    def reads_more(raw, index, limits):
        return good if b"new" in raw else trouble

    monkeypatch.setattr(accepting, "read_one", reads_more)
    services.redigest(Batch.objects.filter(pk=unread.pk))
    digested = services.digest_pending()

    assert said() == ["matter 0", client.history[1].blocks[0].text]
    unread.refresh_from_db()
    assert (unread.state, unread.problems.get().message, unread.rejected) == ("digested", trouble.message, 1)
    assert unread.pk in digested.batch_ids
    services.redigest(Batch.objects.filter(pk=unread.pk))
    services.digest_pending()
    assert Message.objects.count() == 2


def test_what_no_version_reads_yet_keeps_its_problems(acme):
    trouble = Problem(code="bad_span", message="This span cannot be read.", line=3)
    receipt = services.accept_exchanges(workspace=acme, exchanges=[trouble], source="otlp", unread=[b"\x0a\n\x00"])

    services.redigest(Batch.objects.all())
    services.digest_pending()

    unread = Batch.objects.get()
    assert (unread.pk, unread.state, unread.rejected) == (receipt.unread.pk, "digested", 1)
    assert unread.problems.get().message == trouble.message


# --- cost and safety --------------------------------------------------------------------------------------------------


def count_queries(accept, *exchanges):
    with CaptureQueriesContext(connection) as queries:
        accept(*exchanges)
    return len(queries)


def test_number_of_queries_does_not_depend_on_the_number_of_exchanges(acme):
    client = Client()
    exchanges = client.turns(60)

    def accept(*some):
        services.accept_exchanges(workspace=acme, exchanges=some, source="exchanges")

    accept(exchanges[0])
    few, many = count_queries(accept, exchanges[1]), count_queries(accept, *exchanges[2:])
    assert many == few
    assert few <= 10


def fails(batch, body):
    raise OSError("disk")


def test_exchange_that_was_not_stored_is_not_known_either(accept, acme, monkeypatch):
    """Whatever breaks the request off, the sender's next attempt is taken as the first."""
    client = Client()
    exchanges = client.turns(3)
    accept(exchanges[0])
    with monkeypatch.context() as broken:
        broken.setattr(accepting.inbox, "store_whole", fails)
        with pytest.raises(OSError, match="disk"):
            services.accept_exchanges(workspace=acme, exchanges=exchanges[1:], source="exchanges")

    receipt = accept(*exchanges[1:])

    assert [result.status for result in receipt.results] == ["accepted", "accepted"]
    assert len(said()) == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ticket-1", ""])
def test_exchanges_that_come_at_once_are_taken_one_after_another(acme, name):
    client = Client(name)
    exchanges = client.turns(12)
    together = threading.Barrier(4)
    errors = []

    def send(ours):
        try:
            together.wait()
            for exchange in ours:
                services.accept_exchanges(workspace=acme, exchanges=[exchange], source="exchanges")
        except Exception as error:  # noqa: BLE001 -- told below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(exchanges[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.digest_pending()

    assert errors == []
    assert Compaction.objects.count() == 0
    conversation = Conversation.objects.get()
    assert conversation.request_count == 12
    assert set(said()) == {each.blocks[0].text for each in client.history}
    assert conversation.message_count == 24
