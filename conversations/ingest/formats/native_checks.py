"""What the types of our own event log do not say: ids that can be stored, names and numbers in their bounds, depth."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from conversations.ingest.events import (
    BudgetReport,
    CompactionEvent,
    ConversationEvent,
    Event,
    Image,
    MessageEvent,
    Problem,
    RequestEvent,
    ToolCall,
    Usage,
)
from conversations.ingest.formats.base import MOST, NAME_CHARACTERS, REASON_CHARACTERS, VERSION_CHARACTERS
from conversations.tags import TAG_CHARACTERS, tag_of

KEY_CHARACTERS = 512
_PURPOSES = ("turn", "compaction")
_NAMES = {
    "model": NAME_CHARACTERS,
    "agent": NAME_CHARACTERS,
    "agent_version": VERSION_CHARACTERS,
    "stop_reason": REASON_CHARACTERS,
    "parent": KEY_CHARACTERS,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one batch and one event may have."""

    events: int = 10_000
    event_bytes: int = 16 * 1024 * 1024
    depth: int = 64


DEFAULTS = Limits()
#: For what was let in before: the limits may have been lowered since.
UNLIMITED = Limits(events=2**31, event_bytes=2**31, depth=1000)


def fault(event: Event, limits: Limits) -> Problem | None:
    """The first thing wrong with an event that has the right types."""
    bad = next(bad_keys(event), None) or next(_bad_numbers(event), None)
    if bad:
        return bad
    bad = next(_long_names(event), None) or next(_bad_tags(event), None)
    if bad:
        return bad
    if isinstance(event, RequestEvent) and event.purpose not in _PURPOSES:
        return _field("purpose", f'"{event.purpose[:40]}" is no purpose.', 'Use "turn" or "compaction".')
    if _free_depth(event, limits.depth):
        return depth_problem(limits)
    return None


def bad_keys(event: Event) -> Iterator[Problem]:
    """Ids must be there, short, and storable: NUL and its replacement U+FFFD would let two ids become one."""
    keys = [("conversation", event.conversation)]
    if not isinstance(event, ConversationEvent):
        keys.append(("id", event.id))
    if isinstance(event, CompactionEvent):
        keys += _listed_keys(event)
    for name, key in keys:
        if not key.strip():
            yield _field(name, f'"{name}" is empty.', "Give the id that your side knows it by.")
        elif len(key) > KEY_CHARACTERS:
            message = f'"{name}" has {len(key):,} characters; at most {KEY_CHARACTERS} are taken.'
            yield _field(name, message, "Shorten it.")
        elif "\x00" in key or "\ufffd" in key:
            yield _field(name, f'"{name}" holds a character that cannot be stored.', "Use plain text as an id.")


def _bad_tags(event: Event) -> Iterator[Problem]:
    """What could not be found again as it was written is refused rather than changed."""
    said = event.tags if isinstance(event, ConversationEvent) and event.tags is not msgspec.UNSET else ()
    for index, tag in enumerate(said):
        if not tag_of(tag):
            mend = f"Use at most {TAG_CHARACTERS} characters, without commas."
            yield _field(f"tags[{index}]", f'"{tag[:40]}" is no tag.', mend)


def is_bad_key(key: str) -> bool:
    """Whether `bad_keys` would say something of it."""
    return not key.strip() or len(key) > KEY_CHARACTERS or "\x00" in key or "\ufffd" in key


def _long_names(event: Event) -> Iterator[Problem]:
    """Names are stored in columns of fixed width."""
    for name, most in _NAMES.items():
        value = getattr(event, name, "")
        if isinstance(value, str) and len(value) > most:
            yield _field(name, f'"{name}" has {len(value):,} characters; at most {most} are taken.', "Shorten it.")


def _listed_keys(event: CompactionEvent) -> list[tuple[str, str]]:
    lists = (("kept", event.kept), ("dropped", event.dropped or []), ("cleared", event.cleared))
    keys = [(f"{name}[{index}]", key) for name, ids in lists for index, key in enumerate(ids)]
    return [*keys, ("summary_message", event.summary_message)] if event.summary_message else keys


def _bad_numbers(event: Event) -> Iterator[Problem]:
    for name, number in _numbers(event):
        if number is not None and not 0 <= number <= MOST:
            yield _field(name, f'"{name}" is {number}; it must lie between 0 and {MOST:,}.', "Leave it out if unknown.")
    if not isinstance(event, ConversationEvent) and event.sequence is not None and abs(event.sequence) >= 2**63:
        yield _field("sequence", '"sequence" is too large.', "Use a number below 2^63.")


def _numbers(event: Event) -> list[tuple[str, int | None]]:
    if isinstance(event, RequestEvent):
        return [*_usage("usage", event.usage), *_fields(event, "context_tokens", "duration_ms")]
    if isinstance(event, CompactionEvent):
        own = _fields(event, "tokens_before", "tokens_after", "trigger_tokens", "duration_ms")
        return [*_usage("cost", event.cost), *own]
    if isinstance(event, MessageEvent):
        images = [(index, block) for index, block in enumerate(event.blocks()) if isinstance(block, Image)]
        return [(f"content[{index}].bytes", image.bytes) for index, image in images]
    if isinstance(event, BudgetReport) or isinstance(event.context_window, msgspec.UnsetType):
        return []
    return [("context_window", event.context_window)]


def _fields(event: Event, *names: str) -> list[tuple[str, int | None]]:
    return [(name, getattr(event, name)) for name in names]


def _usage(name: str, usage: Usage) -> list[tuple[str, int | None]]:
    return [(f"{name}.{field}", getattr(usage, field)) for field in usage.__struct_fields__ if field != "service_tier"]


def _free_depth(event: Event, limit: int) -> bool:
    """Whether a value of free shape (a tool's input, a raw record) nests too deep."""
    if isinstance(event, CompactionEvent):
        return is_deeper(event.raw, limit)
    if not isinstance(event, MessageEvent) or isinstance(event.content, str):
        return False
    return any(is_deeper(block.input, limit) for block in event.content if isinstance(block, ToolCall))


def is_deeper(value: object, limit: int) -> bool:
    """Whether it nests deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return limit <= 0 or any(is_deeper(item, limit - 1) for item in items)


def _field(name: str, message: str, mend: str) -> Problem:
    return Problem(code="bad_field", message=message, mend=mend, field=name)


def depth_problem(limits: Limits) -> Problem:
    """Of an event that nests deeper than is taken."""
    return Problem(code="too_deep", message=f"This event nests deeper than {limits.depth} levels.", mend="Flatten it.")
