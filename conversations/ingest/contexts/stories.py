"""Losses that go on turn by turn are one compaction that grows, so that a page stays readable.

A window that slides (`messages[-10:]`) loses a message or two with every request, and so does a harness that blanks
the oldest results. Each such loss is added to the compaction of the one before, which moves with it, as long as
they follow closely and until it holds `FULL` messages; then the next one begins. What it dropped is exact all the time.
A cut of many messages at once is a compaction by itself and stays where it was, also where a window slides after it.
"""

from hashlib import blake2b
from typing import Any

from msgspec import structs

from conversations.ingest.contexts.known import Head, Story
from conversations.ingest.contexts.likeness import KEY_BYTES
from conversations.ingest.events import CompactionEvent
from conversations.spending.steps import EARLIER, FREED

#: Losses at most so many exchanges apart belong together: one that trims by tokens does not lose something every time.
CLOSE = 4
#: Messages or results a compaction takes in. It is told anew whenever it grows, so this also bounds what is said twice.
FULL = 50
#: A window slides by a question, its answer, and the calls and results between; what loses more at once is a cut.
SLIDE = 8


def goes_on(head: Head, event: CompactionEvent) -> CompactionEvent:
    """The event, or the one it adds to, with both losses; remembered in the head as its open story."""
    story = head.story
    close = story is not None and story.event.kind == event.kind and head.turns - story.turn <= CLOSE
    if story is not None and close and _slides(story.event) and _slides(event) and not _is_full(story):
        event = _together(story.event, event)
    head.story = Story(event, head.turns)
    return event


def _slides(event: CompactionEvent) -> bool:
    """Whether this is a small loss, or several of them."""
    return len(event.dropped or ()) <= SLIDE * _losses(event.raw)


def _is_full(story: Story) -> bool:
    return max(len(story.event.dropped or ()), len(story.event.cleared)) >= FULL


def _together(first: CompactionEvent, second: CompactionEvent) -> CompactionEvent:
    """The first one's name with the second one's place. Each turn of it is counted."""
    dropped = None if second.dropped is None else list(dict.fromkeys([*(first.dropped or ()), *second.dropped]))
    cleared = list(dict.fromkeys([*first.cleared, *second.cleared]))
    raw = {**(second.raw or {}), "losses": _losses(first.raw) + 1, **_earlier(first)}
    return structs.replace(second, id=first.id, dropped=dropped, cleared=cleared, raw=raw)


def _earlier(event: CompactionEvent) -> dict[str, Any]:
    raw = event.raw or {}
    if FREED not in raw or event.sequence is None:
        return {}
    return {EARLIER: [*raw.get(EARLIER, ()), [event.sequence, raw[FREED]]]}


def _losses(raw: Any) -> int:
    count = raw.get("losses", 1) if isinstance(raw, dict) else 1
    return count if isinstance(count, int) else 1


def key_of(kind: str, names: list[str]) -> bytes:
    """The key of a compaction without a summary: of what it did first."""
    return blake2b("\n".join([kind, *names]).encode(), digest_size=KEY_BYTES).digest()
