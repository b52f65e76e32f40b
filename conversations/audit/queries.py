"""Rows → segments: what the auditor needs of one compaction, read from the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Count, Max, Q, QuerySet, Sum

from conversations.audit.model import (
    Audit,
    Author,
    Detail,
    Fact,
    FactKind,
    FactState,
    Importance,
    Judgement,
    Line,
    Retention,
    Segment,
    Span,
)
from conversations.audit.model import Finding as FindingValue
from conversations.audit.segment import lines_of
from conversations.ingest.events import Block, MessageEvent
from conversations.models import Compaction, CompactionAudit, Conversation, Finding, Message
from conversations.vocabulary import CompactionKind, Origin, Outcome, Role, SummaryState, abandoned_in

#: How much of what followed is read: harm after more messages than this cannot be told from ordinary work, and the
#: time of an audit stays bounded however long the conversation grows.
FOLLOWING_MESSAGES = 600
#: Messages whose text the auditor reads, of what one compaction dropped: 40 times the median of 226.
DROPPED_MESSAGES = 10_000

_FIELDS = ("id", "external_id", "position", "role", "origin", "blocks")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What stands before and after one compaction, as rows to be read."""

    compaction: Compaction

    def messages(self) -> QuerySet[Message]:
        """All of the conversation, in order."""
        compaction = self.compaction
        rows = Message.objects.filter(workspace=compaction.workspace_id, conversation=compaction.conversation_id)
        return rows.order_by("position", "id")

    def dropped(self) -> QuerySet[Message]:
        """What this compaction took out of the context."""
        return self.messages().filter(dropped_by=self.compaction)

    def kept(self) -> QuerySet[Message]:
        """What stood before it and stayed, without what had been left on another branch."""
        later = Q(dropped_by=None) | Q(dropped_by__position__gt=self.compaction.position)
        rows = self.messages().filter(later, position__lt=self.compaction.position)
        abandoned = abandoned_in(self.compaction.raw)
        return rows.exclude(external_id__in=abandoned) if abandoned else rows

    def earlier(self) -> QuerySet[Message]:
        """What compactions before this one took out of the context, the last first."""
        rows = self.messages().filter(position__lt=self.compaction.position, dropped_by__isnull=False)
        return rows.exclude(dropped_by=self.compaction).order_by("-position", "-id")

    def after(self) -> QuerySet[Message]:
        """What followed, the summary left out."""
        rows = self.messages().filter(position__gt=self.compaction.position)
        summary = self.compaction.summary_message_id
        return rows if summary is None else rows.exclude(pk=summary)

    def input_key(self) -> str:
        """Changes when what was dropped, or the summary, does. Of metadata only: one index scan."""
        seen = self.dropped().order_by().aggregate(n=Count("id"), size=Sum("size"), last=Max("id"))
        compaction = self.compaction
        dropped = f"{seen['n']}:{seen['size'] or 0}:{seen['last'] or 0}"
        return f"{dropped}:{compaction.summary_message_id}:{compaction.summary_state}"


def segment_of(compaction: Compaction, *, following: int = FOLLOWING_MESSAGES) -> Segment:
    """One compaction as the auditor sees it; at most `following` messages of what came afterwards."""
    stretch = Stretch(compaction)
    after = list(stretch.after().only(*_FIELDS)[:following])
    restored = {message.pk for message in _put_back(after)}
    conversation = compaction.conversation
    return Segment(
        boundary=compaction.external_id,
        number=compaction.number,
        kind=CompactionKind(compaction.kind),
        summary_state=SummaryState(compaction.summary_state),
        summary=summary_of(compaction),
        dropped=_lines(stretch.dropped().only(*_FIELDS)[:DROPPED_MESSAGES]),
        kept=_lines(stretch.kept().only(*_FIELDS)[:DROPPED_MESSAGES]),
        restored=_lines(message for message in after if message.pk in restored),
        continuation=_lines(message for message in after if message.pk not in restored),
        complete=compaction.complete and (conversation.complete or compaction.number > 1),
        cwd=conversation.cwd,
        earlier=lambda: _lines(stretch.earlier().only(*_FIELDS)[:DROPPED_MESSAGES]),
    )


def _put_back(after: Sequence[Message]) -> Iterable[Message]:
    """What the harness restored before the agent spoke again."""
    for message in after:
        if message.role == Role.ASSISTANT:
            return
        if message.origin == Origin.RESTORED:
            yield message


def summary_of(compaction: Compaction) -> str:
    """The text that the offsets of findings and additions point into; "" where it cannot be read."""
    if compaction.summary_state != SummaryState.TEXT or compaction.summary_message is None:
        return ""
    return "\n".join(line.text for line in _lines([compaction.summary_message]))


def _lines(messages: Iterable[Message]) -> list[Line]:
    return [line for message in messages for line in lines_of(event_of(message))]


def event_of(message: Message) -> MessageEvent:
    """The canonical event that the row was made from."""
    return MessageEvent(
        id=message.external_id,
        conversation="",
        role=Role(message.role),
        origin=Origin(message.origin),
        sequence=message.position,
        content=msgspec.convert(message.blocks, list[Block]),
    )


# --- what was found, as values again ----------------------------------------------------------------------------------


def stored_audit(compaction: Compaction) -> Audit:
    """The audit of one compaction out of the store, without what followed; for tracing life-lines."""
    audit: CompactionAudit = compaction.audit
    findings = tuple(finding_value(row) for row in compaction.findings.order_by("number"))
    retention = Retention(audit.retention, audit.retention_low, audit.retention_high, audit.facts)
    return Audit(segment_of(compaction, following=0), findings, (), retention, audit.harm_checkable, audit.version)


def finding_value(row: Finding) -> FindingValue:
    """The auditor's own value of a stored finding."""
    fact = Fact(
        id=row.fact_id,
        kind=FactKind(row.kind),
        text=row.parts.get("own", row.text),
        quote=row.quote,
        spans=tuple(Span(*span) for span in row.spans),
        author=Author(row.author),
        first=row.first,
        last=row.last,
        count=row.count,
        state=FactState(row.state),
        importance=Importance(row.importance),
    )
    judgement = Judgement(
        Outcome(row.outcome), Detail(row.detail), row.probability, row.summary_start, row.summary_end, row.detector,
        row.reason,
    )  # fmt: skip
    return FindingValue(fact, judgement, row.rank)


def compactions_to_audit(conversation: Conversation) -> list[Compaction]:
    """Its compactions in order, each with its audit where there is one."""
    rows = Compaction.objects.filter(workspace=conversation.workspace_id, conversation=conversation)
    return list(rows.select_related("audit", "summary_message", "conversation").order_by("position", "id"))


# --- what was found, for people and programs --------------------------------------------------------------------------


def with_messages(findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings of one compaction, each with `placed`: (span, message) for every place, best first; None for a
    message that is gone. One query. The messages have no blocks."""
    if not findings:
        return findings
    ids = {span[0] for finding in findings for span in finding.spans}
    first = findings[0]
    rows = Message.objects.filter(workspace=first.workspace_id, conversation=first.conversation_id, external_id__in=ids)
    by_id = {message.external_id: message for message in rows.only("id", "external_id", "position", "role", "origin")}
    for finding in findings:
        finding.placed = [(Span(*span), by_id.get(span[0])) for span in finding.spans]
    return findings


def counts_of(compaction: Compaction) -> dict[str, Any]:
    """As `report.counts`, from what is stored: by outcome, and by kind and outcome. One query."""
    found = Finding.objects.filter(workspace=compaction.workspace_id, compaction=compaction)
    rows = list(found.order_by().values_list("kind", "outcome").annotate(Count("id")))
    kinds: dict[str, dict[str, int]] = {}
    for kind, outcome, number in sorted(rows):
        kinds.setdefault(kind, {})[outcome] = number
    return {outcome.value: sum(n for _, o, n in rows if o == outcome) for outcome in Outcome} | {"kind": kinds}
