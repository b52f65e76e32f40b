"""What an exchange says besides its messages: which call it was, and what the conversation is called."""

import pytest

from conversations.ingest.contexts.taking import first_words
from conversations.ingest.events import ConversationEvent, RequestEvent
from tests.ingest.contexts.talking import Talk, assistant, result, user


def test_calls_of_one_id_are_told_apart_by_what_they_say():
    talk = Talk()
    for number in range(3):
        talk.say(f"Question {number}.", assistant("Done."), id="msg_1")

    assert len(talk.texts()) == 6
    assert len(talk.events(RequestEvent)) == 3
    assert talk.compactions() == []


def test_the_same_call_again_is_none():
    talk = Talk()
    again = talk.exchange([user("Hi")], assistant("Hello."), id="msg_1")

    assert talk.take(again).is_new
    assert not talk.take(again).is_new


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        ([user("Refund  order\n8812"), assistant("Yes."), user("Now!")], "Refund order 8812"),
        ([user("<system-reminder>Be brief.</system-reminder>", "Refund it")], "Refund it"),
        ([assistant("Hello."), result("ok", "t1")], ""),
        ([], ""),
    ],
)
def test_conversation_is_called_by_its_users_first_words(sent, title):
    assert first_words(Talk().exchange(sent)) == title


def titles(talk):
    return [event.title for event in talk.order if isinstance(event, ConversationEvent)]


def test_title_that_was_given_stays():
    talk = Talk()
    talk.say("Refund order 8812", title="Ticket 17")
    talk.say("Now!")
    assert titles(talk) == ["Ticket 17"]

    talk = Talk()
    talk.say("Refund order 8812")
    talk.say("Now!", title="Ticket 17")
    assert titles(talk) == ["Refund order 8812", "Ticket 17"]
