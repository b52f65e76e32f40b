"""How much losing a fact would matter: by kind, by who said it, how lately, how often, and whether it was open."""

from dataclasses import replace
from math import log2

from conversations.audit.model import Author, Fact, FactKind, FactState, Importance

#: Share by kind: the weights of the taxonomy (high, middle, low) on a scale to 1. INFERRED.
BY_KIND = {
    FactKind.PROHIBITION: 0.75,
    FactKind.ASK: 0.7,
    FactKind.REQUIREMENT: 0.65,
    FactKind.APPROVAL: 0.6,
    FactKind.DECISION: 0.6,
    FactKind.STATE: 0.6,
    FactKind.PREFERENCE: 0.55,
    FactKind.ANSWER: 0.5,
    FactKind.ERROR: 0.45,
    FactKind.FINDING: 0.4,
    FactKind.OPTION: 0.4,
    FactKind.ENVIRONMENT: 0.4,
    FactKind.KNOWLEDGE: 0.3,
    FactKind.DELEGATED: 0.3,
    FactKind.VALUE: 0.3,
    FactKind.COMMAND: 0.25,
}
_BY_AUTHOR = {
    Author.USER: 0.2,
    Author.ASSISTANT: 0.1,
    Author.PASTED: 0.05,
    Author.SUMMARY: -0.05,
    Author.HARNESS: -0.15,
}


def weigh(fact: Fact, recency: float) -> Fact:
    """The fact with its importance. `recency`: 0 at the beginning of what was dropped, 1 at the boundary."""
    parts = {
        "kind": BY_KIND[fact.kind],
        "author": _BY_AUTHOR.get(fact.author, 0.0),
        "recency": round(0.15 * (recency - 0.5), 3),
        "repeated": round(min(0.1, 0.03 * log2(fact.count)), 3),
        "settled": 0.0 if fact.state is FactState.OPEN else -0.3,
    }
    return replace(fact, importance=Importance(round(min(1.0, max(0.02, sum(parts.values()))), 3), parts))
