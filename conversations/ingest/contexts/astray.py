"""Messages that left a context without any compaction: of an edited turn, an answer made anew, another branch, and what
was sent for one request only. A compaction tells which those are, for it neither dropped nor kept them."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from conversations.ingest.contexts.known import Head, Held, Known, hexes, keys_of
from conversations.ingest.events import CompactionEvent, Event
from conversations.vocabulary import ABANDONED, SummaryState

#: Remembered of one context, the last ones: 4 kB, which are written anew with every exchange.
MOST_ASTRAY = 256


def standing(known: Known, head: Head) -> list[Held]:
    """What stood in the context that goes on now, and in the branch of it that went on last."""
    latest = max(
        (pair for pair in zip(known.used, known.heads, strict=True) if pair[1].branch == head.branch),
        key=lambda pair: pair[0],
        default=(0, head),
    )[1]
    return head.held if latest is head or latest.held is head.held else [*latest.held, *head.held]


def part_with(known: Known, before: Sequence[Held], head: Head, events: Sequence[Event]) -> list[Event]:
    """Note what of `before` is not in the context of the head any more, and say it with the compactions among the
    events that were told of this exchange."""
    now = set(keys_of(head.held))
    gone = [key for key in keys_of(before) if key not in now]
    astray = [key for key in known.astray.get(head.branch, ()) if key not in now]
    if not gone and not astray:
        known.astray.pop(head.branch, None)
        return list(events)
    removed = {key for event in events if isinstance(event, CompactionEvent) for key in event.dropped or ()}
    astray += [key for key in gone if key.hex() not in removed and key not in set(astray)]
    known.astray[head.branch] = astray[-MOST_ASTRAY:]
    return [_told(event, hexes(known.astray[head.branch])) for event in events]


def _told(event: Event, astray: Iterable[str]) -> Event:
    if not isinstance(event, CompactionEvent) or event.summary_state is SummaryState.FAILED:
        return event
    there = {*(event.dropped or ()), *event.kept}
    abandoned = [key for key in astray if key not in there]
    raw: dict[str, Any] = event.raw if isinstance(event.raw, dict) else {}
    return structs.replace(event, raw={**raw, ABANDONED: abandoned}) if abandoned else event
