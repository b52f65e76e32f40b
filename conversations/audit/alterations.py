"""Whether a summary states a fact wrongly or without its essential part: each rule names what it found changed."""

from collections.abc import Iterator

from conversations.audit import clauses, contrasts, labels, modality, values
from conversations.audit.facts.shell import LAST_RUN
from conversations.audit.modality import Change
from conversations.audit.model import Author, Fact, FactKind, FactState, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import bag
from conversations.vocabulary import Outcome

#: A change of force or state is only claimed of a passage that carries this share of the fact's weight …
ABOUT_IT = 0.6
#: … and that a guess has become certain, with no word to prove it, of one that carries this much.
CLEARLY_ABOUT_IT = 0.75
#: Fewer content words beside the status say too little about what it is the status of.
SUBJECT_WORDS = 3

_RULES = frozenset({FactKind.PROHIBITION, FactKind.REQUIREMENT, FactKind.PREFERENCE, FactKind.APPROVAL})
_CHOICES = frozenset({FactKind.DECISION, FactKind.OPTION})
_STATES = frozenset(
    {FactKind.STATE, FactKind.FINDING, FactKind.ANSWER, FactKind.ERROR, FactKind.DELEGATED, FactKind.DECISION}
)
#: Those who say in prose how things stand; code and tool output are full of "failed" and "skipped" that say nothing.
_SPEAKERS = frozenset({Author.USER, Author.ASSISTANT, Author.THINKING, Author.SUMMARY})
#: Those whose rules and decisions bind. What an agent thinks aloud is revised in the next sentence.
_USERS = frozenset({Author.USER, Author.PASTED})
_BINDING = frozenset({Author.USER, Author.PASTED, Author.ASSISTANT, Author.SUMMARY})


def altered(fact: Fact, quote: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """How the summary altered `fact`, if it did. `span`: its passage nearest to the fact.

    Distorted comes before dropped: a wrong value is worse than none.
    """
    if fact.state is not FactState.OPEN:
        return None
    return (
        values.distorted(quote, span, index)
        or labels.swept(quote, index)
        or labels.bare(quote, index)
        or (contrasts.swapped(quote, index) if _binds(fact) else None)
        or _changed(fact, quote, span, index)
        or (clauses.unlimited(quote, index) if _binds(fact) else None)
        or _users(fact, quote, span, index)
    )


def _binds(fact: Fact) -> bool:
    """Whether a fact says how things are to be: rules and decisions, and all that the user states."""
    if fact.author in _USERS:
        return fact.kind in _RULES | _CHOICES or (fact.kind is FactKind.ASK and "?" not in fact.quote)
    return fact.kind in _RULES | _CHOICES and fact.author in _BINDING


def _users(fact: Fact, quote: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """What a user, or an earlier summary for the user, said firmly or exactly, and the summary does not."""
    if fact.author not in _USERS | {Author.SUMMARY} or fact.kind not in _RULES | {FactKind.ASK}:
        return None
    forbids = modality.PROHIBITION.search(quote) if fact.kind is FactKind.PROHIBITION else None
    weak = contrasts.unforced(quote, forbids.group().strip(" .;:!(—–,-\n"), span, index) if forbids else None
    return weak or (contrasts.unvalued(quote, span, index) if _binds(fact) and fact.author is Author.USER else None)


def _changed(fact: Fact, quote: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """A change of force, state or certainty, in the passage that shows it."""
    for change, place in _changes(fact, quote, span, index):
        if not index.said_later(fact.last, quote, change.summary):
            name = change.detail.name.lower()
            return Judgement(Outcome.ALTERED, change.detail, 0.25, *place, name, change.reason)
    return None


def _changes(
    fact: Fact, quote: str, span: tuple[int, int], index: PassageIndex
) -> Iterator[tuple[Change, tuple[int, int]]]:
    gone = modality.removed(quote, index.summary) if _binds(fact) else None
    if gone:
        at = index.summary.index(gone.summary)
        yield gone, (at, at + len(gone.summary))
    if LAST_RUN in fact.cues and (better := modality.rounded(quote, index.summary[slice(*span)], index.summary)):
        yield better, span
    softer = modality.weakened(quote, index.summary[slice(*span)]) if fact.kind in _RULES else None
    if softer and index.share(quote.replace(softer.source, " "), span) >= ABOUT_IT:
        yield softer, span
    if fact.author in _SPEAKERS and fact.kind in _STATES:
        yield from _flips(fact, quote, index)
    if fact.author in _SPEAKERS and fact.kind in _STATES | _CHOICES:
        yield from _denials(fact, quote, index)


def _flips(fact: Fact, quote: str, index: PassageIndex) -> Iterator[tuple[Change, tuple[int, int]]]:
    """Unfinished or unchecked work called done, a guess called known, in any passage about the same."""
    status = modality.UNDONE.search(quote) or modality.GUESS.search(quote)
    if status is None or _outdated(fact, quote, index):
        return
    subject = quote.replace(status.group(), " ")
    about = index.about(subject, ABOUT_IT)
    if len(bag(subject)) < SUBJECT_WORDS or any(_reserved(index.summary[slice(*place)]) for place in about):
        return
    confirmed = bool(modality.GUESS.search(status.group())) and _retold(fact, quote, index)
    for place in about if not confirmed else ():
        passage = index.summary[slice(*place)]
        change = modality.flipped(quote, passage)
        if change is None and index.share(subject, place) >= CLEARLY_ABOUT_IT:
            change = modality.assured(quote, passage)
        if change:
            yield change, place


def _denials(fact: Fact, quote: str, index: PassageIndex) -> Iterator[tuple[Change, tuple[int, int]]]:
    """What a finding denies, told as so in every passage that is clearly about the same."""
    denied = modality.DENIAL.search(quote)
    subject = quote.replace(denied.group(), " ") if denied else ""
    if len(bag(subject)) < SUBJECT_WORDS:
        return
    about = index.about(subject, CLEARLY_ABOUT_IT)
    changes = [modality.affirmed(quote, index.summary[slice(*place)]) for place in about]
    if not changes or not all(changes):
        return
    if all(modality.DENIES.search(line) for line in index.lines_about(quote, fact.last)):
        yield from ((change, place) for change, place in zip(changes, about, strict=True) if change)


def _reserved(passage: str) -> bool:
    """Whether a passage about the same still says that it is open or guessed."""
    return bool(modality.UNDONE.search(passage) or modality.GUESS.search(passage))


def _outdated(fact: Fact, quote: str, index: PassageIndex) -> bool:
    """Whether something reported success after work was said to be unchecked."""
    return bool(modality.UNCHECKED.search(quote)) and any(
        modality.SUCCEEDED.search(text) for text in index.later(fact.last)
    )


def _retold(fact: Fact, quote: str, index: PassageIndex) -> bool:
    """Whether something dropped later says it again without reservation, so that it may have been confirmed."""
    return any(not modality.DOUBT.search(line) for line in index.lines_about(quote, fact.last))
