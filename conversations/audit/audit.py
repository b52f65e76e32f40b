"""Audits one compaction: facts, what became of each, what was added, whether it hurt, and what to look at first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conversations.audit import ranking
from conversations.audit.added import find_added
from conversations.audit.background import Background, background_of
from conversations.audit.boundary import LOST, Boundaries, at_boundary
from conversations.audit.bounds import cut_texts, shortened
from conversations.audit.harm import SEVERITY, Harm, find_harm
from conversations.audit.judge import Reading
from conversations.audit.model import Added, Audit, Evidence, Finding, Retention, Segment
from conversations.audit.passages import PassageIndex
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, SummaryState

__all__ = ["AUDITOR_VERSION", "LOST", "Known", "audit_segment", "is_cut", "is_readable", "judge_segment"]

AUDITOR_VERSION = "7"
#: Losses that are reported and watched for harm, the highest ranked: nobody reads further, and time is bounded.
#: Retention counts all of them.
WATCHED = 150
#: A sign of harm lifts a loss only by what its severity exceeds this. MEASURED on the hand labels: losses that were
#: merely looked up again (severity .4) are important as often as others (22 % against 20 %).
MERE = 0.4


@dataclass(frozen=True, slots=True)
class Known:
    """Losses by rank, the facts that are no loss, and what ranking knew."""

    lost: list[Finding]
    others: Sequence[Finding]
    retention: Retention
    index: PassageIndex
    ground: Background


def audit_segment(segment: Segment, told: Reading | None = None, boundaries: Boundaries | None = None) -> Audit:
    """What became of everything that was known before one compaction. `told`: what a language model said of it, which
    adds facts and goes before the rules' own judgements. `boundaries`: those looked at before, so that an audit made
    again for what followed judges no fact again; it says what it would say without.

    Without a readable summary nothing is claimed to be lost: the audit then has no findings, and retention is unknown.
    """
    whole, segment = segment, shortened(segment)
    known = judge_segment(segment, told, boundaries) if is_readable(segment) else None
    added = find_added(segment)
    harm = find_harm(segment, known.lost[:WATCHED] if known else [], added)
    findings = _ordered(known, harm) if known else []
    retention = known.retention if known else Retention(None, None, None, 0)
    cut = cut_texts(whole, segment)
    return Audit(whole, tuple(findings), _marked(added, harm), retention, harm.checkable, AUDITOR_VERSION, cut)


def is_readable(segment: Segment) -> bool:
    """Whether loss can be told at all: a summary in plain text, or none for sure, of messages that are in the data."""
    told = segment.summary_state is SummaryState.TEXT or is_cut(segment)
    return told and segment.kind not in CLEARING_KINDS and bool(segment.dropped)


def is_cut(segment: Segment) -> bool:
    """Whether messages were taken away and nothing put in their place: known is what stands in those that stayed."""
    return segment.kind is CompactionKind.TRUNCATION and segment.summary_state is SummaryState.ABSENT


def judge_segment(segment: Segment, told: Reading | None = None, boundaries: Boundaries | None = None) -> Known:
    """Every fact with what became of it, before harm and variety have their say."""
    index = PassageIndex.of(segment)
    told = told or Reading()
    here = boundaries.at(segment, told, index) if boundaries else at_boundary(segment, told, index)
    ground = background_of(segment, here.facts, index)
    return Known(_ranked(here.lost, index, ground), here.others, here.retention, index, ground)


def _ranked(lost: Sequence[Finding], index: PassageIndex, ground: Background) -> list[Finding]:
    """Losses with their rank and its parts, highest first."""
    findings = []
    for finding in lost:
        rank, parts = ranking.score(ranking.features(finding.fact, finding.judgement, index, ground))
        findings.append(replace(finding, rank=rank, rank_parts=parts))
    return sorted(findings, key=lambda f: (-f.rank, f.fact.id))


def _ordered(known: Known, harm: Harm) -> list[Finding]:
    """Best first: losses in the order in which they are worth a person's time, then everything else."""
    hurt = [_with_harm(finding, harm.facts.get(finding.fact.id, ())) for finding in known.lost[:WATCHED]]
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
