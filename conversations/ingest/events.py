"""The canonical event: the one shape that every format becomes, and our own wire format.

Version 1. Every parser in `formats/` yields these; `services.py` turns them into rows; the auditor reads them
without a database. msgspec decodes and checks them in one pass (about 400 MB/s), which is why they are Structs.

Order within a conversation is `position`: the client's `sequence` where given, else microseconds of `at` since 1970.
A transcript parser sets `sequence` from the line, because file order is not time order.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState, Trigger

VERSION = 1


# --- what a message is made of -------------------------------------------------------------------------------------


class Text(Struct, frozen=True, tag_field="type", tag="text", omit_defaults=True):
    """Prose as said."""

    text: str


class Thinking(Struct, frozen=True, tag_field="type", tag="thinking", omit_defaults=True):
    """The model's reasoning; empty text = redacted or only signed."""

    text: str = ""


class ToolCall(Struct, frozen=True, tag_field="type", tag="tool_call", omit_defaults=True):
    """The model asks for a tool. `input` is JSON, as the model wrote it."""

    name: str
    id: str = ""
    input: Any = None


class ToolResult(Struct, frozen=True, tag_field="type", tag="tool_result", omit_defaults=True):
    """What the tool answered to the call `id`, as text (text parts joined by a newline, images as "[image]")."""

    text: str
    id: str = ""
    is_error: bool = False


class Image(Struct, frozen=True, tag_field="type", tag="image", omit_defaults=True):
    """Stands for an image, document or other binary part. Its bytes are not stored."""

    media_type: str = ""
    bytes: int | None = None


class Summary(Struct, frozen=True, tag_field="type", tag="summary", omit_defaults=True):
    """The summary a compaction left behind, without the harness's wrapping, which stands in `prefix` and `suffix`."""

    text: str
    prefix: str = ""
    suffix: str = ""


Block = Text | Thinking | ToolCall | ToolResult | Image | Summary


# --- what happened --------------------------------------------------------------------------------------------------


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens of one model call. `input_tokens` EXCLUDES what was read from or written to the cache (Anthropic's basis);
    parsers of sources that include it subtract. None = not known."""

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_1h_tokens: int | None = None  # of what was written to the cache: for an hour
    service_tier: str = ""  # standard, batch, priority, flex, fast; "" = not known


class _Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str  # unique within its conversation and type; the source's own id (a Claude Code record's uuid)
    conversation: str  # the source's id of the conversation
    at: datetime | None = None  # the agent's clock; None = when we received it
    sequence: int | None = None  # order within the conversation, instead of `at`


class ConversationEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="conversation"):
    """What is known of a conversation as a whole. Later ones overwrite; fields left out change nothing."""

    conversation: str
    id: str = ""
    at: datetime | None = None
    title: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    agent_version: str | UnsetType = UNSET
    parent: str | UnsetType = UNSET  # the conversation that spawned this one (a subagent's parent)
    complete: bool | UnsetType = UNSET  # False = its beginning is not in the data
    incomplete_reason: str | UnsetType = UNSET  # one sentence for people
    context_window: int | UnsetType = UNSET  # tokens the model can hold
    cwd: str | UnsetType = UNSET  # the working directory, for telling paths apart
    tags: tuple[str, ...] | UnsetType = UNSET  # added to those it has; see conversations/tags.py


class MessageEvent(_Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="message"):
    """One message. `content` may be a plain string for a single text block."""

    role: Role
    content: str | list[Block]
    origin: Origin = Origin.SPOKEN
    agent: str | UnsetType = UNSET
    agent_version: str | UnsetType = UNSET

    def blocks(self) -> list[Block]:
        """The content as blocks, whichever way it was written."""
        return [Text(self.content)] if isinstance(self.content, str) else self.content


class RequestEvent(_Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="request"):
    """One model call. The same id again overwrites: the last line of a streamed response wins."""

    model: str = ""
    usage: Usage = Usage()
    context_tokens: int | None = None  # what the model read; None = input + cache read + cache write
    stop_reason: str = ""
    duration_ms: int | None = None
    purpose: str = "turn"  # or "compaction": the call that wrote a summary


class CompactionEvent(_Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="compaction"):
    """One replacement of older messages. What it dropped: `dropped` where the source lists it, else everything in the
    context before it that is not in `kept`; for the clearing kinds only the results of the tool calls `cleared`."""

    kind: CompactionKind = CompactionKind.CLIENT
    trigger: Trigger = Trigger.UNKNOWN
    instructions: str = ""
    summary: str | None = None
    summary_state: SummaryState | None = None  # None = text when there is a summary, else absent
    summary_message: str = ""  # id of the message event that carries the summary; then `summary` is left out
    dropped: list[str] | None = None  # message ids
    kept: list[str] = []  # message ids kept verbatim
    cleared: list[str] = []  # tool call ids
    tokens_before: int | None = None  # as reported
    tokens_after: int | None = None  # as reported; often an estimate of the summary only
    trigger_tokens: int | None = None  # the threshold that was configured
    cost: Usage = Usage()  # of the summarising call
    model: str = ""
    duration_ms: int | None = None
    error: str = ""
    complete: bool = True  # False = messages it covers are not in the data
    raw: Any = None  # the source's own record, without long texts


class BudgetReport(_Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="budget"):
    """What an agent did about a budget. It lands beside the conversations with this id, whatever source they are of,
    and may come before them; the same id again changes nothing."""

    happened: Literal["wrap_up_injected", "blocked"]  # it was given the team's message, or sent nothing more
    budget: int | None = None  # the status object's id; None = a budget of the run's own
    name: str = ""  # of the budget
    agent: str = ""
    agent_version: str = ""
    used: float | None = None  # when it happened, as far as the agent knew
    limit: float | None = None
    message: str = ""  # what the agent was given


Event = ConversationEvent | MessageEvent | RequestEvent | CompactionEvent | BudgetReport


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something in the input that could not be understood. Never fatal: the bytes are kept, this says where and why."""

    code: str  # bad_json, unknown_type, bad_field, too_large …
    message: str  # one sentence: what is wrong
    mend: str = ""  # one sentence: what to do about it
    line: int | None = None  # from 1, or the event's index from 0 in a JSON batch
    field: str = ""
    raw: str = ""  # the beginning of the offending input, at most 500 characters
