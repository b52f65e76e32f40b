"""Facts that a language model found beside those of the rules: the same is not said twice. Pure."""

from collections.abc import Sequence

from conversations.audit.model import Fact, Span

#: Two facts of one block are the same when they share this part of the words they cover together.
SAME = 0.5


def with_facts(facts: Sequence[Fact], found: Sequence[Fact]) -> list[Fact]:
    """`facts`, and those of `found` that stand elsewhere in the text than any of them."""
    known = {fact.id for fact in facts}
    places: dict[tuple[str, int], list[Span]] = {}
    for fact in facts:
        for span in fact.spans:
            places.setdefault((span.message, span.block), []).append(span)
    new = [fact for fact in found if fact.id not in known and not _stands_in(fact.spans[0], places)]
    return [*facts, *new]


def _stands_in(span: Span, places: dict[tuple[str, int], list[Span]]) -> bool:
    return any(overlap(span, other) >= SAME for other in places.get((span.message, span.block), ()))


def overlap(one: Span, other: Span) -> float:
    """What two spans of one block share, as a part of what they cover together; 0 to 1."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    together = max(one.end, other.end) - min(one.start, other.start)
    return max(0.0, shared / together) if together else 0.0
