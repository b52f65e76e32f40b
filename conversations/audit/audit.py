"""Audits one compaction: facts, what became of each, what was added, whether it hurt, and what to look at first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conversations.audit import ranking
from conversations.audit.added import find_added
from conversations.audit.background import Background, background_of
from conversations.audit.bounds import cut_texts, shortened
from conversations.audit.context import in_context
from conversations.audit.facts import extract_drafts
from conversations.audit.harm import SEVERITY, Harm, find_harm
from conversations.audit.importance import weigh
from conversations.audit.join import Judged, join_neighbours
from conversations.audit.judge import Reading
from conversations.audit.matching import judge
from conversations.audit.merge import merge_drafts
from conversations.audit.model import (
    Added,
    Audit,
    Detail,
    Evidence,
    Fact,
    FactKind,
    FactState,
    Finding,
    Judgement,
    Retention,
    Segment,
)
from conversations.audit.passages import PassageIndex
from conversations.audit.replaced import with_replaced
from conversations.audit.retention import retention_of
from conversations.audit.told import with_facts
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, Outcome, SummaryState

AUDITOR_VERSION = "4"
LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})
#: Losses that are reported and watched for harm, the highest ranked: nobody reads further, and time is bounded.
#: Retention counts all of them.
WATCHED = 150
#: A sign of harm lifts a loss only by what its severity exceeds this. MEASURED on the hand labels: losses that were
#: merely looked up again (severity .4) are important as often as others (22 % against 20 %).
MERE = 0.4
#: P(known) of a command whose words stand in the summary, but not as a command.
ELSEWHERE = 0.2


@dataclass(frozen=True, slots=True)
class Known:
    """Losses by rank, the facts that are no loss, and what ranking knew."""

    lost: list[Finding]
    others: list[Finding]
    index: PassageIndex
    ground: Background


def audit_segment(segment: Segment, told: Reading | None = None) -> Audit:
    """What became of everything that was known before one compaction. `told`: what a language model said of it, which
    adds facts and goes before the rules' own judgements.

    Without a readable summary nothing is claimed to be lost: the audit then has no findings, and retention is unknown.
    """
    whole, segment = segment, shortened(segment)
    known = judge_segment(segment, told) if is_readable(segment) else None
    added = find_added(segment)
    retention = retention_of([*known.lost, *known.others]) if known else Retention(None, None, None, 0)
    known = replace(known, lost=known.lost[:WATCHED]) if known else None
    harm = find_harm(segment, known.lost if known else [], added)
    findings = _ordered(known, harm) if known else []
    cut = cut_texts(whole, segment)
    return Audit(whole, tuple(findings), _marked(added, harm), retention, harm.checkable, AUDITOR_VERSION, cut)


def is_readable(segment: Segment) -> bool:
    """Whether loss can be told at all: a summary in plain text, or none for sure, of messages that are in the data."""
    told = segment.summary_state is SummaryState.TEXT or is_cut(segment)
    return told and segment.kind not in CLEARING_KINDS and bool(segment.dropped)


def is_cut(segment: Segment) -> bool:
    """Whether messages were taken away and nothing put in their place: known is what stands in those that stayed."""
    return segment.kind is CompactionKind.TRUNCATION and segment.summary_state is SummaryState.ABSENT


def judge_segment(segment: Segment, told: Reading | None = None) -> Known:
    """Every fact with what became of it, before harm and variety have their say."""
    told = told or Reading()
    index = PassageIndex.of(segment)
    facts = with_facts(with_replaced(merge_drafts(extract_drafts(segment))), told.facts)
    ground = background_of(segment, facts, index)
    judged = [(fact, settle(fact, told.judgements.get(fact.id) or as_run(fact, judge(fact, index)))) for fact in facts]
    texts = {(line.message, line.block): line.text for line in segment.dropped}
    kept = [fact for fact, verdict in judged if verdict.outcome not in LOST]
    joined = join_neighbours([pair for pair in judged if pair[1].outcome in LOST], texts, kept)
    joined = [
        (fact, settle(fact, told.judgements.get(fact.id, verdict))) for fact, verdict in joined
    ]  # asked as a whole
    lost = [pair for pair in joined if pair[1].outcome in LOST]
    others = [pair for pair in (*judged, *joined) if pair[1].outcome not in LOST]
    ranked = [replace(f, fact=in_context(f.fact, texts)) for f in _ranked(lost, index, ground)]
    return Known(ranked, _unranked(others, ground), index, ground)


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


def _ranked(judged: Sequence[Judged], index: PassageIndex, ground: Background) -> list[Finding]:
    """Losses with their rank and its parts, highest first."""
    findings = []
    for fact, judgement in judged:
        rank, parts = ranking.score(ranking.features(fact, judgement, index, ground))
        findings.append(Finding(_weighed(fact, ground), judgement, rank, parts))
    return sorted(findings, key=lambda f: (-f.rank, f.fact.id))


def _unranked(judged: Sequence[Judged], ground: Background) -> list[Finding]:
    """Facts that are no loss, most important first; their rank is 0, below every loss."""
    findings = [Finding(_weighed(fact, ground), judgement, 0.0) for fact, judgement in judged]
    return sorted(findings, key=lambda f: (-f.fact.importance.value, f.fact.id))


def _weighed(fact: Fact, ground: Background) -> Fact:
    return weigh(fact, ground.place.get(fact.last, 0.0))


def _ordered(known: Known, harm: Harm) -> list[Finding]:
    """Best first: losses in the order in which they are worth a person's time, then everything else."""
    hurt = [_with_harm(finding, harm.facts.get(finding.fact.id, ())) for finding in known.lost]
    ordered = [*ranking.varied(hurt, known.ground), *known.others]
    once: dict[str, Finding] = {}  # the same words twice, far apart or joined of other parts, are one fact
    for finding in ordered:
        once.setdefault(finding.fact.id, finding)
    return list(once.values())


def _with_harm(finding: Finding, evidence: tuple[Evidence, ...]) -> Finding:
    """The finding with its evidence, lifted towards 1 by the severest sign."""
    if not evidence:
        return finding
    lift = (1 - finding.rank) * max(0.0, max(SEVERITY.get(sign.signal, 0.0) for sign in evidence) - MERE)
    parts = {**finding.rank_parts, "harm": round(lift, 3)} if lift else finding.rank_parts
    return replace(finding, evidence=evidence, rank=finding.rank + lift, rank_parts=parts)


def _marked(added: Sequence[Added], harm: Harm) -> tuple[Added, ...]:
    return tuple(replace(statement, evidence=harm.added.get(statement.id, ())) for statement in added)
