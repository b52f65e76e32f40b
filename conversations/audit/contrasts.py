"""What a user tells apart ("to A, not to B"), forbids or gives exactly, where the summary mixed it up or lost it."""

import re

from conversations.audit import values
from conversations.audit.entities import MEASURES, Entity, EntityKind
from conversations.audit.modality import EXCLUDES
from conversations.audit.model import Detail, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import bag, flat
from conversations.vocabulary import Outcome

#: A passage speaks of the same when it carries this share of what stands around the two sides …
SAME_MATTER = 0.3
#: … and a summary says a rule's subject, so that its force can be missed, from this share on.
SUBJECT = 0.35

#: "…, not to the on-call phone": the side that is ruled out.
_NOT_THAT = re.compile(
    r"[,;(–—-]\s?(?:and |but )?not (?:to |in |into |on |from |for |at |with |by |as |via )?"
    r"((?:the |a |an |any |our |your )?[\w#./-]+(?: [\w#./-]+){0,2})",
    re.IGNORECASE,
)
#: The side that is meant: what stands before it behind a preposition, or its last words.
_THIS = re.compile(r"(?:\b(?:to|in|into|on|from|for|at|with|by|as|via|use|is|are)\s)([^,;.!?\n]{2,60})$", re.IGNORECASE)

#: Exact things that a user gives and nobody can guess.
_GIVEN = MEASURES | {EntityKind.URL, EntityKind.HASH, EntityKind.ISSUE}


def swapped(quote: str, index: PassageIndex) -> Judgement | None:
    """Find "A, not B" told with B and without A, in every passage that speaks of the matter."""
    for ruled_out in _NOT_THAT.finditer(quote):
        meant = _THIS.search(quote, 0, ruled_out.start())
        this, that = bag(meant[1]) if meant else frozenset(), bag(ruled_out[1])
        if not this - that or not that - this:
            continue
        start = meant.start(1) if meant else 0
        for place in index.about(quote[:start], SAME_MATTER):
            matter = index.summary[slice(*_line(index.summary, place))]
            words = bag(matter)
            if that - this <= words and not (this - that) & words and not EXCLUDES.search(matter):
                said = quote[start : ruled_out.end()].strip()
                reason = f"The source says “{said}”; the summary names only what was ruled out."
                return Judgement(Outcome.ALTERED, Detail.DISTORTED, 0.25, *place, "swapped", reason)
    return None


def _line(text: str, place: tuple[int, int]) -> tuple[int, int]:
    """The whole line of a place: an item of a summary tells one matter, in several sentences."""
    end = text.find("\n", place[1])
    return text.rfind("\n", 0, place[0]) + 1, end if end >= 0 else len(text)


def unforced(quote: str, forbids: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """Find a prohibition of which the summary names the subject and, nowhere near it, that anything is forbidden."""
    subject = quote.replace(forbids, " ")
    if index.share(subject, span) < SUBJECT:
        return None
    about = [*index.about(subject, SUBJECT), span]
    if any(EXCLUDES.search(index.summary[slice(*place)]) for place in about) or flat(quote) in index.kept_flat:
        return None
    reason = f"The summary names the subject, but “{forbids}” is gone."
    return Judgement(Outcome.ALTERED, Detail.WEAKENED, 0.25, *span, "weakened", reason)


def unvalued(quote: str, span: tuple[int, int], index: PassageIndex) -> Judgement | None:
    """Find the figures that the user gave, all of them, nowhere in the context after."""
    given = [thing for thing in values.things(quote, index) if _is_given(thing)]
    if not given or any(_known(thing, quote, index) for thing in given):
        return None
    gone = quote[given[0].start : given[0].end]
    return Judgement(
        Outcome.ALTERED, Detail.WEAKENED, 0.25, *span, "lost_value", f"“{gone}” is nowhere in the summary."
    )


def _is_given(thing: Entity) -> bool:
    """Whether it is a value; a bare number names a line or a step as often as it counts."""
    return thing.kind in _GIVEN and (thing.kind is not EntityKind.NUMBER or bool(thing.unit))


def _known(thing: Entity, quote: str, index: PassageIndex) -> bool:
    """Whether the context after has the thing, in whatever spelling."""
    written = quote[thing.start : thing.end].lower()
    if values.lookup(thing, index) or written in index.summary.lower():
        return True
    return flat(written) in index.kept_flat
