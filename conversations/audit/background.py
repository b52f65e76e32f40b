"""How a fact's words stand in what was dropped, in the summary and in what followed: what ranking knows besides the fact."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from conversations.audit.model import Author, Fact, Line, Segment
from conversations.audit.passages import PassageIndex
from conversations.audit.text import content_stems

#: Of the continuation only so much is read: what is needed later is needed soon. Characters of the agent's own words.
MAX_LATER = 150_000
MAX_BLOCK = 4_000
_AGENT = frozenset({Author.USER, Author.ASSISTANT, Author.THINKING, Author.TOOL_INPUT})
_SPOKEN = frozenset({Author.USER, Author.ASSISTANT, Author.THINKING})
_NEXT = re.compile(
    r"(?:current work|pending|next step|remaining|open|to-?do|in progress|last request|what(?:'s| is) next)[^\n]{0,60}\n",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Background:
    """Counts by stem. `later` is empty and `followed` False where the log ends at the boundary."""

    summary: Counter[str]  # passages of the summary that have it
    spoken: Counter[str]  # facts said by user or agent that have it
    later: Counter[str]  # blocks of the continuation that have it
    ask: frozenset[str]  # words of the user's last turns and of the summary's next steps
    place: dict[int, float]  # position of a line → its share of the way to the boundary, 0 to 1
    followed: bool
    stems: dict[str, frozenset[str]] = field(default_factory=dict)  # by fact id, filled as asked for

    def of(self, fact: Fact) -> frozenset[str]:
        """The content stems of a fact's quote, computed once."""
        if fact.id not in self.stems:
            self.stems[fact.id] = frozenset(content_stems(fact.quote, 2_000))
        return self.stems[fact.id]


def background_of(segment: Segment, facts: Sequence[Fact], index: PassageIndex) -> Background:
    """The background of one compaction."""
    positions = sorted({line.position for line in segment.dropped})
    return Background(
        summary=Counter(stem for passage in index.passages for stem in passage.bag),
        spoken=Counter(s for f in facts if f.author in _SPOKEN for s in set(content_stems(f.quote, 1_000))),
        later=_later(segment.continuation),
        ask=frozenset(content_stems(_last_words(segment.dropped) + " " + next_steps(segment.summary))),
        place={position: (rank + 1) / len(positions) for rank, position in enumerate(positions)},
        followed=bool(segment.continuation),
    )


def _later(lines: Sequence[Line]) -> Counter[str]:
    """Blocks of the agent's and the user's later words by stem."""
    counts: Counter[str] = Counter()
    left = MAX_LATER
    for line in lines:
        if line.author in _AGENT and left > 0:
            piece = line.text[: min(MAX_BLOCK, left)]
            left -= len(piece)
            counts.update(set(content_stems(piece)))
    return counts


def _last_words(lines: Sequence[Line]) -> str:
    """What the user said last, up to three turns."""
    said = [line.text[:1_500] for line in lines if line.author is Author.USER]
    return "\n".join(said[-3:])


def next_steps(summary: str) -> str:
    """The part of a summary that says what is to be done next; its end where no heading says so."""
    found = list(_NEXT.finditer(summary))
    return summary[found[-1].end() :][:3_000] if found else summary[-1_500:]
