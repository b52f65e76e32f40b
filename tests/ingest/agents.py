"""An agent that sends its whole history with every request, and what is stored of it."""

from datetime import timedelta
from itertools import count

from conversations.ingest.events import Text, Usage
from conversations.ingest.exchange import Call, Exchange, Spoken
from conversations.models import Message
from conversations.vocabulary import Role
from tests.factories import START


def user(text):
    return Spoken(Role.USER, [Text(text)])


def assistant(text):
    return Spoken(Role.ASSISTANT, [Text(text)])


#: Tells clients without a name apart. Not id(): a client that is gone leaves its address to the next one.
_clients = count()


class Client:
    """An agent that sends its whole history with every request."""

    def __init__(self, name="ticket-1", tokens=1000):
        self.prefix = name or f"client-{next(_clients)}"
        self.name, self.tokens, self.number, self.history = name, tokens, 0, []

    def turn(self, text, answer=None, sent=None, **fields):
        self.number += 1
        self.history.append(user(text))
        answer = answer or f"{self.name or 'somebody'} is told of {text}"
        messages = [*sent, user(text)] if sent is not None else list(self.history)
        self.history.append(assistant(answer))
        return Exchange(
            id=f"{self.prefix}-{self.number}",
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


def said(**conditions):
    rows = Message.objects.filter(**conditions).order_by("position", "id")
    return [blocks[0]["text"] for blocks in rows.values_list("blocks", flat=True)]
