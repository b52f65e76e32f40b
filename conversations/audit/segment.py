"""Cuts a conversation at its compactions: what each dropped, kept and put back, its summary, what came after."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from msgspec import UNSET, structs

from conversations.audit.model import Author, Line, Segment
from conversations.ingest.events import (
    CompactionEvent,
    ConversationEvent,
    Event,
    MessageEvent,
    Summary,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from conversations.ingest.segments import PlacedCompaction, PlacedMessage, drops, is_failed
from conversations.vocabulary import CLEARING_KINDS, Origin, Role, SummaryState, abandoned_in

#: Of what followed so many messages are read: harm after more cannot be told from ordinary work.
MOST_FOLLOWING = 600


@dataclass(frozen=True, slots=True)
class _Conversation:
    """What one conversation holds, by place. `whole`: its beginning is in the data."""

    messages: Sequence[MessageEvent]
    compactions: Sequence[CompactionEvent]
    cwd: str
    whole: bool


def segments_of(events: Iterable[Event]) -> list[Segment]:
    """The segments of all conversations in `events`, in order; a repeated event counts as its last wording."""
    found: list[Segment] = []
    for said in _conversations(events):
        found += _segments(said)
    return found


def position_of(event: MessageEvent | CompactionEvent) -> int:
    """The order within the conversation: the sequence, else microseconds of the clock."""
    if event.sequence is not None:
        return event.sequence
    return int(event.at.timestamp() * 1_000_000) if event.at else 0


def _conversations(events: Iterable[Event]) -> list[_Conversation]:
    messages: dict[str, dict[str, MessageEvent]] = defaultdict(dict)
    compactions: dict[str, dict[str, CompactionEvent]] = defaultdict(dict)
    about: dict[str, ConversationEvent] = {}
    for event in events:
        if isinstance(event, MessageEvent):
            messages[event.conversation][event.id] = event
        elif isinstance(event, CompactionEvent):
            known = compactions[event.conversation]
            known[event.id] = _later(known[event.id], event) if event.id in known else event
        elif isinstance(event, ConversationEvent):
            known_of = about.get(event.conversation)
            about[event.conversation] = _told(known_of, event) if known_of else event
    return [
        _conversation(messages[key], compactions[key], about.get(key))
        for key in dict.fromkeys([*messages, *compactions])
    ]


def _conversation(
    messages: dict[str, MessageEvent], compactions: dict[str, CompactionEvent], about: ConversationEvent | None
) -> _Conversation:
    boundaries = [_with_message(event, messages) for event in compactions.values()]
    return _Conversation(
        sorted(messages.values(), key=lambda m: (position_of(m), m.id)),
        sorted(boundaries, key=lambda c: (position_of(c), c.id)),
        about.cwd if about and about.cwd is not UNSET else "",
        not (about and about.complete is False),
    )


def _with_message(event: CompactionEvent, messages: dict[str, MessageEvent]) -> CompactionEvent:
    """A summary that stands in its event becomes a message, as it does in the store: the next compaction drops it."""
    if event.summary is None or event.summary_message:
        return event
    key = f"{event.id}/summary"
    messages[key] = MessageEvent(
        id=key,
        conversation=event.conversation,
        role=Role.USER,
        content=[Summary(event.summary)],
        origin=Origin.SUMMARY,
        sequence=position_of(event),
    )
    return structs.replace(event, summary_message=key)


def _later(old: CompactionEvent, new: CompactionEvent) -> CompactionEvent:
    """`new`, with what it leaves out taken from `old`."""
    default = CompactionEvent(id="", conversation="")
    kept = {name: getattr(old, name) for name in structs.asdict(new) if getattr(new, name) == getattr(default, name)}
    return structs.replace(new, **kept)


def _told(old: ConversationEvent, new: ConversationEvent) -> ConversationEvent:
    said = {
        name: value for name, value in structs.asdict(new).items() if value is not UNSET and value not in ("", None)
    }
    return structs.replace(old, **said)


def _segments(said: _Conversation) -> list[Segment]:
    gone = drops([_placed(m) for m in said.messages], [_boundary(c) for c in said.compactions])
    lines = {message.id: lines_of(message) for message in said.messages}
    return [_segment(said, number, gone, lines) for number in range(len(said.compactions))]


def _placed(message: MessageEvent) -> PlacedMessage:
    blocks = message.blocks()
    results = [block for block in blocks if isinstance(block, ToolResult)]
    return PlacedMessage(
        message.id, position_of(message), [r.id for r in results], bool(results) and len(results) == len(blocks)
    )


def _boundary(event: CompactionEvent) -> PlacedCompaction:
    return PlacedCompaction(
        event.id, position_of(event), event.kind, event.kept, event.dropped, event.cleared, event.summary_message,
        is_failed(event.summary_state), abandoned_in(event.raw),
    )  # fmt: skip


def _segment(said: _Conversation, number: int, gone: dict[str, str], lines: dict[str, list[Line]]) -> Segment:
    event = said.compactions[number]
    at, summary = position_of(event), _summary(said, event)
    later = (m for m in said.messages if position_of(m) > at and m.id != event.summary_message)
    kept, after = set(event.kept), list(islice(later, MOST_FOLLOWING))
    aside = set(abandoned_in(event.raw))
    restored = _put_back(after)
    return Segment(
        boundary=event.id,
        number=number + 1,
        kind=event.kind,
        summary_state=event.summary_state or (SummaryState.TEXT if summary else SummaryState.ABSENT),
        summary=summary,
        dropped=[line for m in said.messages if gone.get(m.id) == event.id for line in lines[m.id]],
        kept=[
            line
            for m in said.messages
            if m.id in kept or (m.id not in aside and _stays(m, event, gone, at))
            for line in lines[m.id]
        ],
        restored=[line for m in after if m.id in restored for line in lines[m.id]],
        continuation=[line for m in after if m.id not in restored for line in lines[m.id]],
        complete=event.complete and (said.whole or number > 0),
        cwd=said.cwd,
        earlier=lambda: [line for m in said.messages if _went_before(m, event, gone, at) for line in lines[m.id]],
    )


def _went_before(message: MessageEvent, event: CompactionEvent, gone: dict[str, str], at: int) -> bool:
    """Whether an earlier compaction took the message out of the context."""
    return position_of(message) < at and message.id in gone and gone[message.id] != event.id


def _stays(message: MessageEvent, event: CompactionEvent, gone: dict[str, str], at: int) -> bool:
    """Whether a clearing left the message in the context: it takes single results and nothing else."""
    return event.kind in CLEARING_KINDS and position_of(message) < at and message.id not in gone


def _put_back(after: Sequence[MessageEvent]) -> set[str]:
    """What the harness put back before the agent spoke again."""
    found: set[str] = set()
    for message in after:
        if message.role is Role.ASSISTANT:
            break
        if message.origin is Origin.RESTORED:
            found.add(message.id)
    return found


def _summary(said: _Conversation, event: CompactionEvent) -> str:
    """The readable summary, without the harness's wrapping."""
    if event.summary_state not in (None, SummaryState.TEXT):
        return ""
    if event.summary is not None:
        return event.summary
    message = next((m for m in said.messages if m.id == event.summary_message and event.summary_message), None)
    return "\n".join(b.text for b in message.blocks() if isinstance(b, Summary | Text)) if message else ""


def lines_of(message: MessageEvent) -> list[Line]:
    """The blocks of a message as the auditor reads them, images and empty blocks left out."""
    found = []
    for number, block in enumerate(message.blocks()):
        text, tool, tool_id, is_error = "", "", "", False
        if isinstance(block, Text | Thinking | Summary):
            text = block.text
        elif isinstance(block, ToolCall):
            text, tool, tool_id = f"{block.name} {json.dumps(block.input, ensure_ascii=False)}", block.name, block.id
        elif isinstance(block, ToolResult):
            text, tool_id, is_error = block.text, block.id, block.is_error
        if text:
            author = author_of(message, block)
            found.append(
                Line(
                    message.id,
                    number,
                    message.role,
                    author,
                    text,
                    position_of(message),
                    message.origin,
                    tool,
                    tool_id,
                    is_error,
                )
            )
    return found


def author_of(message: MessageEvent, block: object) -> Author:
    """Whose words a block is."""
    if isinstance(block, Summary) or message.origin is Origin.SUMMARY:
        return Author.SUMMARY
    if isinstance(block, ToolResult):
        return Author.TOOL_RESULT
    if isinstance(block, ToolCall):
        return Author.TOOL_INPUT
    if isinstance(block, Thinking):
        return Author.THINKING
    if message.origin in (Origin.HARNESS, Origin.RESTORED) or message.role is Role.SYSTEM:
        return Author.HARNESS
    return Author.USER if message.role is Role.USER else Author.ASSISTANT
