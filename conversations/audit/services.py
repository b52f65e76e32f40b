"""Write what the auditor says: findings, added statements, life-lines. The same input twice changes nothing."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations.audit.asking import ask, reading_of
from conversations.audit.audit import AUDITOR_VERSION, audit_segment, is_readable
from conversations.audit.beside import shown
from conversations.audit.boundary import Boundaries
from conversations.audit.keeping import Shelf
from conversations.audit.learned_services import put_in_order, risk_of
from conversations.audit.ledger_services import check_at_audit
from conversations.audit.lifelines import LifeLine as LifeLineValue
from conversations.audit.lifelines import Stage, trace_lifelines
from conversations.audit.matching import judge
from conversations.audit.model import Added, Audit, Fact, Judgement, Segment
from conversations.audit.model import Finding as FindingValue
from conversations.audit.passages import PassageIndex
from conversations.audit.queries import FOLLOWING_MESSAGES, Stretch, compactions_to_audit, segment_of, stored_audit
from conversations.models import Addition, Compaction, CompactionAudit, Conversation, Finding, LifeLine, Workspace
from conversations.vocabulary import AuditState, CompactionKind, Outcome

log = logging.getLogger(__name__)

#: An audit is made again when what followed has grown by half and by these many messages: the work over the life of a
#: conversation then stays linear in its length. A smaller growth is looked at once it has waited for `WAIT`.
GROWN = 1.5
GROWN_MESSAGES = 20
WAIT = timedelta(seconds=60)
#: Life-lines are traced over the last generations only: each needs its dropped text again.
GENERATIONS = 30
LOST = (Outcome.FORGOTTEN, Outcome.ALTERED)
#: Of this process: conversations that go on are audited again and again, mostly by the same worker.
_BOUNDARIES = Boundaries()


def audit_conversation(conversation: Conversation, *, settled: bool = False) -> int:
    """Audit every compaction that has not been, or whose ground has changed. Returns how many were audited.

    `settled`: it has waited long enough, so a continuation that grew at all is looked at.
    """
    done, grown = 0, False
    for compaction in compactions_to_audit(conversation):
        stretch = Stretch(compaction)
        key, following = stretch.input_key(), stretch.after()[:FOLLOWING_MESSAGES].count()
        audit = getattr(compaction, "audit", None)
        if audit is not None and not settled and _is_growing(compaction, audit):
            grown = True
            continue
        if audit is not None and is_current(audit, key, following, settled=settled):
            grown = grown or following > audit.seen_messages
            continue
        audit_compaction(compaction, input_key=key, following=following)
        done += 1
    if done:
        write_life_lines(conversation)
    _look_again(conversation, grown=grown)
    return done


def _look_again(conversation: Conversation, *, grown: bool) -> None:
    """Note when the beat should come back: never later than first noted, never where nothing grew."""
    due = (conversation.audit_due_at or timezone.now() + WAIT) if grown else None
    Conversation.objects.filter(pk=conversation.pk).exclude(audit_due_at=due).update(audit_due_at=due)


def is_current(audit: CompactionAudit, key: str, following: int, *, settled: bool) -> bool:
    """Whether the stored audit still says what a new one would, or nearly so."""
    if audit.version != AUDITOR_VERSION or audit.input_key != key:
        return False
    if settled or following == FOLLOWING_MESSAGES:
        return audit.seen_messages >= following
    return following < max(audit.seen_messages * GROWN, audit.seen_messages + GROWN_MESSAGES)


def _is_growing(compaction: Compaction, audit: CompactionAudit) -> bool:
    """Whether it takes in the losses of a window that slides: a loss with every request needs no audit with each."""
    again = isinstance(compaction.raw, dict) and "losses" in compaction.raw
    return again and compaction.kind == CompactionKind.TRUNCATION and audit.version == AUDITOR_VERSION


def audit_compaction(compaction: Compaction, *, input_key: str, following: int) -> CompactionAudit:
    """Audit one compaction, with what a model has said of this input, and store what is found; a failure is stored too,
    and told."""
    begun, shelf = time.monotonic(), Shelf(compaction)
    try:
        segment = segment_of(compaction)
        check_at_audit(compaction, segment)  # what the team wants to survive comes first
        audit = audit_segment(segment, reading_of(compaction, input_key), _BOUNDARIES.beside(shelf))
    except Exception:
        log.exception("audit_failed compaction=%s version=%s", compaction.pk, AUDITOR_VERSION)
        return _store_failure(compaction, input_key, following)
    spent = round(1000 * (time.monotonic() - begun))
    with transaction.atomic():
        # One writer at a time: two audits of the same compaction would lock its findings in each other's way.
        Compaction.objects.select_for_update(no_key=True).only("pk").get(pk=compaction.pk)
        shelf.store(goes_on=following < FOLLOWING_MESSAGES)
        return _store(compaction, audit, input_key=input_key, seen_messages=following, duration_ms=spent)


def ask_model(compaction_id: int) -> bool:
    """Ask the language model about one compaction, where that is due, and audit it again with what it said."""
    compaction = ask(compaction_id)
    if compaction is None:
        return False
    stretch = Stretch(compaction)
    following = stretch.after()[:FOLLOWING_MESSAGES].count()
    audit_compaction(compaction, input_key=stretch.input_key(), following=following)
    write_life_lines(compaction.conversation)
    return True


def _store_failure(compaction: Compaction, input_key: str, following: int) -> CompactionAudit:
    """Earlier findings stay: they were true of what was there then."""
    values = {
        "state": AuditState.FAILED,
        "version": AUDITOR_VERSION,
        "input_key": input_key,
        "seen_messages": following,
        "error": "The auditor failed on this compaction; the server's log says where.",
    }
    return _upsert(compaction, values)


def _upsert(compaction: Compaction, values: dict[str, Any]) -> CompactionAudit:
    row, _ = CompactionAudit.objects.update_or_create(
        workspace_id=compaction.workspace_id, compaction=compaction, defaults=values
    )
    return row


def _store(compaction: Compaction, audit: Audit, **about: Any) -> CompactionAudit:
    risk = _write_findings(compaction, audit.findings)
    _write_additions(compaction, audit.added)
    state = AuditState.DONE if is_readable(audit.segment) else AuditState.UNREADABLE
    return _upsert(
        compaction, {"state": state, "version": audit.version, "error": "", **about, **figures(audit), "risk": risk}
    )


def figures(audit: Audit) -> dict[str, Any]:
    """The columns of lists, as shipped: the team's ranking may give another `risk`."""
    lost = [finding for finding in audit.findings if finding.judgement.outcome in LOST]
    return {
        "retention": audit.retention.value,
        "retention_low": audit.retention.low,
        "retention_high": audit.retention.high,
        "facts": len(audit.findings),
        "kept": _count(audit, Outcome.KEPT),
        "altered": _count(audit, Outcome.ALTERED),
        "forgotten": _count(audit, Outcome.FORGOTTEN),
        "added": len(audit.added),
        "harmful": sum(bool(finding.evidence) for finding in lost),
        "open_losses": sum(finding.fact.is_pending for finding in lost),
        "risk": risk_of(finding.rank for finding in lost),
        "harm_checkable": audit.harm_checkable,
    }


def _count(audit: Audit, outcome: Outcome) -> int:
    return sum(finding.judgement.outcome is outcome for finding in audit.findings)


def _write_findings(compaction: Compaction, findings: Sequence[FindingValue]) -> float:
    """Rows keep their ids from audit to audit, so that what people say about them stays attached. Returns the risk."""
    rows = [_finding_row(compaction, number, finding) for number, finding in enumerate(findings, 1)]
    risk = put_in_order(compaction.workspace_id, rows)
    keep = [row.fact_id for row in rows]
    compaction.findings.exclude(fact_id__in=keep).delete()
    updated = [f.name for f in Finding._meta.concrete_fields if f.name not in _IDENTITY]  # noqa: SLF001 -- Django's own way
    Finding.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["workspace", "compaction", "fact_id"],
        update_fields=updated,
    )
    return risk


_IDENTITY = {"id", "workspace", "conversation", "compaction", "fact_id"}


def _finding_row(compaction: Compaction, number: int, finding: FindingValue) -> Finding:
    fact, judgement = finding.fact, finding.judgement
    return Finding(
        workspace_id=compaction.workspace_id,
        conversation_id=compaction.conversation_id,
        compaction=compaction,
        fact_id=fact.id,
        number=number,
        kind=fact.kind,
        text=shown(finding),
        quote=fact.quote,
        author=fact.author,
        state=fact.state,
        spans=[[span.message, span.block, span.start, span.end] for span in fact.spans],
        first=fact.first,
        last=fact.last,
        count=fact.count,
        importance=fact.importance.value,
        outcome=judgement.outcome,
        detail=judgement.detail,
        probability=judgement.probability,
        summary_start=judgement.start,
        summary_end=judgement.end,
        detector=judgement.detector,
        reason=judgement.reason,
        rank=finding.rank,
        parts={"importance": fact.importance.parts, "rank": finding.rank_parts, **_own(finding)},
        evidence=[asdict(evidence) for evidence in finding.evidence],
        harmful=bool(finding.evidence),
    )


def _own(finding: FindingValue) -> dict[str, str]:
    """The fact's own sentence, where the one that is shown speaks for others too: life-lines follow the fact alone."""
    return {"own": finding.fact.text} if finding.beside else {}


def _write_additions(compaction: Compaction, added: Sequence[Added]) -> None:
    compaction.additions.exclude(fact_id__in=[statement.id for statement in added]).delete()
    Addition.objects.bulk_create(
        [_addition_row(compaction, statement) for statement in added],
        update_conflicts=True,
        unique_fields=["workspace", "compaction", "fact_id"],
        update_fields=["kind", "text", "summary_start", "summary_end", "probability", "reason", "evidence"],
    )


def _addition_row(compaction: Compaction, statement: Added) -> Addition:
    return Addition(
        workspace_id=compaction.workspace_id,
        compaction=compaction,
        fact_id=statement.id,
        kind=statement.kind,
        text=statement.text,
        summary_start=statement.start,
        summary_end=statement.end,
        probability=statement.probability,
        reason=statement.reason,
        evidence=[asdict(evidence) for evidence in statement.evidence],
    )


# --- life-lines -------------------------------------------------------------------------------------------------------


def write_life_lines(conversation: Conversation) -> None:
    """Trace every fact over the generations anew, from what is stored."""
    audited = [c for c in compactions_to_audit(conversation) if _is_audited(c)][-GENERATIONS:]
    audits = [stored_audit(compaction) for compaction in audited]
    harmful = set(
        Finding.objects.filter(compaction__in=audited, harmful=True).values_list("compaction__number", "fact_id")
    )
    importance = {finding.fact.id: finding.fact.importance.value for audit in audits for finding in audit.findings}
    lines = trace_lifelines(audits, _ByWords())
    rows = [_life_line_row(conversation, line, importance, harmful) for line in lines]
    with transaction.atomic():
        conversation.life_lines.all().delete()
        LifeLine.objects.bulk_create(rows, batch_size=500)


def _is_audited(compaction: Compaction) -> bool:
    audit = getattr(compaction, "audit", None)
    return audit is not None and audit.state == AuditState.DONE


class _ByWords:
    """Judges a fact by its earlier words. Facts come segment by segment, so one index at a time is enough."""

    def __init__(self) -> None:
        self._boundary: str | None = None
        self._index: PassageIndex | None = None

    def __call__(self, fact: Fact, segment: Segment) -> Judgement:
        if self._index is None or segment.boundary != self._boundary:
            self._boundary, self._index = segment.boundary, PassageIndex.of(segment)
        return judge(fact, self._index)


def _life_line_row(
    conversation: Conversation, line: LifeLineValue, importance: dict[str, float], harmful: set[tuple[int, str]]
) -> LifeLine:
    return LifeLine(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        fact_id=line.id,
        kind=line.kind,
        text=line.text,
        born=line.born,
        born_before=line.born_before,
        died_at=line.died_at,
        generations_kept=line.generations_kept,
        importance=max((importance.get(stage.fact, 0.0) for stage in line.stages), default=0.0),
        stages=[_stage_json(stage, harmful) for stage in line.stages],
    )


def _stage_json(stage: Stage, harmful: set[tuple[int, str]]) -> dict[str, Any]:
    return {
        "number": stage.number,
        "outcome": stage.judgement.outcome,
        "detail": stage.judgement.detail,
        "fact": stage.fact,
        "came_back": stage.came_back,
        "came_back_at": stage.came_back_at,
        "followed": stage.followed,
        "harmful": (stage.number, stage.fact) in harmful,
    }


# --- what is to be audited --------------------------------------------------------------------------------------------


def stale_conversations(workspace: Workspace | None = None) -> list[int]:
    """Ids of conversations with a compaction that no audit, or an older auditor, has looked at; newest first."""
    stale = Compaction.objects.exclude(audit__version=AUDITOR_VERSION)
    ours = stale.filter(workspace=workspace) if workspace else stale
    return list(ours.order_by("-conversation_id").values_list("conversation_id", flat=True).distinct())


def due_conversations(*, limit: int = 200) -> list[int]:
    """Ids of conversations that have grown since their audit and have waited long enough."""
    due = Conversation.objects.filter(audit_due_at__lte=timezone.now()).order_by("audit_due_at")
    return list(due.values_list("id", flat=True)[:limit])
