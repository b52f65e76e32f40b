"""Take in a summary that came back with the history and was not seen when it was made."""

from collections.abc import Sequence

from conversations.ingest.contexts.absorbing import absorb, kept_after
from conversations.ingest.contexts.announced import event_of
from conversations.ingest.contexts.change import Change, all_new, last_key, same, without
from conversations.ingest.contexts.difference import Part, difference
from conversations.ingest.contexts.known import Held, hexes, keys_of
from conversations.ingest.contexts.likeness import is_summary, key_after
from conversations.ingest.exchange import Announced

NO_SUMMARY = b"compaction"


def absorb_replaced(change: Change, announced: Announced, lead: Sequence[Part], parts: Sequence[Part]) -> None:
    """`lead` was sent although it stands before the summary; the parts are the context."""
    head, choice = change.head, change.choice
    if lead:
        absorb(change, lead, choice.diff if choice else all_new(lead), choice.loss if choice else None)
    closed = head.held
    at = next((number for number, part in enumerate(parts) if is_summary(part.message)), None)
    stayed = _stayed(closed, parts, at)
    kept = list(stayed.values())
    key = key_after(last_key(closed), parts[at].atoms if at is not None else [NO_SUMMARY])
    head.closing = change.telling.compaction(
        event_of(
            announced,
            key,
            summary_message=key.hex() if at is not None else "",
            dropped=hexes(keys_of(without(closed, kept))),
            kept=hexes(keys_of(kept)),
            complete=bool(closed),
        )
    )
    head.closed, head.story = closed, None
    context: list[Held] = []
    for number, part in enumerate(parts):
        after = last_key(closed if number == at else context)
        context.append(same(part, [stayed[number]]) if number in stayed else change.new(part, after))
    change.become(context, parts)


def _stayed(closed: Sequence[Held], parts: Sequence[Part], at: int | None) -> dict[int, Held]:
    """The parts that are messages from before the summary `at`: what was kept before it, and the last ones."""
    summary = len(parts) if at is None else at
    sources = difference(closed, parts[:summary]).sources
    before = {number: closed[numbers[0]] for number, numbers in enumerate(sources) if numbers}
    return before | kept_after(closed, parts, summary)
