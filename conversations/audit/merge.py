"""Says one thing once: drafts that state the same become one fact with all its places."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from conversations.audit.facts.draft import Draft
from conversations.audit.facts.units import mark_end
from conversations.audit.model import Author, Fact, FactKind, FactState, Span
from conversations.audit.text import content_stems

#: Two drafts say the same when they share this part of the larger one's words …
SAME = 0.75
#: … and are looked up through their rarest words, so that merging stays linear.
_KEYS = 3
#: Fewer words than this can be matched by chance; such drafts are the same only when they are equal.
_FEW = 5
MOST_SPANS = 12

#: Whose words stand for the fact when several said it: what the user said outranks what was copied from it.
_VOICE = {
    Author.USER: 0,
    Author.ASSISTANT: 1,
    Author.PASTED: 2,
    Author.TOOL_RESULT: 3,
    Author.THINKING: 4,
    Author.TOOL_INPUT: 5,
    Author.HARNESS: 6,
    Author.SUMMARY: 7,
}


def merge_drafts(drafts: Sequence[Draft]) -> list[Fact]:
    """The facts in order of their first mention."""
    bags = [frozenset(content_stems(draft.quote[mark_end(draft.quote) :], 2_000)) for draft in drafts]
    common = Counter(chain.from_iterable(bags))
    groups: list[list[int]] = []
    by_key: dict[str, list[int]] = {}
    for number, bag in enumerate(bags):
        keys = sorted(bag, key=lambda stem: (common[stem], stem))[:_KEYS]
        group = _group_of(bag, keys, by_key, groups, bags)
        if group is None:
            group = len(groups)
            groups.append([])
        if not groups[group]:
            for key in keys:
                by_key.setdefault(key, []).append(group)
        groups[group].append(number)
    return [_fact([drafts[n] for n in group]) for group in groups]


def _group_of(
    bag: frozenset[str],
    keys: Iterable[str],
    by_key: dict[str, list[int]],
    groups: list[list[int]],
    bags: list[frozenset[str]],
) -> int | None:
    """The group whose first member says the same, if there is one among the last 40 with a rare word in common."""
    for key in keys:
        for group in by_key.get(key, ())[-40:]:
            if _says_same(bags[groups[group][0]], bag):
                return group
    return None


def _says_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether nearly all words are the same. Another figure is another fact, be the rest the same to the letter."""
    if one == other:
        return True
    if min(len(one), len(other)) < _FEW or len(one & other) < SAME * max(len(one), len(other)):
        return False
    figures, others = _figures(one), _figures(other)
    return figures <= others or others <= figures


def _figures(bag: frozenset[str]) -> set[str]:
    return {stem for stem in bag if stem[0].isdigit()}


def _fact(drafts: list[Draft]) -> Fact:
    """One fact of all drafts that say it. The best voice gives the words, the last mention the state."""
    best = min(drafts, key=lambda d: (_VOICE[d.line.author], -len(d.quote)))
    latest = max(drafts, key=lambda d: d.line.position)
    places = [best, *(d for d in drafts if d is not best)][:MOST_SPANS]
    return Fact(
        id=fact_id(best.kind, best.quote),
        kind=best.kind,
        text=best.text,
        quote=best.quote,
        spans=tuple(Span(d.line.message, d.line.block, d.start, d.end) for d in places),
        author=author_of(best),
        first=min(d.line.position for d in drafts),
        last=latest.line.position,
        count=len({(d.line.message, d.line.block) for d in drafts}),
        state=FactState.OPEN if latest.state is FactState.OPEN else latest.state,
        cues=tuple(dict.fromkeys(cue for d in (best, *drafts) for cue in d.cues))[:4],
    )


def author_of(draft: Draft) -> Author:
    """Whose words: a document that the user gave is not the user's own voice."""
    return Author.PASTED if draft.line.author is Author.USER and "given document" in draft.cues else draft.line.author


def fact_id(kind: FactKind, quote: str) -> str:
    """Stable while kind and words stay: whitespace and case do not count."""
    return hashlib.sha256(f"{kind}\0{' '.join(quote.casefold().split())}".encode()).hexdigest()[:16]
