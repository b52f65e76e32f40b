"""What a window that slides saves, from the exchanges to the sums."""

from datetime import timedelta

import pytest

from conversations.ingest import services
from conversations.ingest.events import Usage
from conversations.ingest.exchange import Call, Exchange
from conversations.models import Compaction, Conversation, ConversationDay
from conversations.spending.queries import savings_of_conversation, steps_in
from conversations.spending.services import recount
from tests.factories import START
from tests.ingest.agents import assistant, user

FRAME, TURNS, WINDOW = 900, 40, 7
ASKED, ANSWERED = 250, 100  # tokens


def exchanges():
    """A client that sends its last messages only, as it would be billed at 4 characters a token."""
    history = []
    for number in range(TURNS):
        history.append(user(f"{number:04}".ljust(ASKED * 4, "q")))
        sent = history[-WINDOW:]
        answer = assistant(f"{number:04}".ljust(ANSWERED * 4, "a"))
        read = FRAME + sum(len(message.blocks[0].text) // 4 for message in sent)
        yield Exchange(
            id=f"r{number}", conversation="c", sent=sent, received=[answer], at=START + timedelta(seconds=number),
            model="claude-opus-5", calls=[Call(usage=Usage(input_tokens=read, output_tokens=ANSWERED))],
        )  # fmt: skip
        history.append(answer)


def unbounded():
    """Input tokens of the same turns with the whole history."""
    return sum(FRAME + number * (ASKED + ANSWERED) + ASKED for number in range(TURNS))


@pytest.mark.parametrize("at_once", [1, 9, TURNS])
def test_saved_is_all_that_slid_out_of_the_window(acme, at_once):
    told = list(exchanges())
    for start in range(0, TURNS, at_once):
        some = told[start : start + at_once]
        receipt = services.accept_exchanges(workspace=acme, exchanges=some, source="exchanges", claimed=True)
        services.digest_claimed([receipt.batch])

    savings = savings_of_conversation(Conversation.objects.get()).savings
    assert savings.is_certain
    assert abs(savings.at_least - unbounded()) < 0.01 * unbounded()
    assert len(steps_in(Conversation.objects.get())) == TURNS - (WINDOW + 1) // 2
    assert Compaction.objects.count() == 2
    before = ConversationDay.objects.values()[0]
    recount(acme)
    assert ConversationDay.objects.values()[0] | {"id": before["id"]} == before
