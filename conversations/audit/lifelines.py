"""Follow each fact through all compactions of a conversation: born where, kept how often, died when, back how. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conversations.audit.model import Audit, Author, Fact, FactKind, Finding, Judgement, Segment
from conversations.audit.text import content_stems
from conversations.vocabulary import Origin, Outcome

#: Words in common, as a share of all words of both, that make two facts of one kind the same fact.
SAME_FACT = 0.6
#: The same of two kinds, where one was read in a summary: it retells rules, findings and asks in one voice.
SAME_WORDS = 0.8
#: And at least so many of them: "port 5432" and "port 6380" share half.
MIN_SHARED = 3
#: Stems of one fact that are looked at, rarest first for finding candidates.
MAX_STEMS = 60
PROBES = 4
_LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})


class Return(StrEnum):
    """How a lost fact came back into the context."""

    USER = "user said it again"
    TOOL = "found again by a tool"
    AGENT = "worked out again"
    RESTORED = "restored by the harness"


_RETURNS = {
    Author.USER: Return.USER,
    Author.PASTED: Return.USER,
    Author.TOOL_RESULT: Return.TOOL,
    Author.HARNESS: Return.RESTORED,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What became of the fact at one compaction. `followed`: judged by its earlier words, for it was not said again."""

    number: int  # of the compaction
    boundary: str
    fact: str  # id of the fact, as that audit has it; "" when followed
    judgement: Judgement
    came_back: Return | None = None  # lost before, and known again by now
    came_back_at: int | None = None  # position
    followed: bool = False


@dataclass(frozen=True, slots=True)
class LifeLine:
    """One fact over the generations."""

    id: str  # of the fact as it was first said
    kind: FactKind
    text: str
    born: int  # position of the first mention
    born_before: int  # number of the compaction that it met first
    stages: tuple[Stage, ...]  # in order

    @property
    def died_at(self) -> int | None:
        """The number of the compaction that lost it for good; None while it lives or where it came back."""
        lost = None
        for stage in self.stages:
            if stage.judgement.outcome in _LOST:
                lost = stage.number if lost is None or stage.came_back else lost
            elif stage.judgement.outcome is Outcome.KEPT:
                lost = None
        return lost

    @property
    def generations_kept(self) -> int:
        """At how many compactions it was kept."""
        return sum(stage.judgement.outcome is Outcome.KEPT for stage in self.stages)


Judge = Callable[[Fact, Segment], Judgement]


def trace_lifelines(audits: Sequence[Audit], judge: Judge | None = None) -> list[LifeLine]:
    """One life-line for each fact, in the order of birth. `audits`: of one conversation, in order of their numbers.

    A fact that was kept but is not said again before the next compaction has no finding there; with `judge` it is held
    against that summary by its earlier words, without it the line just ends.
    """
    lines: list[_Line] = []
    for audit in audits:
        index = _Index(lines)
        origins = {line.message: line.origin for line in audit.segment.dropped}
        met = {id(line) for finding in audit.findings if (line := _take(finding, audit, origins, index, lines))}
        if judge is not None:
            _follow([line for line in index.lines if id(line) not in met], audit.segment, judge)
    return [line.finished() for line in sorted(lines, key=lambda line: (line.first.first, line.first.id))]


@dataclass(slots=True)
class _Line:
    first: Fact
    latest: Fact
    born_before: int
    stages: list[Stage]

    @property
    def alive(self) -> bool:
        return self.stages[-1].judgement.outcome is Outcome.KEPT

    @property
    def lost(self) -> bool:
        return self.stages[-1].judgement.outcome in _LOST

    def finished(self) -> LifeLine:
        first = self.first
        return LifeLine(first.id, first.kind, first.text, first.first, self.born_before, tuple(self.stages))


def _take(
    finding: Finding, audit: Audit, origins: dict[str, Origin], index: "_Index", lines: list[_Line]
) -> _Line | None:
    """Add the finding to the line of its fact; to a new one where there is none. Returns the old line."""
    fact, number = finding.fact, audit.segment.number
    line = index.line_of(fact)
    stage = Stage(number, audit.segment.boundary, fact.id, finding.judgement)
    if line is None:
        lines.append(_Line(fact, fact, number, [stage]))
        return None
    if line.lost:
        came_back = _return(fact, origins)
        stage = Stage(number, stage.boundary, fact.id, stage.judgement, came_back, fact.first)
    if line.stages[-1].number != number:
        line.latest = fact
        line.stages.append(stage)
    return line


def _return(fact: Fact, origins: dict[str, Origin]) -> Return:
    if fact.spans and origins.get(fact.spans[0].message) is Origin.RESTORED:
        return Return.RESTORED
    return _RETURNS.get(fact.author, Return.AGENT)


def _follow(lines: Sequence[_Line], segment: Segment, judge: Judge) -> None:
    """Only what the last summary kept can be in the context to be lost now."""
    for line in lines:
        if line.alive:
            judgement = judge(line.latest, segment)
            line.stages.append(Stage(segment.number, segment.boundary, "", judgement, followed=True))


class _Index:
    """Finds the line of a fact: by its id, else by most of its words. Each probe looks at few lines."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        self.lines = list(lines)
        self._by_id = {fact.id: line for line in lines for fact in (line.first, line.latest)}
        self._stems = [_stems(line.latest) for line in lines]
        self._counts = Counter(stem for stems in self._stems for stem in stems)
        self._by_probe: dict[str, list[int]] = {}
        for number, stems in enumerate(self._stems):
            for stem in stems:
                self._by_probe.setdefault(stem, []).append(number)

    def line_of(self, fact: Fact) -> _Line | None:
        """The line with the same fact, None for a new one."""
        if (line := self._by_id.get(fact.id)) is not None:
            return line
        said = _stems(fact)
        scored = [(self._alike(said, self._stems[number]), -number) for number in set(self._likely(said))]
        same = [(share, minus) for share, minus in scored if share >= self._least(fact, self.lines[-minus].latest)]
        return self.lines[-max(same)[1]] if same else None

    def _least(self, fact: Fact, other: Fact) -> float:
        """How much of their words two facts must share to be the same. Above 1: they never are."""
        if fact.kind is other.kind:
            return SAME_FACT
        return SAME_WORDS if Author.SUMMARY in (fact.author, other.author) else 2.0

    def _likely(self, said: frozenset[str]) -> Iterator[int]:
        """Lines that share one of the rarest words: what is the same in most words is the same in one of these."""
        known = sorted((stem for stem in said if stem in self._counts), key=lambda stem: (self._counts[stem], stem))
        for stem in known[:PROBES]:
            yield from self._by_probe.get(stem, ())

    def _alike(self, one: frozenset[str], other: frozenset[str]) -> float:
        shared = len(one & other)
        return shared / len(one | other) if shared >= MIN_SHARED else 0.0


def _stems(fact: Fact) -> frozenset[str]:
    return frozenset(content_stems(fact.text, 2_000)[:MAX_STEMS])
