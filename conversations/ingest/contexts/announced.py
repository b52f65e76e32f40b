"""Compactions that an exchange itself tells of: with their block in the answer, or sent back with the history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conversations.ingest.contexts.known import Head, Held, Known
from conversations.ingest.contexts.likeness import atoms_of, is_summary
from conversations.ingest.events import CompactionEvent
from conversations.ingest.exchange import Announced, Exchange, Spoken
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, SummaryState


@dataclass(slots=True)
class Brought:
    """What was really in the context of a request, and what a summary in it, not known yet, has replaced."""

    context: list[int]  # indexes of `Exchange.sent`
    lead: list[int] = field(default_factory=list)  # sent, but before the summary: not in the context any more
    announced: Announced | None = None


def bring_back(known: Known, exchange: Exchange) -> Brought:
    """Cut what was sent at its last compaction block: a client may go on sending what stands before it."""
    last = next((each for each in reversed(exchange.announced) if each.in_request and _has_replaced(each)), None)
    if last is None:
        return Brought(list(range(len(exchange.sent))))
    start = last.before if last.before is not None else _summary_index(exchange.sent)
    kept = [index for index in last.kept if index < start]
    context = [*kept, *range(start, len(exchange.sent))]
    if start < len(exchange.sent) and _is_held(known, exchange.sent[start]):
        return Brought(context)
    lead = range(_after_earlier(known, exchange.sent, start), start)
    return Brought(context, [index for index in lead if index not in set(kept)], last)


def _after_earlier(known: Known, sent: Sequence[Spoken], start: int) -> int:
    """Where the context began that the summary at `start` replaced: with an earlier summary, if it is known."""
    earlier = [index for index in range(start) if is_summary(sent[index]) and _is_held(known, sent[index])]
    return earlier[-1] if earlier else 0


def _has_replaced(announced: Announced) -> bool:
    return announced.kind not in CLEARING_KINDS and announced.summary_state is not SummaryState.FAILED


def _summary_index(sent: Sequence[Spoken]) -> int:
    summaries = [index for index, said in enumerate(sent) if is_summary(said)]
    return summaries[-1] if summaries else 0


def _is_held(known: Known, said: Spoken) -> bool:
    atoms = b"".join(atoms_of(said))
    return any(message.atoms == atoms for head in known.heads for message in head.held)


def replacements(exchange: Exchange) -> list[Announced]:
    """What the answer says was replaced by a summary, or was to be."""
    return [each for each in exchange.announced if not each.in_request and each.kind not in CLEARING_KINDS]


def is_made_aside(exchange: Exchange) -> bool:
    """Whether a summary was made that the caller may put in later: the conversation goes on meanwhile."""
    return any(each.kind is CompactionKind.ON_DEMAND for each in replacements(exchange) if _has_replaced(each))


def clearings(exchange: Exchange) -> list[Announced]:
    """What the answer says was cleared."""
    return [each for each in exchange.announced if not each.in_request and each.kind in CLEARING_KINDS]


def event_of(announced: Announced, key: bytes, **values: Any) -> CompactionEvent:
    """The compaction as an event; `values` say what it dropped and kept."""
    return CompactionEvent(
        id=key.hex(),
        conversation="",
        kind=announced.kind,
        trigger=announced.trigger,
        instructions=announced.instructions,
        summary_state=announced.summary_state,
        tokens_before=announced.tokens_before,
        tokens_after=announced.tokens_after,
        trigger_tokens=announced.trigger_tokens,
        cost=announced.cost,
        model=announced.model,
        error=announced.error,
        raw=_raw(announced),
        **values,
    )


def _raw(announced: Announced) -> Any:
    more = {"paused": announced.paused or None, "cleared_tokens": announced.cleared_tokens}
    more = {name: value for name, value in more.items() if value is not None}
    if not more:
        return announced.raw
    return {**announced.raw, **more} if isinstance(announced.raw, dict) else more


def newly_cleared(head: Head, announced: Announced) -> list[str]:
    """Tool calls whose results this clearing blanks and no earlier one did, oldest first; marks them in the head.

    The API clears anew at every request, because the client goes on sending everything: what it reports is the sum."""
    waiting = [message for message in head.held if message.only_results and not message.cleared]
    named = set(announced.cleared)
    if not named:
        before = sum(len(message.results) for message in head.held if message.cleared)
        named = _oldest(waiting, (announced.cleared_count or 0) - before)
    cleared = []
    for message in waiting:
        calls = [call for call, _ in message.results]
        cleared += [call for call in calls if call in named and call not in head.cleared]
        message.cleared = named.issuperset(calls)
    head.cleared = [*head.cleared, *cleared]
    return cleared


def _oldest(messages: Sequence[Held], count: int) -> set[str]:
    calls = [call for message in messages for call, _ in message.results]
    return set(calls[: max(0, count)])
