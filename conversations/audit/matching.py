"""What became of one fact in the context after a compaction: a cascade from exact to fuzzy, with reasons."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversations.audit import numbered, presence, values
from conversations.audit.alterations import altered
from conversations.audit.model import Author, Detail, Fact, FactKind, FactState, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.presence import MAX_FACT
from conversations.audit.text import content_stems, flat, sentences
from conversations.vocabulary import Outcome

#: At or below this probability a fact is called forgotten: with the model fitted on the other sessions, 2.8 % of the
#: hand-labelled facts that a summary keeps, and 69 % of those it lost (`python -m tests.bench.presence`).
FORGOTTEN_AT = 0.26
#: From here on the source's own words decide: whatever the sentence for people says, the mean is above FORGOTTEN_AT.
KEPT_AT = 2 * FORGOTTEN_AT
#: A fact that *is* a value and whose value is nowhere in the summary may still be told there in words: above this.
TOLD_ANYWAY = 0.7
#: A sentence of a longer fact is judged by itself when it has so many content words.
SENTENCE_WORDS = 3

_ESCAPE = re.compile(r"\\[nrt\"]")
_REPLY = re.compile(r"\"\s?=\s?\"([^\"]{1,2000})\"[\s.]*$")


@dataclass(frozen=True, slots=True)
class _Found:
    """What the summary has of a fact: how probable it is, and its share in the nearest passage with that one's span."""

    probability: float
    recall: float = 0.0
    span: tuple[int, int] | None = None


def judge(fact: Fact, index: PassageIndex) -> Judgement:
    """The outcome of `fact` in the context that `index` holds."""
    wordings = _wordings(fact)
    if verbatim := _verbatim(wordings.values(), index):
        return verbatim
    if not index.readable:
        return Judgement(
            Outcome.UNVERIFIABLE, Detail.NONE, 0.5, None, None, "unreadable", "The summary cannot be read."
        )
    found, quote = _look(list(wordings), index), next(iter(wordings))
    return (
        (found.span and altered(fact, quote, found.span, index))
        or _by_value(fact, quote, found, index)
        or (found.probability <= FORGOTTEN_AT and numbered.told(quote, index))
        or _by_presence(fact, found, index)
    )


def _wordings(fact: Fact) -> dict[str, str]:
    """The ways the fact is put, each with its flat form: the source's own words, then the sentence for people where it
    says more."""
    quote, text = fact.quote[:MAX_FACT], fact.text[:MAX_FACT]
    if fact.author is Author.TOOL_INPUT:  # JSON: an escaped line break is not the letter n
        quote = _ESCAPE.sub("  ", quote)
    flat_quote, flat_text = flat(quote), flat(text)
    return {quote: flat_quote} if not text or flat_quote == flat_text else {quote: flat_quote, text: flat_text}


# --- verbatim --------------------------------------------------------------------------------------------------------


def _verbatim(flat_wordings: Iterable[str], index: PassageIndex) -> Judgement | None:
    for words in filter(None, flat_wordings):
        if span := index.flat.find(words):
            return _kept(Detail.VERBATIM, 0.99, span, "verbatim", "The summary says it in the same words.")
        if index.keeps(words):
            return _kept(
                Detail.VERBATIM, 0.99, None, "kept_message", "A message that was kept says it in the same words."
            )
    return None


def _kept(detail: Detail, probability: float, span: tuple[int, int] | None, detector: str, reason: str) -> Judgement:
    start, end = span or (None, None)
    return Judgement(Outcome.KEPT, detail, probability, start, end, detector, reason)


# --- presence --------------------------------------------------------------------------------------------------------


def _look(wordings: Sequence[str], index: PassageIndex) -> _Found:
    """The mean over the wordings; before it is called lost, what its reply or its sentences alone would give."""
    model = presence.fitted()
    seen = [presence.evidence(wordings[0], index)]
    probability = model.probability(seen[0].values)
    if probability < KEPT_AT:
        seen += [presence.evidence(text, index) for text in wordings[1:]]
        probability = sum(model.probability(evidence.values) for evidence in seen) / len(seen)
    best = max(seen, key=lambda evidence: evidence.recall)
    if best.window is None:
        return _Found(min(probability, 0.02))
    for parts in _parts(wordings[0]) if probability <= FORGOTTEN_AT else ():
        probability = max(probability, sum(presence.probability(part, index) for part in parts) / len(parts))
    return _Found(probability, best.recall, index.span(*best.window))


def _parts(quote: str) -> list[list[str]]:
    """Other readings of a quote: the reply to a question ("…"="…") without it, and its sentences one by one."""
    readings = [[reply.group(1)]] if (reply := _REPLY.search(quote)) else []
    pieces = [quote[s.start : s.end] for s in sentences(quote)]
    telling = [piece for piece in pieces if len(content_stems(piece)) >= SENTENCE_WORDS]
    return [*readings, telling] if len(telling) > 1 else readings


def _by_presence(fact: Fact, found: _Found, index: PassageIndex) -> Judgement:
    if found.probability <= FORGOTTEN_AT:
        return _lost(fact, found, "presence", _nearest(found, index))
    return _kept(Detail.REWORDED, found.probability, found.span, "presence", "The summary says it in other words.")


def _nearest(found: _Found, index: PassageIndex) -> str:
    """Why it counts as forgotten."""
    if not index.summary:
        return "No message that stayed says it, and nothing was written in place of those that went."
    if found.span is None:
        return "Nothing in the summary mentions it."
    return f"The nearest words of the summary carry {found.recall:.0%} of it."


def _lost(fact: Fact, found: _Found, detector: str, reason: str) -> Judgement:
    outcome, (start, end) = Outcome.FORGOTTEN, found.span or (None, None)
    if fact.state is not FactState.OPEN:
        outcome, reason = Outcome.SUPERSEDED, "It was settled or replaced before the boundary."
    return Judgement(outcome, Detail.NONE, found.probability, start, end, detector, reason)


# --- exact values ----------------------------------------------------------------------------------------------------


def _by_value(fact: Fact, quote: str, found: _Found, index: PassageIndex) -> Judgement | None:
    """A fact that *is* a value is there when the value is, in whatever spelling, and seldom otherwise."""
    if fact.kind is not FactKind.VALUE or not (things := values.things(quote, index)):
        return None
    hits = [hit for thing in things if (hit := values.lookup(thing, index))]
    if len(hits) == len(things):
        span = hits[0].start, hits[0].end
        return _kept(Detail.REWORDED, max(found.probability, 0.9), span, "exact_value", "The summary names it.")
    if not hits and found.probability <= TOLD_ANYWAY:
        gone = _Found(min(found.probability, 0.1), found.recall, found.span)
        missing = quote[things[0].start : things[0].end]
        where = "nowhere in the summary" if index.summary else "in no message that stayed"
        return _lost(fact, gone, "exact_value", f"“{missing}” is {where}.")
    return None
