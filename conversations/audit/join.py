"""Puts neighbouring lost sentences of one passage together: a list that is gone is one finding, not six."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from conversations.audit.facts.draft import about_of, sentence_of
from conversations.audit.merge import MOST_SPANS, fact_id
from conversations.audit.model import Fact, FactKind, Judgement, Span
from conversations.vocabulary import Outcome

LONGEST = 400  # characters of a joined quote: what is read at one glance
SHORT = 60  # a sentence with fewer characters does not stand for a passage
_GAP = 60  # characters that may stand between neighbours: markup, blanks, a short aside

#: The most consequential kind of its parts names the whole.
_BY_CONSEQUENCE = (
    FactKind.PROHIBITION,
    FactKind.REQUIREMENT,
    FactKind.ASK,
    FactKind.APPROVAL,
    FactKind.STATE,
    FactKind.DECISION,
    FactKind.PREFERENCE,
    FactKind.OPTION,
    FactKind.ANSWER,
    FactKind.ERROR,
    FactKind.FINDING,
    FactKind.ENVIRONMENT,
    FactKind.DELEGATED,
    FactKind.VALUE,
    FactKind.KNOWLEDGE,
    FactKind.COMMAND,
)
_WEIGHT = {kind: rank for rank, kind in enumerate(_BY_CONSEQUENCE)}

Judged = tuple[Fact, Judgement]


def join_neighbours(
    judged: Sequence[Judged], texts: Mapping[tuple[str, int], str], kept: Sequence[Fact] = ()
) -> list[Judged]:
    """`judged` with neighbours of the same block and outcome put together, unless one of `kept` stands between them.

    `texts`: the text of a block by message and index.
    """
    walls: dict[tuple[str, int], list[int]] = {}
    for span in (fact.spans[0] for fact in kept):
        walls.setdefault((span.message, span.block), []).append(span.start)
    groups: list[list[Judged]] = []
    for pair in sorted(judged, key=_place):
        if groups and _belongs(groups[-1], pair, texts, walls):
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return [group[0] if len(group) == 1 else _joined(group, texts) for group in groups]


def _place(pair: Judged) -> tuple[str, int, int]:
    span = pair[0].spans[0]
    return span.message, span.block, span.start


def _belongs(
    group: list[Judged],
    pair: Judged,
    texts: Mapping[tuple[str, int], str],
    walls: Mapping[tuple[str, int], list[int]],
) -> bool:
    first, last, span = group[0][0].spans[0], group[-1][0].spans[0], pair[0].spans[0]
    block = span.message, span.block
    if block != (first.message, first.block) or span.end - first.start > LONGEST:
        return False
    between = texts[block][last.end : span.start]
    same = _lost_alike(group[0], pair)
    open_way = not any(last.end <= start < span.start for start in walls.get(block, ()))
    return same and open_way and len(between) <= _GAP and "#" not in between and "```" not in between


def _lost_alike(one: Judged, other: Judged) -> bool:
    """Whether two were forgotten in the same state. What was altered has a reason of its own, and stands alone."""
    return one[1].outcome is other[1].outcome is Outcome.FORGOTTEN and one[0].state is other[0].state


def _others(facts: Sequence[Fact]) -> Iterator[Span]:
    """Where else the members were said."""
    return (span for fact in facts for span in fact.spans[1:])


def _joined(group: list[Judged], texts: Mapping[tuple[str, int], str]) -> Judged:
    """One fact over all members. The surest loss among them gives verdict and reason."""
    facts = [fact for fact, _ in group]
    lead, judgement = min(group, key=lambda pair: (_WEIGHT[pair[0].kind], pair[1].probability))
    first, last = facts[0].spans[0], facts[-1].spans[0]
    quote = texts[first.message, first.block][first.start : last.end]
    fact = replace(
        lead,
        id=fact_id(lead.kind, quote),
        text=lead.text if len(lead.text) > SHORT else sentence_of(about_of(facts[0].text, facts[0].quote), quote),
        quote=quote,
        spans=(Span(first.message, first.block, first.start, last.end), *_others(facts))[:MOST_SPANS],
        first=min(f.first for f in facts),
        last=max(f.last for f in facts),
        count=max(f.count for f in facts),
        cues=tuple(dict.fromkeys(cue for f in facts for cue in f.cues))[:4],
    )
    return fact, replace(judgement, probability=sum(j.probability for _, j in group) / len(group))
