"""Tell of a compaction that nobody announced."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from conversations.ingest.contexts.change import Change, last_key
from conversations.ingest.contexts.difference import Difference, Part
from conversations.ingest.contexts.known import Held, hexes, keys_of
from conversations.ingest.contexts.likeness import atoms_of, key_after
from conversations.ingest.contexts.losses import Loss
from conversations.ingest.contexts.stories import goes_on, key_of
from conversations.ingest.contexts.weighing import weight_of
from conversations.ingest.contexts.wording import as_summary, given_summary, lines_in
from conversations.ingest.events import CompactionEvent, Text
from conversations.ingest.exchange import Spoken
from conversations.spending.steps import DIFFERENCE, FOUND_BY, FREED
from conversations.vocabulary import CompactionKind, Origin, Role


def lose(change: Change, before: list[Held], parts: Sequence[Part], diff: Difference, loss: Loss) -> None:
    """The head has lost part of the messages `before`. Its summary is told with the part that it is."""
    head = change.head
    event = _event(before, loss)
    written = _summary_in_prompt(change) if loss.kind is CompactionKind.TRUNCATION else ""
    if written:
        event = _with_summary(change, event, last_key(before), Spoken(Role.SYSTEM, [Text(written)]))
    elif loss.summary is not None:
        kept = hexes(keys_of(before[at] for numbers in diff.sources for at in numbers))
        after = last_key([before[at] for numbers in diff.sources[: loss.summary] for at in numbers]) or last_key(before)
        event = _with_summary(change, structs.replace(event, kept=kept), after, parts[loss.summary].message)
    else:
        name = key_of(loss.kind, event.dropped or event.cleared).hex()
        event = goes_on(head, structs.replace(event, id=name))
    head.closed, head.closing = before, change.telling.compaction(event)
    if written:
        spoken = Spoken(Role.SYSTEM, [Text(written)])
        key = bytes.fromhex(event.id)
        change.telling.message(key, Role.SYSTEM, as_summary(spoken), origin=Origin.SUMMARY)


def _event(before: Sequence[Held], loss: Loss) -> CompactionEvent:
    return CompactionEvent(
        id="",
        conversation="",
        kind=loss.kind,
        dropped=hexes(keys_of(before[number] for number in loss.dropped)) or None,
        cleared=[call for _, call in loss.cleared],
        raw={FOUND_BY: DIFFERENCE, "confidence": loss.confidence, "why": loss.why, **_freed(before, loss)},
    )


def _freed(before: Sequence[Held], loss: Loss) -> dict[str, int]:
    """Tokens that a cut freed. Of other losses only the next request tells: something stands in their place."""
    if loss.kind is not CompactionKind.TRUNCATION:
        return {}
    return {FREED: weight_of(before[number] for number in loss.dropped)}


def _with_summary(change: Change, event: CompactionEvent, after: bytes, message: Spoken) -> CompactionEvent:
    """Named after its summary, with what that cost. It ends whatever was lost little by little."""
    change.head.story = None
    key = key_after(after, atoms_of(message)).hex()
    text = "\n".join(block.text for block in message.blocks if isinstance(block, Text))
    kind = CompactionKind.CLIENT
    raw = {name: value for name, value in event.raw.items() if name != FREED}
    return structs.replace(event, id=key, kind=kind, raw=raw, summary_message=key, **_summariser(change, text))


def _summary_in_prompt(change: Change) -> str:
    """A summary that came into the system prompt with this exchange; "" if none did."""
    lines = frozenset(line for answer in change.known.answers for line in answer.lines)
    texts = [block.text for block in change.new_prompt if isinstance(block, Text)]
    return next(filter(None, (given_summary(text, lines) for text in texts)), "")


def _summariser(change: Change, text: str) -> dict[str, Any]:
    """What the call that wrote the summary cost, if it was seen. It is told again: it was no turn of the talk."""
    lines = lines_in(text)
    answer = next((each for each in reversed(change.known.answers) if lines.intersection(each.lines)), None)
    if answer is None or not answer.requests:
        return {}
    for request in answer.requests:
        change.telling.again(structs.replace(request, purpose="compaction"))
    last = answer.requests[-1]
    return {"cost": last.usage, "model": last.model, "duration_ms": last.duration_ms}
