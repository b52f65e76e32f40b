"""Did a loss hurt later: signs in what followed the boundary, each beside its own base rate in the same log. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conversations.audit.harm.deeds import (
    ChangeTakenBack,
    DelegatedTwice,
    FailsAgain,
    InventedUsed,
    RuleBroken,
    SameErrorAgain,
)
from conversations.audit.harm.lookups import LookedUpAgain, UserSuppliesAgain, WorkedOutAgain
from conversations.audit.harm.voices import AskedAgain, UserRepeats
from conversations.audit.harm.watch import Before, HarmState, Hit, Signal, walk
from conversations.audit.model import Added, Evidence, Finding, Segment
from conversations.vocabulary import Outcome

__all__ = ["SEVERITY", "SIGNALS", "Harm", "HarmState", "find_harm"]

SIGNALS: tuple[type[Signal], ...] = (
    RuleBroken,
    UserRepeats,
    UserSuppliesAgain,
    AskedAgain,
    LookedUpAgain,
    WorkedOutAgain,
    FailsAgain,
    SameErrorAgain,
    ChangeTakenBack,
    DelegatedTwice,
    InventedUsed,
)
#: How much each says about harm, 0 to 1, for ranking: what people say outweighs what the agent reads. On hand labels,
#: where 48 of 197 losses were needed later, 4 of 5 looked up again and 3 of 4 worked out again were; with the facts
#: that the extractor finds, 5 of 9 worked out again read as true in 18 compactions.
SEVERITY = {
    RuleBroken.name: 1.0,
    UserRepeats.name: 1.0,
    InventedUsed.name: 0.9,
    AskedAgain.name: 0.8,
    ChangeTakenBack.name: 0.8,
    UserSuppliesAgain.name: 0.7,
    WorkedOutAgain.name: 0.5,
    DelegatedTwice.name: 0.6,
    FailsAgain.name: 0.6,
    SameErrorAgain.name: 0.6,
    LookedUpAgain.name: 0.4,
}
#: Below this many replies of the agent there is nothing to look at: "not checkable", which is not "none found".
MIN_REPLIES = 10
#: A signal that fires less than this many times as often as without a boundary is not shown.
MIN_LIFT = 2.0
_LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})


@dataclass(frozen=True, slots=True)
class Harm:
    """What followed a boundary, as far as the log goes."""

    facts: Mapping[str, tuple[Evidence, ...]]  # by fact id, in order
    added: Mapping[str, tuple[Evidence, ...]]  # by id of the added statement
    compaction: tuple[Evidence, ...]  # what concerns no single fact
    checkable: bool  # False: too little followed to tell
    state: HarmState  # give it to the next call to look at new lines only


def find_harm(
    segment: Segment, findings: Sequence[Finding], added: Sequence[Added] = (), state: HarmState | None = None
) -> Harm:
    """Signs that a lost fact or an invented statement did harm.

    With the `state` of an earlier call on the same boundary and findings, only lines of the continuation after its
    position are read, so `segment.continuation` may hold those alone; the answer is the one a full run gives.
    """
    before = _before(segment, findings, added)
    begun = state or HarmState()
    ended = walk(_signals(before, begun.memory), begun, segment.continuation)
    rates = _base_rates(before, {hit.signal for hit in ended.hits})
    shown = [(hit, rate) for hit in ended.hits if (rate := _weighed(hit.signal, ended.hits, rates)) is not None]
    return Harm(
        facts=_grouped(shown, "fact:"),
        added=_grouped(shown, "added:"),
        compaction=tuple(_evidence(hit, rate) for hit, rate in shown if not hit.target),
        checkable=ended.replies >= MIN_REPLIES,
        state=ended,
    )


def _before(segment: Segment, findings: Sequence[Finding], added: Sequence[Added]) -> Before:
    lost = [finding.fact for finding in findings if finding.judgement.outcome in _LOST]
    known = [segment.summary, *(line.text for line in (*segment.kept, *segment.restored))]
    return Before(segment.dropped, lost, added, "\n".join(known))


def _signals(before: Before, memory: Mapping[str, Any]) -> list[Signal]:
    return [signal(before, dict(memory.get(signal.name, {}))) for signal in SIGNALS]


# --- the control: the same signals around a boundary that was none ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Base:
    """How often each signal fired in a stretch of `messages` of the same log, with everything still in context."""

    messages: int
    hits: Mapping[str, float]

    def rate(self, signal: str) -> float:
        """Per 100 messages."""
        return 100 * self.hits.get(signal, 0) / self.messages if self.messages else 0.0


def _base_rates(before: Before, wanted: Collection[str]) -> _Base:
    """Pretend a boundary halfway through what was dropped, over the facts known by then, and walk the second half.

    Only the `wanted` signals are asked: those that fired after the real boundary.

    Half of the facts have half of the occasions: counts are scaled to as many facts as the real boundary watches.
    """
    positions = sorted({line.position for line in before.lines})
    if not positions or not wanted:
        return _Base(0, {})
    middle = positions[len(positions) // 2]
    facts = [fact for fact in before.facts if fact.first < middle]
    pseudo = replace(before, lines=[line for line in before.lines if line.position < middle], facts=facts)
    signals = [signal(pseudo, {}) for signal in SIGNALS if signal.name in wanted]
    ended = walk(signals, HarmState(), [line for line in before.lines if line.position >= middle], before.tokens)
    scale = len(before.facts) / len(facts) if facts else 1.0
    counts = Counter(hit.signal for hit in ended.hits if not hit.target)
    scaled = Counter(hit.signal for hit in ended.hits if hit.target)
    return _Base(ended.messages, {name: counts[name] + scale * scaled[name] for name in counts | scaled})


def _weighed(signal: str, hits: Sequence[Hit], base: _Base) -> float | None:
    """The base rate of a signal per 100 messages; None when it fires hardly more often than without a boundary.

    Compared over as many messages as the control has: a fact is lost, found again, and done with; rates fall with time.
    """
    rate = base.rate(signal)
    early = sum(hit.signal == signal and hit.after <= base.messages for hit in hits)
    return rate if early >= MIN_LIFT * base.hits.get(signal, 0.0) else None


def _grouped(shown: Sequence[tuple[Hit, float]], prefix: str) -> dict[str, tuple[Evidence, ...]]:
    found: dict[str, list[Evidence]] = {}
    for hit, rate in shown:
        if hit.target.startswith(prefix):
            found.setdefault(hit.target.removeprefix(prefix), []).append(_evidence(hit, rate))
    return {target: tuple(evidence) for target, evidence in found.items()}


def _evidence(hit: Hit, rate: float) -> Evidence:
    return Evidence(hit.signal, hit.text, hit.messages, hit.position, hit.cost_tokens, round(rate, 3))
