"""A model that says what the test wants, and a client of the stand-in."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import anthropic

from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.requests import ON_DEMAND_BETA, THRESHOLD_BETA
from conversations.ops.simulation.server import serve

MODEL = "claude-opus-5-5"


@dataclass
class Scripted:
    """Answers with the number of messages that it sees, and notes every context."""

    summary: str | None = "So far: nothing much."
    seen: list = field(default_factory=list)
    asked: list = field(default_factory=list)  # instructions of summaries

    def reply(self, context):
        self.seen.append(context)
        return [{"type": "text", "text": f"I see {len(context.messages)}."}]

    def summarise(self, context, instructions):
        self.seen.append(context)
        self.asked.append(instructions)
        return self.summary


@contextmanager
def client_of(model, **settings):
    with serve(Answerer(model, **settings)) as url, anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as c:
        yield c


def edit(trigger=50_000, **fields):
    return {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": trigger}, **fields}


def create(client, messages, *edits, betas=(THRESHOLD_BETA,), **fields):
    """One request at a threshold; without edits a plain one."""
    if edits:
        fields["context_management"] = {"edits": list(edits)}
    return client.beta.messages.create(model=MODEL, max_tokens=100, messages=messages, betas=list(betas), **fields)


def compact(client, messages, **config):
    """A compaction on demand."""
    wanted = {"type": "summarize", **config}
    return create(client, messages, betas=[ON_DEMAND_BETA], compaction=wanted)


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


LONG = "word " * 41_000  # 51,251 tokens of the stand-in's
