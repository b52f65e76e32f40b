"""How a fact's words stand in what was dropped, in the summary and in what followed: what ranking knows besides."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from conversations.audit.model import Author, Fact, Line, Segment
from conversations.audit.passages import PassageIndex, Rarity
from conversations.audit.text import bag, content_stems

#: Of the continuation only so much is read: what is needed later is needed soon. Characters.
MAX_LATER = 90_000
#: The last words before the boundary: what was being worked on. Characters.
MAX_CURRENT = 20_000
MAX_BLOCK = 3_000
#: Words are compared within windows of about so many characters: a page holds the words of anything.
WINDOW = 600

_SPOKEN = frozenset({Author.USER, Author.ASSISTANT, Author.THINKING})
_NEXT = re.compile(
    r"(?:current work|pending|next step|remaining|open|to-?do|in progress|last request|what(?:'s| is) next)"
    r"[^\n]{0,60}\n",
    re.IGNORECASE,
)


class Windows:
    """Texts cut into windows, for asking which window says most of a fact."""

    def __init__(self, texts: Iterable[str], rarity: Rarity) -> None:
        self._rarity = rarity
        self._postings: dict[str, list[int]] = {}
        self.count = 0
        for text in texts:
            for start in range(0, len(text), WINDOW):
                for stem in bag(text[start : start + WINDOW]):
                    self._postings.setdefault(stem, []).append(self.count)
                self.count += 1

    def share(self, stems: frozenset[str]) -> float:
        """The largest part of the stems' weight that one window holds, 0 to 1."""
        weights = {stem: self._rarity[stem] for stem in stems}
        scores: defaultdict[int, float] = defaultdict(float)
        for stem, weight in weights.items():
            for number in self._postings.get(stem, ()):
                scores[number] += weight
        return max(scores.values(), default=0.0) / (sum(weights.values()) or 1.0)


@dataclass(frozen=True, slots=True)
class Background:
    """Counts by stem, and windows. `followed` is False where the log ends at the boundary."""

    summary: Counter[str]  # passages of the summary that have it
    spoken: Counter[str]  # facts said by user or agent that have it
    later: Counter[str]  # words said after the boundary
    ask: frozenset[str]  # words of the user's last turns and of the summary's next steps
    said_later: Windows  # what user and agent said after the boundary
    current: Windows  # what was said last before it
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
    said = list(_bounded((x for x in segment.continuation if x.author in _SPOKEN), MAX_LATER))
    last = _bounded((x for x in reversed(segment.dropped) if x.author in _SPOKEN), MAX_CURRENT)
    return Background(
        summary=Counter(chain.from_iterable(passage.bag for passage in index.passages)),
        spoken=Counter(chain.from_iterable(bag(f.quote[:1_000]) for f in facts if f.author in _SPOKEN)),
        later=Counter(chain.from_iterable(map(bag, said))),
        ask=frozenset(content_stems(_last_words(segment.dropped) + " " + next_steps(segment.summary))),
        said_later=Windows(said, index.rarity),
        current=Windows(last, index.rarity),
        place=places_of(segment.dropped),
        followed=bool(segment.continuation),
    )


def places_of(lines: Sequence[Line]) -> dict[int, float]:
    """The position of each line → its share of the way to the boundary, above 0 and up to 1."""
    positions = sorted({line.position for line in lines})
    return {position: (rank + 1) / len(positions) for rank, position in enumerate(positions)}


def _bounded(lines: Iterable[Line], most: int) -> Iterable[str]:
    """The texts of lines, each cut, until `most` characters are reached."""
    for line in lines:
        if most <= 0:
            return
        piece = line.text[: min(MAX_BLOCK, most)]
        most -= len(piece)
        yield piece


def _last_words(lines: Sequence[Line]) -> str:
    """What the user said last, up to three turns."""
    said = [line.text[:1_500] for line in lines if line.author is Author.USER]
    return "\n".join(said[-3:])


def next_steps(summary: str) -> str:
    """The part of a summary that says what is to be done next; its end where no heading says so."""
    found = list(_NEXT.finditer(summary))
    return summary[found[-1].end() :][:3_000] if found else summary[-1_500:]
