"""Whether an entry of the team's ledger survived one compaction: was it known before, and is it after? Pure.

Both sides are read by the auditor's own matching. "Before" is what was dropped and what was kept, the summary before it
among them; "after" is the summary, what was kept, and what the harness put back.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from conversations.audit import anchors, polarity
from conversations.audit.alterations import ABOUT_IT
from conversations.audit.audit import is_readable
from conversations.audit.bounds import shortened
from conversations.audit.matching import judge
from conversations.audit.model import Author, Detail, Fact, FactKind, Judgement, Line, Segment
from conversations.audit.passages import PassageIndex, flattened
from conversations.audit.stretches import Stretches
from conversations.audit.text import flat
from conversations.vocabulary import CLEARING_KINDS, LedgerOutcome, Outcome, SummaryState

#: Messages tell a rule from this probability on, where they carry this share of its weight. More than is asked of a
#: summary, because in what an agent reads stands something about everything, and a rule that was never told cannot be
#: forgotten. MEASURED on 58 rules of 8 real logs, which all are told by their own: another log of the same projects
#: tells 9 of 406, six times the question "Which approach?"; with a probability of 0.5 alone 24.
TOLD, CARRIED = 0.7, 0.75
#: P(known) where an anchor is gone, or the rule is told the other way round; as of other alterations.
ALTERED = 0.25
#: Characters of a passage that are kept with a check.
PASSAGE = 600


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule or fact that must survive."""

    id: int
    kind: FactKind
    text: str
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one entry at one compaction."""

    entry: int
    outcome: LedgerOutcome
    detail: Detail
    probability: float  # that the context after lets the agent know it
    passage: str  # the words of the context after that come nearest; "" when none do
    detector: str
    reason: str


def check_entries(entries: Sequence[Entry], segment: Segment, known: Collection[int] = ()) -> list[Check]:
    """What became of each entry, in their order. `known`: ids of those that the compaction before left in the context,
    be it altered. Nothing for a compaction that failed: it replaced nothing."""
    if not entries or segment.summary_state is SummaryState.FAILED:
        return []
    look = _Look(shortened(segment), [entry.text for entry in entries])
    return [_check(entry, look, known=entry.id in known) for entry in entries]


class _Look:
    """Both sides of a compaction, each read once for all entries."""

    def __init__(self, segment: Segment, texts: Sequence[str]) -> None:
        self.segment, self.readable = segment, is_readable(segment)
        self.index = PassageIndex.of(segment)
        rarity = self.index.rarity
        self._beside = Stretches(_texts(segment.kept, segment.restored), texts, rarity)
        self._dropped = Stretches(_texts(segment.dropped), texts, rarity)

    def beside(self, entry: Entry) -> str:
        """The words of what was kept or put back that tell it; "" for none."""
        return self._telling(entry, self._beside)

    def dropped(self, entry: Entry) -> str:
        """The words of what was dropped that tell it; "" for none."""
        return self._telling(entry, self._dropped)

    def _telling(self, entry: Entry, stretches: Stretches) -> str:
        return next((text for text in stretches.nearest(entry.text) if self._tells(entry, text)), "")

    def _tells(self, entry: Entry, text: str) -> bool:
        index = PassageIndex(text, cwd=self.index.cwd, rarity=self.index.rarity)
        found = _judged(entry, index)
        if found.outcome is not Outcome.KEPT or found.probability < TOLD:
            return False
        return found.detail is Detail.VERBATIM or index.share(entry.text, (0, len(text))) >= CARRIED


def _texts(*groups: Iterable[Line]) -> list[str]:
    return [line.text for lines in groups for line in lines]


def _check(entry: Entry, look: _Look, *, known: bool) -> Check:
    """After first: what is there was kept, wherever it came from. Then whether it could be lost at all."""
    if words := look.beside(entry):
        return _kept_beside(entry, words)
    found, index = _nearest_judged(entry, look.index) if look.readable else (None, look.index)
    if found and found.outcome is Outcome.KEPT:
        return _as_judged(entry, found, index)
    if not known and not look.dropped(entry):
        return _untold(entry, look.segment)
    return _as_judged(entry, found, index) if found else _unreadable(entry, look.segment)


# --- what the summary makes of it -------------------------------------------------------------------------------------


def _nearest_judged(entry: Entry, index: PassageIndex) -> tuple[Judgement, PassageIndex]:
    """What the summary says of it, and the index that the judgement's span is of. Where it seems lost by a passage
    without any of its anchors, the lines that have one are looked at by themselves: they speak of it."""
    found = _judged(entry, index)
    if found.outcome is Outcome.KEPT or found.start is None or not entry.anchors:
        return found, index
    if any(anchors.stands_in(anchor, index.summary[found.start : found.end]) for anchor in entry.anchors):
        return found, index
    lines = [x for x in index.summary.split("\n") if any(anchors.stands_in(anchor, x) for anchor in entry.anchors)]
    near = PassageIndex("\n".join(lines), sources=index.sources, cwd=index.cwd, rarity=index.rarity)
    return (_judged(entry, near), near) if lines else (found, index)


def _judged(entry: Entry, index: PassageIndex) -> Judgement:
    """What the summary of `index` says of it: its words, what they are reversed to, and its anchors."""
    found = judge(_fact(entry), index)
    if opposite := _reversed(entry, found, index):
        return opposite
    gone = anchors.missing(entry.anchors, index) if found.outcome is Outcome.KEPT else []
    if not gone or found.detail is Detail.VERBATIM:
        return found
    reason = f"The summary tells it without “{gone[0]}”, on which it rests."
    return replace(
        found, outcome=Outcome.ALTERED, detail=Detail.WEAKENED, probability=ALTERED, detector="anchor", reason=reason
    )


def _fact(entry: Entry) -> Fact:
    """As if a user had said it before everything else."""
    return Fact(
        id=str(entry.id), kind=entry.kind, text=entry.text, quote=entry.text, spans=(), author=Author.USER,
        first=-1, last=-1,
    )  # fmt: skip


def _reversed(entry: Entry, found: Judgement, index: PassageIndex) -> Judgement | None:
    """Where every passage about it says the opposite; one that does not may be the rule."""
    nearest = [] if found.start is None or found.end is None else [(found.start, found.end)]
    places = [*nearest, *index.about(entry.text, ABOUT_IT)] if found.outcome is not Outcome.FORGOTTEN else []
    changes = [_change(entry, place, index) for place in places]
    if not changes or not all(changes):
        return None
    reason = next(change for change in changes if change)
    return Judgement(Outcome.ALTERED, Detail.FLIPPED, ALTERED, *places[0], "polarity", reason)


def _change(entry: Entry, place: tuple[int, int], index: PassageIndex) -> str:
    """Why a passage says the opposite; "" where it does not."""
    start, end = place
    passage = index.summary[start:end]
    words = flattened(passage).find(flat(entry.text))
    if words and polarity.is_denied(index.summary[: start + words[0]]):
        return "The summary has its words, but denies them."
    change = polarity.reversed_in(entry.text, passage)
    return change.reason if change else ""


# --- what is said of it -----------------------------------------------------------------------------------------------


_OUTCOMES = {Outcome.KEPT: LedgerOutcome.KEPT, Outcome.ALTERED: LedgerOutcome.ALTERED}


def _as_judged(entry: Entry, found: Judgement, index: PassageIndex) -> Check:
    outcome = _OUTCOMES.get(found.outcome, LedgerOutcome.FORGOTTEN)
    passage = index.summary[found.start : found.end] if found.start is not None else ""
    return _said(entry, outcome, found.probability, found.detector, found.reason, passage, found.detail)


def _kept_beside(entry: Entry, words: str) -> Check:
    reason = "A message that stayed, or was put back, tells it."
    return _said(entry, LedgerOutcome.KEPT, 0.95, "kept_message", reason, words)


def _untold(entry: Entry, segment: Segment) -> Check:
    if segment.complete:
        reason = "It was not in the context before this compaction: nobody had told the agent, or it was lost before."
        return _said(entry, LedgerOutcome.NOT_IN_CONTEXT, 0.0, "not_told", reason)
    reason = "Messages before this compaction are not in the data, so whether it had been told cannot be known."
    return _said(entry, LedgerOutcome.UNVERIFIABLE, 0.5, "incomplete", reason)


def _unreadable(entry: Entry, segment: Segment) -> Check:
    if segment.kind in CLEARING_KINDS:
        reason = "It stood in a tool result that was cleared; no summary tells what is left of it."
    else:
        reason = "The summary cannot be read."
    return _said(entry, LedgerOutcome.UNVERIFIABLE, 0.5, "unreadable", reason)


def _said(
    entry: Entry, outcome: LedgerOutcome, probability: float, detector: str, reason: str,
    passage: str = "", detail: Detail = Detail.NONE,
) -> Check:  # fmt: skip
    return Check(entry.id, outcome, detail, probability, passage[:PASSAGE], detector, reason)
