"""What became of one fact in the context after a compaction: the cascade from exact to fuzzy, each step with its reason."""

from dataclasses import dataclass

from conversations.audit import modality, presence
from conversations.audit.entities import MEASURES, Entity, EntityKind, entities, key, same
from conversations.audit.model import Author, Detail, Fact, FactKind, FactState, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import content_stems, flat
from conversations.vocabulary import Outcome

#: At or below this probability a fact is called forgotten. Chosen on the hand labels so that, left out one session at a
#: time, at most 3 % of the facts a summary keeps are called lost.
FORGOTTEN_AT = 0.26
#: A change of force, state or value is only claimed of a passage that carries this share of the fact's weight.
ABOUT_IT = 0.55
#: Fewer words than this may stand verbatim in a text by chance.
VERBATIM_WORDS = 3

_RULES = frozenset({FactKind.PROHIBITION, FactKind.REQUIREMENT, FactKind.PREFERENCE})
_STATES = frozenset(
    {FactKind.STATE, FactKind.FINDING, FactKind.ANSWER, FactKind.ERROR, FactKind.DELEGATED, FactKind.DECISION}
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of a fact: probability, recall in the best window, and that window in the summary."""

    probability: float
    recall: float
    start: int | None
    end: int | None

    def passage(self, index: PassageIndex) -> str:
        return "" if self.start is None else index.summary[self.start : self.end]


def judge(fact: Fact, index: PassageIndex) -> Judgement:
    """The outcome of `fact` in the context that `index` holds."""
    if verbatim := _verbatim(fact, index):
        return verbatim
    if not index.readable:
        return Judgement(
            Outcome.UNVERIFIABLE, Detail.NONE, 0.5, None, None, "unreadable", "The summary cannot be read."
        )
    found = _look(fact, index)
    if exact := _exact(fact, index, found):
        return exact
    if found.probability <= FORGOTTEN_AT:
        return _lost(fact, found, "presence", _missing_reason(found))
    return _altered(fact, index, found) or Judgement(
        Outcome.KEPT, Detail.REWORDED, found.probability, found.start, found.end, "presence",
        "The summary says it in other words.",
    )  # fmt: skip


def judge_all(facts: list[Fact], index: PassageIndex) -> list[Judgement]:
    """`judge` for each."""
    return [judge(fact, index) for fact in facts]


def _variants(fact: Fact) -> list[str]:
    """The ways the fact is worded: the source's own words and the sentence for people."""
    quote = fact.quote
    if fact.author is Author.TOOL_INPUT:
        quote = quote.replace("\\n", "  ").replace("\\t", "  ").replace('\\"', ' "')
    return [quote] if flat(quote) == flat(fact.text) else [quote, fact.text]


# --- verbatim --------------------------------------------------------------------------------------------------------


def _verbatim(fact: Fact, index: PassageIndex) -> Judgement | None:
    for words in filter(None, map(_needle, _variants(fact))):
        if span := index.flat.find(words):
            return Judgement(
                Outcome.KEPT, Detail.VERBATIM, 0.99, *span, "verbatim", "The summary says it in the same words."
            )
        if f" {words} " in index.kept_flat:
            return Judgement(
                Outcome.KEPT,
                Detail.VERBATIM,
                0.99,
                None,
                None,
                "kept_message",
                "A message that was kept says it in the same words.",
            )
    return None


def _needle(text: str) -> str:
    words = flat(text, presence.MAX_FACT)
    return words if words.count(" ") + 1 >= VERBATIM_WORDS else ""


# --- presence --------------------------------------------------------------------------------------------------------


def _look(fact: Fact, index: PassageIndex) -> _Found:
    model = presence.fitted()
    seen = [presence.evidence(text, index) for text in _variants(fact)]
    best = max(seen, key=lambda e: e.recall)
    probability = sum(model.probability(e.values) for e in seen) / len(seen)
    if best.window is None:
        return _Found(min(probability, 0.02), 0.0, None, None)
    return _Found(probability, best.recall, *index.span(*best.window))


# --- exact things ----------------------------------------------------------------------------------------------------


def _exact(fact: Fact, index: PassageIndex, found: _Found) -> Judgement | None:
    """Decide a fact that *is* a value by that value; say so when the same key stands there with another value."""
    things = [e for e in entities(fact.quote[: presence.MAX_FACT], index.cwd) if e.kind is not EntityKind.QUOTED]
    if not things:
        return None
    if other := _distorted(fact, things, index, found):
        return other
    if fact.kind is not FactKind.VALUE:
        return None
    hits = [hit for e in things if (hit := lookup(e, index))]
    if len(hits) == len(things):
        return Judgement(
            Outcome.KEPT,
            Detail.REWORDED,
            max(found.probability, 0.9),
            hits[0].start,
            hits[0].end,
            "entity",
            "The summary names it.",
        )
    return None


def lookup(entity: Entity, index: PassageIndex) -> Entity | None:
    """The same thing in the summary, if it is there."""
    return next((e for e in index.by_key.get((entity.kind, key(entity)), ()) if same(entity, e)), None)


def _distorted(fact: Fact, things: list[Entity], index: PassageIndex, found: _Found) -> Judgement | None:
    if found.start is None or found.end is None or found.recall < ABOUT_IT:
        return None
    inside = [e for e in index.entities if found.start <= e.start and e.end <= found.end]
    for mine in (e for e in things if e.kind in MEASURES and not lookup(e, index)):
        for other in inside:
            if other.kind is mine.kind and other.unit == mine.unit and _invented(other, things, index):
                here, there = fact.quote[mine.start : mine.end], index.summary[other.start : other.end]
                reason = f"It was “{here}”; the summary says “{there}”, which was never said."
                return Judgement(
                    Outcome.ALTERED, Detail.DISTORTED, 0.2, other.start, other.end, "distorted_value", reason
                )
    return None


def _invented(other: Entity, things: list[Entity], index: PassageIndex) -> bool:
    """Whether a value of the summary stands nowhere in what was dropped: else it may be another thing or a later state."""
    return not any(same(other, e) for e in things) and index.summary[other.start : other.end].lower() not in index.seen


# --- verdicts --------------------------------------------------------------------------------------------------------


def _altered(fact: Fact, index: PassageIndex, found: _Found) -> Judgement | None:
    if found.recall < ABOUT_IT or fact.state is not FactState.OPEN:
        return None
    passage, change = found.passage(index), None
    if fact.kind in _RULES:
        change = modality.weakened(fact.quote, passage)
    elif fact.kind in _STATES:
        change = modality.flipped(fact.quote, passage)
    if change is None:
        return None
    return Judgement(
        Outcome.ALTERED,
        change.detail,
        1 - found.probability,
        found.start,
        found.end,
        change.detail.name.lower(),
        change.reason,
    )


def _lost(fact: Fact, found: _Found, detector: str, reason: str) -> Judgement:
    if fact.state is not FactState.OPEN:
        reason = "It was settled or replaced before the boundary."
        return Judgement(Outcome.SUPERSEDED, Detail.NONE, found.probability, found.start, found.end, detector, reason)
    return Judgement(Outcome.FORGOTTEN, Detail.NONE, found.probability, found.start, found.end, detector, reason)


def _missing_reason(found: _Found) -> str:
    if found.start is None:
        return "Nothing in the summary mentions it."
    return f"The nearest words of the summary carry {found.recall:.0%} of it."
