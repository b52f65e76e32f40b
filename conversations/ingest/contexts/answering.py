"""Take in the answer: what was cleared for it, the calls, a compaction that it tells of, and what it says."""

from collections.abc import Sequence

from conversations.ingest.contexts.announced import clearings, event_of, newly_cleared, replacements
from conversations.ingest.contexts.change import Change, last_key, without
from conversations.ingest.contexts.difference import Part, parts_of
from conversations.ingest.contexts.known import Held, hexes, keys_of
from conversations.ingest.contexts.likeness import is_summary, key_after
from conversations.ingest.contexts.replacing import NO_SUMMARY
from conversations.ingest.contexts.stories import goes_on, key_of
from conversations.ingest.contexts.telling import held
from conversations.ingest.exchange import Announced
from conversations.vocabulary import Origin, SummaryState


def answer(change: Change) -> None:
    """In the order in which it happened: results are cleared, a summary is written, then the model answers."""
    head, exchange = change.head, change.exchange
    for each in clearings(exchange):
        _clear(change, each)
    parts, made = parts_of(exchange.received), replacements(exchange)
    head.requests = change.telling.calls("compaction")
    context, start = head.held, 0
    for each in made:
        context, start = _replace(change, each, context, parts, start)
    head.requests += change.telling.calls("turn")
    told = _told(change, context, parts[start:])
    head.answered, head.held = len(told), [*context, *told]


def answer_late(change: Change, parts: Sequence[Part]) -> None:
    """Of an exchange from before a compaction that is known already only the calls and the answer are told: what it
    sent has been. The answer has the key that it would have had in time."""
    change.telling.late = True
    key = next(key for atoms, key in change.head.openings if atoms == parts[0].joined)
    for part in parts[1:]:
        key = key_after(key, part.atoms)
    change.telling.calls("compaction")
    change.telling.calls("turn")
    for part in parts_of(change.exchange.received):
        if not is_summary(part.message):
            change.telling.part(part, key, answered=True)
        key = key_after(key, part.atoms)


def _clear(change: Change, announced: Announced) -> None:
    """Told where it blanks something that was not blank, or does not say what."""
    cleared = newly_cleared(change.head, announced)
    if cleared or announced.cleared_count is None:
        key = key_of(announced.kind, [change.telling.conversation, *cleared])
        change.telling.compaction(goes_on(change.head, event_of(announced, key, cleared=cleared)))


def _replace(
    change: Change, announced: Announced, context: list[Held], parts: Sequence[Part], start: int
) -> tuple[list[Held], int]:
    """The context after a compaction in the answer, and how many parts of the answer are used up."""
    at = next((number for number, part in enumerate(parts[start:], start) if is_summary(part.message)), None)
    after = start if at is None else at + 1
    if announced.summary_state is SummaryState.FAILED:
        key = key_of("failed", [change.exchange.id])
        change.telling.compaction(event_of(announced, key, dropped=[]), answered=True)
        return context, after
    stayed = [change.sent[index] for index in announced.kept if index in change.sent]
    key = key_after(last_key(context), parts[at].atoms if at is not None else [NO_SUMMARY])
    _tell_replaced(change, announced, key, context, stayed, has_summary=at is not None)
    if at is None:
        return [*stayed, *change.went_on], after
    message = parts[at].message
    change.telling.message(key, message.role, message.blocks, origin=Origin.SUMMARY, answered=True)
    return [*stayed, held(parts[at], [key]), *change.went_on], after


def _tell_replaced(
    change: Change, announced: Announced, key: bytes, context: list[Held], stayed: list[Held], *, has_summary: bool
) -> None:
    """What was not sent with it (`tail`) was not summed up: it stays, as what the source says that stays, unless the
    user went back before it."""
    kept = [*stayed, *change.went_on]
    event = event_of(
        announced,
        key,
        summary_message=key.hex() if has_summary else "",
        dropped=hexes(keys_of(without(context, kept))),
        kept=hexes(keys_of(kept)),
    )
    head = change.head
    head.closing, head.closed, head.story = change.telling.compaction(event, answered=True), context, None


def _told(change: Change, context: Sequence[Held], parts: Sequence[Part]) -> list[Held]:
    """The answer as held; what is known of it already, because its exchange comes late, is not told again."""
    told: list[Held] = []
    known = iter(change.tail)
    for part in parts:
        follower = next(known, None)
        if follower is not None and follower.atoms == part.joined:
            told.append(follower)
            continue
        known = iter(())
        told.append(change.telling.part(part, last_key([*context, *told]), answered=True))
    return told
