"""How many changed statements the auditor finds: real summaries in which one statement was changed by a rule.

Run: python -m tests.bench.altered
"""

import re
from collections import Counter
from collections.abc import Iterator

from conversations.audit import modality
from conversations.audit.audit import is_readable
from conversations.audit.facts import extract_drafts
from conversations.audit.matching import judge
from conversations.audit.merge import merge_drafts
from conversations.audit.model import Author, Fact, FactKind, Judgement, Segment
from conversations.audit.passages import PassageIndex
from conversations.vocabulary import Outcome
from tests.bench.labelled import TRANSCRIPTS, segments

#: Statements that are changed in each compaction, of each sort: enough to tell, and a minute of work.
MOST = 8
#: Passages with this share of a fact are about the same, and are all changed.
SAME = 0.4
_STATEMENTS = frozenset({FactKind.STATE, FactKind.FINDING, FactKind.ANSWER, FactKind.ERROR, FactKind.DECISION})
_FIGURE = re.compile(r"(?<![\w.,/:#-])[1-9]\d{1,5}(?= ?(?:ms|s|%|MB|GB|KB|tests?|lines?|files?|minutes?|hours?)\b)")


def _next_figure(match: re.Match[str]) -> str:
    return str(int(match.group()) * 3 + 7)


#: What is done to the words that the fact and the summary have in common.
MUTATIONS = {
    "value": (_FIGURE, _next_figure),
    "rule": (modality.PROHIBITION, ""),
    "status": (modality.UNDONE, "verified"),
    "guess": (modality.GUESS, ""),
}


def readable_segments() -> Iterator[Segment]:
    """Every compaction of the transcripts that has a summary."""
    for path in sorted(TRANSCRIPTS.glob("*.jsonl")):
        yield from (segment for segment in segments(path.name) if is_readable(segment))


def _rewritten(pattern, instead, text: str) -> str:
    """The text with every match replaced; `instead` is a text, or makes one of a match."""
    for match in reversed(list(pattern.finditer(text))):
        text = text[: match.start()] + (instead(match) if callable(instead) else instead) + text[match.end() :]
    return text


def _is_meant(fact: Fact, sort: str) -> bool:
    """Whether the word says what it is changed for: a user's "maybe we can" is no guess, "what can be postponed" no
    state."""
    return sort not in ("status", "guess") or (fact.author is not Author.USER and fact.kind in _STATEMENTS)


def changed(fact: Fact, judgement: Judgement, index: PassageIndex, sort: str) -> str | None:
    """The summary with the fact's statement changed wherever it stands; None where they share no such word."""
    pattern, instead = MUTATIONS[sort]
    word = pattern.search(fact.quote)
    if judgement.outcome is not Outcome.KEPT or word is None or not _is_meant(fact, sort):
        return None
    summary = index.summary
    for start, end in reversed(index.about(fact.quote, SAME)):
        summary = summary[:start] + _rewritten(pattern, instead, summary[start:end]) + summary[end:]
    return summary if summary != index.summary else None


def measure(segment: Segment, counts: Counter[tuple[str, str]]) -> None:
    """Change one statement at a time and ask what became of its fact."""
    index = PassageIndex.of(segment)
    facts = merge_drafts(extract_drafts(segment))
    for sort in MUTATIONS:
        judged = ((fact, changed(fact, judge(fact, index), index, sort)) for fact in facts)
        for fact, summary in [pair for pair in judged if pair[1]][:MOST]:
            sources, positions = [x.text for x in segment.dropped], [x.position for x in segment.dropped]
            other = PassageIndex(summary or "", sources=sources, positions=positions, rarity=index.rarity)
            counts[sort, judge(fact, other).outcome] += 1


def main() -> None:
    """Print a table: changed statements by sort, and what they are called."""
    counts: Counter[tuple[str, str]] = Counter()
    for segment in readable_segments():
        measure(segment, counts)
    print(f"{'changed':8} {'n':>4} {'altered':>8} {'forgotten':>10} {'kept':>5}")
    for sort in MUTATIONS:
        n = {outcome: counts[sort, outcome] for outcome in (Outcome.ALTERED, Outcome.FORGOTTEN, Outcome.KEPT)}
        print(f"{sort:8} {sum(n.values()):4} {n[Outcome.ALTERED]:8} {n[Outcome.FORGOTTEN]:10} {n[Outcome.KEPT]:5}")


if __name__ == "__main__":
    main()
