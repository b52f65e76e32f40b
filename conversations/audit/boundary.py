"""What can be said at a boundary whatever follows it: the facts, what became of each, how much was kept.

It is by far the most of an audit's work, and stays as it is while the conversation goes on.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from conversations.audit.background import places_of
from conversations.audit.context import in_context
from conversations.audit.facts import extract_drafts
from conversations.audit.importance import weigh
from conversations.audit.join import Judged, join_neighbours
from conversations.audit.judge import Reading
from conversations.audit.matching import judge
from conversations.audit.merge import merge_drafts
from conversations.audit.model import Detail, Fact, FactKind, FactState, Finding, Judgement, Line, Retention, Segment
from conversations.audit.passages import PassageIndex
from conversations.audit.replaced import with_replaced
from conversations.audit.retention import retention_of
from conversations.audit.told import with_facts
from conversations.vocabulary import Outcome

LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})
#: P(known) of a command whose words stand in the summary, but not as a command.
ELSEWHERE = 0.2
#: Boundaries kept in memory. MEASURED on 17 real compactions: 0.1 to 1.3 MB each, and an audit made again takes 35 % of
#: the CPU time of a whole one (the median; 20 to 77 %, most where little was dropped and much followed).
KEPT = 12


@dataclass(frozen=True, slots=True)
class AtBoundary:
    """Nothing in it depends on what followed. The findings have no rank yet."""

    facts: tuple[Fact, ...]  # as they were said, before neighbours were joined
    lost: tuple[Finding, ...]
    others: tuple[Finding, ...]  # most important first
    retention: Retention


class Shelf(Protocol):
    """Where the work of another process can be found, and is told what was used."""

    def get(self, digest: bytes) -> AtBoundary | None:
        """What was said of the same texts, None for nothing."""

    def use(self, digest: bytes, known: AtBoundary) -> None:
        """Note what an audit rests on."""


class Boundaries:
    """The boundaries looked at last, by a digest of all that was read: another text is another boundary."""

    def __init__(
        self, kept: int = KEPT, shelf: Shelf | None = None, known: OrderedDict[bytes, AtBoundary] | None = None
    ) -> None:
        self._kept, self._shelf = kept, shelf
        self._known = OrderedDict[bytes, AtBoundary]() if known is None else known

    def beside(self, shelf: Shelf) -> "Boundaries":
        """The same memory; what it does not hold is looked for on the shelf."""
        return Boundaries(self._kept, shelf, self._known)

    def at(self, segment: Segment, told: Reading, index: PassageIndex) -> AtBoundary:
        """What `at_boundary` says, made once."""
        key = digest_of(segment, told)
        known = self._known.pop(key, None) or (self._shelf.get(key) if self._shelf else None)
        known = self._known[key] = known or at_boundary(segment, told, index)
        if len(self._known) > self._kept:
            self._known.popitem(last=False)
        if self._shelf:
            self._shelf.use(key, known)
        return known


def digest_of(segment: Segment, told: Reading) -> bytes:
    """Differs where anything differs that `at_boundary` reads."""
    digest = hashlib.blake2b(digest_size=16)
    about = (segment.summary_state, segment.kind, segment.cwd, len(segment.dropped), len(segment.kept))
    digest.update(repr(about).encode())
    digest.update(segment.summary.encode(errors="surrogatepass"))
    digest.update(msgspec.json.encode(told))
    for line in _read(segment):
        digest.update(repr(replace(line, text="")).encode(errors="surrogatepass"))
        digest.update(line.text.encode(errors="surrogatepass"))
    return digest.digest()


def _read(segment: Segment) -> Iterator[Line]:
    yield from (*segment.dropped, *segment.kept, *segment.restored)


def at_boundary(segment: Segment, told: Reading, index: PassageIndex) -> AtBoundary:
    """Every fact with what became of it. `told`: what a language model said, which adds facts and goes before the
    rules' own judgements."""
    facts = with_facts(with_replaced(merge_drafts(extract_drafts(segment))), told.facts)
    judged = [(fact, settle(fact, told.judgements.get(fact.id) or as_run(fact, judge(fact, index)))) for fact in facts]
    texts = {(line.message, line.block): line.text for line in segment.dropped}
    kept = [fact for fact, verdict in judged if verdict.outcome not in LOST]
    joined = join_neighbours([pair for pair in judged if pair[1].outcome in LOST], texts, kept)
    joined = [
        (fact, settle(fact, told.judgements.get(fact.id, verdict))) for fact, verdict in joined
    ]  # asked as a whole
    place = places_of(segment.dropped)
    lost = _findings([(in_context(f, texts), v) for f, v in joined if v.outcome in LOST], place)
    others = _findings([pair for pair in (*judged, *joined) if pair[1].outcome not in LOST], place)
    others.sort(key=lambda finding: (-finding.fact.importance.value, finding.fact.id))
    return AtBoundary(tuple(facts), tuple(lost), tuple(others), retention_of([*lost, *others]))


def as_run(fact: Fact, judgement: Judgement) -> Judgement:
    """How something is run is known where it stands as it is run. Single words of it ("test", a folder) do not tell."""
    if (
        fact.kind is not FactKind.COMMAND
        or judgement.outcome is not Outcome.KEPT
        or judgement.detail is Detail.VERBATIM
    ):
        return judgement
    reason = f"The summary does not say how it is run: “{fact.quote}”."
    probability = min(judgement.probability, ELSEWHERE)
    return replace(judgement, outcome=Outcome.FORGOTTEN, detail=Detail.NONE, probability=probability,
                   detector="command", reason=reason)  # fmt: skip


def settle(fact: Fact, judgement: Judgement) -> Judgement:
    """What was finished or replaced before the boundary is no loss."""
    if judgement.outcome not in LOST or fact.state is FactState.OPEN:
        return judgement
    said = "It was finished" if fact.state is FactState.SETTLED else "It was replaced"
    reason = f"{said} before the compaction."
    return replace(judgement, outcome=Outcome.SUPERSEDED, detail=Detail.NONE, detector="settled", reason=reason)


def _findings(judged: Sequence[Judged], place: dict[int, float]) -> list[Finding]:
    """With the importance of each fact; the rank, 0, is below every loss."""
    return [Finding(weigh(fact, place.get(fact.last, 0.0)), verdict, 0.0) for fact, verdict in judged]
