"""Exchanges that do not say of which conversation they are."""

import pytest
from msgspec import structs

from conversations.models import Compaction, Conversation, Request
from tests.ingest.agents import Client, said, user


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


def test_a_call_that_failed_is_no_conversation(accept):
    client = Client("")
    attempts = [structs.replace(client.turn("Hello"), id=f"r-failed-{number}") for number in range(3)]
    failed = [structs.replace(each, received=[], calls=[], error="Connection refused") for each in attempts]

    receipt = accept(*failed)

    assert [result.status for result in receipt.results] == ["accepted"] * 3
    assert not Conversation.objects.exists()


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
