"""From exchanges to rows: stored once, whichever way and however often they come."""

import pytest
from msgspec import structs

from conversations.ingest import services
from conversations.ingest.events import Summary
from conversations.ingest.exchange import Announced, Spoken
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
from tests.ingest.agents import Client, assistant, said, user

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


def test_an_edited_turn_neither_stayed_nor_was_dropped(accept):
    client = Client()
    accept(*client.turns(8))
    before, edited = client.history[:-2], client.history[-2:]
    accept(client.turn("I meant something else.", sent=before))
    again = [*before, *client.history[-2:]]
    accept(client.turn("Go on.", sent=again[-4:]))

    compaction = Compaction.objects.get()
    assert said(dropped_by=compaction) == [each.blocks[0].text for each in before[:-2]]
    assert compaction.kept_count == 4
    abandoned = Message.objects.filter(external_id__in=compaction.raw["abandoned"]).order_by("position")
    assert [each.blocks[0]["text"] for each in abandoned] == [each.blocks[0].text for each in edited]


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
