"""One model call as it was sent and answered: the one shape that every provider's pair and every span becomes.

Parsers of wire formats make exchanges; `contexts.py` compares each with the one before it and tells in canonical events
what is new, what left the context, and what came in instead.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from conversations.ingest.events import Block, Thinking, Usage
from conversations.vocabulary import CompactionKind, Role, SummaryState, Trigger

DIGEST_BYTES = 16
_encode = msgspec.json.Encoder(order="sorted").encode


class Spoken(Struct, frozen=True, omit_defaults=True):
    """One message of a context. What a client changes between two requests without saying anything new (cache marks,
    signatures, ids of its own) is not in it, so that the same message has the same digest in every request."""

    role: Role
    blocks: list[Block]

    def digest(self) -> bytes:
        """16 bytes that tell two messages apart by what they say. Thinking is no part of it: clients and servers leave
        it out of older turns, and the message stays the same; of a message that is nothing else it is all there is."""
        said = [block for block in self.blocks if not isinstance(block, Thinking)] or self.blocks
        return blake2b(_encode((self.role, said)), digest_size=DIGEST_BYTES).digest()


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sampling of a model within an exchange: usually one; with a compaction the summarising call comes first."""

    usage: Usage = Usage()
    model: str = ""
    purpose: str = "turn"  # or "compaction"
    context_tokens: int | None = None  # what the model read; None = the sum of the usage's


class Announced(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A compaction, or a clearing of tool results, that the exchange itself tells of.

    `before` counts the messages of `Exchange.sent` that it replaced: None = all of them (a block in the response);
    messages before a compaction block in the request are those that precede it."""

    kind: CompactionKind
    trigger: Trigger = Trigger.UNKNOWN
    in_request: bool = False  # its block was sent back with the history: it happened earlier, here it is only seen
    before: int | None = None
    kept: list[int] = []  # messages of `Exchange.sent`, by index, that stay word for word although they stand before it
    instructions: str = ""
    summary: str | None = None
    summary_state: SummaryState = SummaryState.TEXT
    trigger_tokens: int | None = None
    paused: bool = False
    tokens_before: int | None = None  # as reported
    tokens_after: int | None = None
    cost: Usage = Usage()
    model: str = ""
    cleared: list[str] = []  # tool call ids, where the source names them
    cleared_count: int | None = None  # tool results blanked, where it only counts them
    cleared_tokens: int | None = None
    error: str = ""
    raw: Any = None


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request with its answer. Ids are the source's own; "" = to be found by what was sent."""

    id: str  # of the response, or of the span; where there is none a digest of both bodies
    conversation: str = ""  # "" = recognised by its beginning
    parent: str = ""  # the conversation that spawned this one
    agent: str = ""
    agent_version: str = ""
    title: str = ""
    tags: list[str] = []  # as they are stored
    at: datetime | None = None  # when the request was sent, by the agent's clock
    duration_ms: int | None = None
    provider: str = ""  # anthropic, openai, bedrock, vertex, foundry, …
    endpoint: str = "messages"  # messages, count_tokens, responses, responses/compact, chat/completions
    model: str = ""
    system: list[Block] = []  # the system prompt; it stands outside the messages and no compaction drops it
    sent: list[Spoken] = []  # the context, oldest first; a summary is a message of its own, and so are tool results
    previous: str = ""  # where it is not whole: the id of the exchange that it goes on from
    whole: bool = True  # False: the server holds the earlier messages (threads, previous_response_id) and `sent` is new
    received: list[Spoken] = []  # the answer
    calls: list[Call] = []
    stop_reason: str = ""
    announced: list[Announced] = []
    context_window: int | None = None
    compacted: bool | None = None  # a span says that its context is a compacted view, and no more
    error: str = ""  # the call failed: nothing was answered
