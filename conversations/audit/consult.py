"""Asks a language model about one compaction: what the rules may have missed first, then what they are unsure of.

No database here: the cache and the record of calls are handed in, as in `llm`.
"""

from dataclasses import dataclass, replace

from conversations.audit import judge
from conversations.audit.audit import LOST, audit_segment, is_readable
from conversations.audit.judge import Reading
from conversations.audit.llm import Cache, LlmSettings, Recorder, StageResult, StageState, run_stage
from conversations.audit.model import Audit, Fact, Segment
from conversations.vocabulary import Outcome

#: Losses asked about, the highest ranked: what a person is shown first should be sure. Nobody reads further.
MOST_LOSSES = 60
#: Facts said to be kept are asked about below this probability, if their loss would matter.
SURE, MATTERS, MOST_KEPT = 0.75, 0.5, 40


@dataclass(frozen=True, slots=True)
class Consultation:
    """What is believed of the answers, how far the model came, and what it cost."""

    reading: Reading
    state: StageState
    reason: str
    calls: int
    cost_usd: float


def consult(segment: Segment, settings: LlmSettings, recorder: Recorder, cache: Cache) -> Consultation:
    """Both rounds, within the budget of the settings. Raises `BadInput` when the model has no price."""
    if not is_readable(segment) or not segment.summary:
        return Consultation(Reading(), StageState.OFF, "There is no summary that could be read.", 0, 0.0)
    found = run_stage(segment, (), settings, recorder, cache)
    if found.state not in (StageState.DONE, StageState.PARTIAL):
        return _together(found)
    audit = audit_segment(segment, found.reading)
    left = max(0.0, settings.usd_per_compaction - found.cost_usd)
    only_judge = replace(settings, extract=False, usd_per_compaction=left)
    return _together(found, run_stage(segment, unsure(audit), only_judge, recorder, cache))


def unsure(audit: Audit) -> list[Fact]:
    """Facts whose outcome should not rest on rules alone, in the order in which they stand in the audit."""
    lost = [finding.fact for finding in audit.findings if finding.judgement.outcome in LOST][:MOST_LOSSES]
    kept = [
        finding.fact
        for finding in audit.findings
        if finding.judgement.outcome is Outcome.KEPT
        and finding.judgement.probability < SURE
        and finding.fact.importance.value >= MATTERS
    ]
    return [*lost, *kept[:MOST_KEPT]]


def _together(*results: StageResult) -> Consultation:
    """One of both rounds. The last stands for how far it came, unless an earlier one had gaps."""
    last = results[-1]
    gaps = [result for result in results if result.state is not StageState.DONE]
    told = gaps[0] if gaps and last.state is StageState.DONE else last
    return Consultation(
        judge.merged([result.reading for result in results]),
        told.state,
        told.reason,
        sum(result.calls for result in results),
        sum(result.cost_usd for result in results),
    )
