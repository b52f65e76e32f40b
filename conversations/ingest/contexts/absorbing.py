"""Take what was sent into a head: known messages keep their keys, new ones are told."""

from collections.abc import Sequence

from msgspec import structs

from conversations.ingest.contexts.change import Change, last_key, same
from conversations.ingest.contexts.difference import Difference, Part
from conversations.ingest.contexts.known import Head, Held, hexes, keys_of
from conversations.ingest.contexts.likeness import is_summary
from conversations.ingest.contexts.losing import lose
from conversations.ingest.contexts.losses import Loss


def absorb(change: Change, parts: Sequence[Part], diff: Difference, loss: Loss | None) -> None:
    """The parts become the context; new ones are told after the compaction they came with."""
    head, before = change.head, list(change.head.held)
    returned = _put_back(change, parts, diff)
    if loss is not None:
        lose(change, before, parts, diff, loss)
    else:
        head.closed, head.closing = [], None
    context: list[Held] = []
    head.fresh = 0
    for number, part in enumerate(parts):
        sources = [before[at] for at in diff.sources[number]] or returned.get(number, [])
        if sources:
            context.append(same(part, sources))
            continue
        head.fresh += 1
        after = last_key(context) or (last_key(before) if loss else b"")
        context.append(change.new(part, after, as_its_summary=loss is not None and number == loss.summary))
    change.become(context, parts)


def extend(change: Change, parts: Sequence[Part]) -> None:
    """The server holds what was before: everything sent is new."""
    head, context = change.head, list(change.head.held)
    for part in parts:
        context.append(change.new(part, last_key(context)))
    change.become(context[len(head.held) :], parts)
    head.held, head.fresh = context, len(parts)
    head.closed, head.closing = [], None


def _put_back(change: Change, parts: Sequence[Part], diff: Difference) -> dict[int, list[Held]]:
    """New parts that were said before the summary which they follow: turns that the client keeps, or that went on
    while the summary was being made."""
    head = change.head
    if head.closing is None or not head.closing.summary_message:
        return {}
    at = next((number for number, part in enumerate(parts) if is_summary(part.message)), len(parts))
    contexts = [head.closed, *_gone_on(change, head)]
    back = max((kept_after(context, parts, at) for context in contexts), key=len)
    back = {number: message for number, message in back.items() if not diff.sources[number]}
    if back:
        kept = hexes(keys_of(back.values()))
        dropped = [key for key in head.closing.dropped or () if key not in set(kept)]
        event = structs.replace(head.closing, dropped=dropped, kept=list(dict.fromkeys([*head.closing.kept, *kept])))
        head.closing = event
        change.telling.compaction(event) if len(contexts) > 1 else change.telling.revised(event)
    return {number: [message] for number, message in back.items()}


def _gone_on(change: Change, head: Head) -> list[list[Held]]:
    """Contexts that went on from the one that was summed up."""
    closed = keys_of(head.closed)
    others = [other.held for other in change.known.heads if other is not change.old and other.branch == head.branch]
    return [held for held in others if len(held) > len(head.closed) and keys_of(held[: len(head.closed)]) == closed]


def kept_after(closed: Sequence[Held], parts: Sequence[Part], summary: int) -> dict[int, Held]:
    """The parts that follow the summary and are the last messages from before it. One that only says the same as some
    earlier message is new: people say "continue" more than once."""
    after = parts[summary + 1 :]
    for length in range(min(len(after), len(closed)), 0, -1):
        last = closed[len(closed) - length :]
        if all(message.atoms == part.joined for message, part in zip(last, after, strict=False)):
            return dict(enumerate(last, summary + 1))
    return {}
