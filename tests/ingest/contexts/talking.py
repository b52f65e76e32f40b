"""A client that talks to a model, and what is known of it: exchanges made by hand, compared one after another."""

from datetime import UTC, datetime, timedelta

from conversations.ingest.contexts import Known, pack, take, unpack
from conversations.ingest.events import (
    CompactionEvent,
    ConversationEvent,
    Image,
    MessageEvent,
    RequestEvent,
    Summary,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from conversations.ingest.exchange import Announced, Call, Exchange, Spoken
from conversations.vocabulary import CompactionKind, Role, SummaryState, Trigger

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def user(*texts):
    return Spoken(Role.USER, [Text(text) for text in texts])


def assistant(*texts):
    return Spoken(Role.ASSISTANT, [Text(text) for text in texts])


def calls(tool, *ids, **fields):
    return Spoken(Role.ASSISTANT, [ToolCall(tool, each, {"of": each, **fields}) for each in ids])


def result(text, call):
    return Spoken(Role.TOOL, [ToolResult(text, call)])


def results(**texts):
    return Spoken(Role.TOOL, [ToolResult(text, call) for call, text in texts.items()])


def summary(text):
    return Spoken(Role.ASSISTANT, [Summary(text)])


def usage(read=1000, wrote=50):
    return Usage(input_tokens=read, output_tokens=wrote)


class Talk:
    """One conversation as the server follows it. `send` compares an exchange; all that was told is gathered."""

    def __init__(self, system=""):
        self.known = Known()
        self.system = system
        self.messages = []  # the client's own list
        self.number = 0
        self.told = {}  # (conversation, type, id) → the event as last told
        self.order = []

    def exchange(self, sent, *received, system=None, after=1, **fields):
        """The next exchange, a second after the one before."""
        self.number += after
        prompt = self.system if system is None else system
        fields = {
            "id": f"r{self.number}",
            "at": START + timedelta(seconds=self.number),
            "model": "claude-sonnet-5-5",
            "calls": [Call(usage=usage())] if received else [],
            **fields,
        }
        return Exchange(
            sent=list(sent),
            received=list(received),
            system=[Text(prompt)] if prompt else [],
            conversation="c",
            **fields,
        )

    def take(self, exchange):
        """Compare it; between two exchanges everything known goes through the store's form."""
        self.known = unpack(*pack(self.known))
        taken = take(self.known, exchange, "c", START)
        for event in taken.events:
            self.told[event.conversation, type(event), event.id] = event
            self.order.append(event)
        return taken

    def send(self, sent, *received, **fields):
        return self.take(self.exchange(sent, *received, **fields))

    def say(self, text, answer=None, **fields):
        """An ordinary turn of a client that keeps everything."""
        said = text if isinstance(text, Spoken) else user(text)
        answer = answer or assistant(f"This is what I say to {text!r}.")
        self.messages.append(said)
        taken = self.send(self.messages, answer, **fields)
        self.messages.append(answer)
        return taken

    def turns(self, count, about="matter"):
        for number in range(count):
            self.say(f"Question {number} about {about}.")
        return self.messages

    # --- what was told ------------------------------------------------------------------------------------------------

    def events(self, kind, conversation="c"):
        ours = [each for (name, type_, _), each in self.told.items() if type_ is kind and name == conversation]
        return sorted(ours, key=lambda event: event.sequence)

    def compactions(self, conversation="c"):
        return self.events(CompactionEvent, conversation)

    def conversations(self):
        return {name for name, *_ in self.told}

    def texts(self, ids=None, conversation="c"):
        """What the messages say, in order; or those of these ids."""
        messages = {each.id: each for each in self.events(MessageEvent, conversation)}
        chosen = messages.values() if ids is None else [messages[each] for each in ids]
        return [say(each) for each in chosen]

    def dropped(self, number=0):
        """The texts that a compaction dropped."""
        return self.texts(self.compactions()[number].dropped)


def say(message):
    """A message's words in short."""
    return "+".join(_word(block) for block in message.blocks() if not isinstance(block, Thinking))


def _word(block):
    return getattr(block, "text", "") or getattr(block, "name", "image")


def words(messages):
    """The same for what a client holds."""
    return ["+".join(_word(block) for block in said.blocks if not isinstance(block, Thinking)) for said in messages]


__all__ = [
    "START",
    "Announced",
    "Call",
    "CompactionEvent",
    "CompactionKind",
    "ConversationEvent",
    "Exchange",
    "Image",
    "MessageEvent",
    "RequestEvent",
    "Role",
    "Spoken",
    "Summary",
    "SummaryState",
    "Talk",
    "Text",
    "Thinking",
    "ToolCall",
    "ToolResult",
    "Trigger",
    "assistant",
    "calls",
    "result",
    "results",
    "say",
    "summary",
    "usage",
    "user",
    "words",
]
