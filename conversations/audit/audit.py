"""Audits one compaction: facts, what became of each, what was added, whether it hurt, and what to look at first."""

from collections.abc import Sequence
from dataclasses import replace

from conversations.audit import ranking
from conversations.audit.added import find_added
from conversations.audit.background import Background, background_of
from conversations.audit.facts import extract_drafts
from conversations.audit.harm import find_harm
from conversations.audit.importance import weigh
from conversations.audit.join import Judged, join_neighbours
from conversations.audit.matching import judge
from conversations.audit.merge import merge_drafts
from conversations.audit.model import Audit, Detail, Evidence, Fact, FactState, Finding, Judgement, Retention, Segment
from conversations.audit.passages import PassageIndex
from conversations.audit.retention import retention_of
from conversations.vocabulary import CLEARING_KINDS, Outcome, SummaryState

AUDITOR_VERSION = "1"
LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})
#: A loss that led to harm goes before all others: it is known to matter.
HARM_RANK = 1.0


def audit_segment(segment: Segment) -> Audit:
    """What became of everything that was known before one compaction.

    Without a readable summary nothing is claimed to be lost: the audit then has no findings, and retention is unknown.
    """
    findings = _findings(segment) if is_readable(segment) else []
    added = find_added(segment)
    harm = find_harm(segment, findings, added)
    hurt = [_with_harm(finding, harm.facts.get(finding.fact.id, ())) for finding in findings]
    retention = retention_of(hurt) if findings else Retention(None, None, None, 0)
    marked = tuple(replace(statement, evidence=harm.added.get(statement.id, ())) for statement in added)
    return Audit(segment, tuple(_ordered(hurt)), marked, retention, harm.checkable, AUDITOR_VERSION)


def is_readable(segment: Segment) -> bool:
    """Whether loss can be told at all: a summary in plain text, of messages that are in the data."""
    return segment.summary_state is SummaryState.TEXT and segment.kind not in CLEARING_KINDS and bool(segment.dropped)


def _findings(segment: Segment) -> list[Finding]:
    index = PassageIndex.of(segment)
    facts = merge_drafts(extract_drafts(segment))
    ground = background_of(segment, facts, index)
    judged = [(fact, settle(fact, judge(fact, index))) for fact in facts]
    texts = {(line.message, line.block): line.text for line in segment.dropped}
    lost = join_neighbours([pair for pair in judged if pair[1].outcome in LOST], texts)
    others = [pair for pair in judged if pair[1].outcome not in LOST]
    return [*ranking.varied(_ranked(lost, index, ground), ground), *_plain(others, ground)]


def settle(fact: Fact, judgement: Judgement) -> Judgement:
    """What was finished or replaced before the boundary is no loss."""
    if judgement.outcome not in LOST or fact.state is FactState.OPEN:
        return judgement
    said = "It was finished" if fact.state is FactState.SETTLED else "It was replaced"
    return replace(
        judgement,
        outcome=Outcome.SUPERSEDED,
        detail=Detail.NONE,
        detector="settled",
        reason=f"{said} before the compaction.",
    )


def _ranked(judged: Sequence[Judged], index: PassageIndex, ground: Background) -> list[Finding]:
    """Losses with their rank and its parts."""
    findings = []
    for fact, judgement in judged:
        rank, parts = ranking.score(ranking.features(fact, judgement, index, ground))
        findings.append(Finding(_weighed(fact, ground), judgement, rank, parts))
    return findings


def _plain(judged: Sequence[Judged], ground: Background) -> list[Finding]:
    """Facts that are no loss, most important first; their rank is 0, below every loss."""
    findings = [Finding(_weighed(fact, ground), judgement, 0.0) for fact, judgement in judged]
    return sorted(findings, key=lambda f: (-f.fact.importance.value, f.fact.id))


def _weighed(fact: Fact, ground: Background) -> Fact:
    return weigh(fact, ground.place.get(fact.last, 0.0))


def _with_harm(finding: Finding, evidence: tuple[Evidence, ...]) -> Finding:
    if not evidence:
        return finding
    return replace(
        finding, evidence=evidence, rank=finding.rank + HARM_RANK, rank_parts={**finding.rank_parts, "harm": HARM_RANK}
    )


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Best first, losses before everything else; the sort is stable, so variety stays."""
    return sorted(findings, key=lambda f: (f.judgement.outcome not in LOST, -f.rank))
