"""Events without their secrets: every text that becomes a row, and no id, name or number by which rows are found."""

from typing import TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from conversations.ingest.events import (
    Block,
    BudgetReport,
    CompactionEvent,
    ConversationEvent,
    Event,
    Image,
    MessageEvent,
    Problem,
    Summary,
    ToolCall,
)
from conversations.redaction.redactor import Redactor

E = TypeVar("E", bound=Event)
#: Where parsers cut errors, and the strings of a source's own record.
ERROR_CHARACTERS = 500
RECORD_CHARACTERS = 200


def redacted(event: E, redactor: Redactor) -> E:
    """The event as it may be stored; the very same object where nothing was found in it."""
    match event:
        case MessageEvent():
            blocks = [redacted_block(block, redactor) for block in event.blocks()]
            same = all(new is old for new, old in zip(blocks, event.blocks(), strict=True))
            return event if same or blocks == event.blocks() else replace(event, content=blocks)
        case ConversationEvent():
            told = {name: getattr(event, name) for name in ("title", "cwd", "incomplete_reason")}
            return replace(
                event, **{k: redacted_title(text, redactor) for k, text in told.items() if text is not UNSET}
            )
        case CompactionEvent():
            summary = None if event.summary is None else redactor.text(event.summary)
            return replace(
                event,
                summary=summary,
                instructions=redactor.text(event.instructions),
                error=redactor.value(event.error, cut_at=ERROR_CHARACTERS),
                raw=redactor.value(event.raw, cut_at=RECORD_CHARACTERS),
            )
        case BudgetReport():
            return replace(event, message=redactor.text(event.message))
        case _:
            return event


def redacted_title(title: str, redactor: Redactor) -> str:
    """Of a title that parsers made of a message's beginning, and said so by its end."""
    return redactor.cut_text(title) if title.endswith("…") else redactor.text(title)


def redacted_block(block: Block, redactor: Redactor) -> Block:
    """The same of one block."""
    match block:
        case Image():
            return block
        case ToolCall():
            given = redactor.value(block.input)
            return block if given is block.input else replace(block, input=given)
        case Summary():
            parts = {name: redactor.text(getattr(block, name)) for name in ("text", "prefix", "suffix")}
            return replace(block, **parts)
        case _:
            text = redactor.text(block.text)
            return block if text is block.text else replace(block, text=text)


def redacted_problem(problem: Problem, redactor: Redactor) -> Problem:
    """What is wrong with an event, without its quotation: the beginning of something that was not understood."""
    return replace(problem, message=redactor.text(problem.message), raw="")
