"""Reads of findings for pages: one compaction's facts in order, their places, and the messages they point to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum

from conversations.audit.model import FactKind
from conversations.models import Addition, Compaction, CompactionAudit, Conversation, Finding, LifeLine, Message
from conversations.models.prepared import IsOneOf, Prepared
from conversations.review.veiling import NO_VEIL, Veil
from conversations.vocabulary import AuditState, Outcome
from conversations.web.marks import FactPlaces

#: Facts whose places are marked. The largest real compaction seen has 560.
MOST_PLACED = 2_000
#: Places of one fact that are linked.
MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class FactFilter:
    """What the facts column shows: one outcome, only what did harm, one kind. Unknown values are ignored."""

    outcome: str = ""
    harm: bool = False
    kind: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "FactFilter":
        """Of the query string."""
        outcome, kind = params.get("outcome", ""), params.get("kind", "")
        return cls(
            outcome if outcome in set(Outcome) else "", params.get("harm") == "1", kind if kind in set(FactKind) else ""
        )

    def __bool__(self) -> bool:
        return bool(self.outcome or self.harm or self.kind)

    def apply(self, rows: "QuerySet[Finding]") -> "QuerySet[Finding]":
        """The rows left."""
        wanted = Q(outcome=self.outcome) if self.outcome else Q()
        wanted &= Q(harmful=True) if self.harm else Q()
        return rows.filter(wanted & Q(kind=self.kind) if self.kind else wanted)


def audit_of(compaction: Compaction) -> CompactionAudit | None:
    """None: not yet. No query where the row was read with `select_related("audit")`."""
    return getattr(compaction, "audit", None)


def findings_of(compaction: Compaction) -> "QuerySet[Finding]":
    """All of one compaction, unordered."""
    return Finding.objects.filter(workspace=compaction.workspace_id, compaction=compaction)


def places_of(compaction: Compaction) -> list[FactPlaces]:
    """Where the facts stand, worst first; without their texts."""
    rows = _places(workspace=compaction.workspace_id, compaction=compaction.pk)
    return [
        FactPlaces(number, Outcome(outcome), kind, harmful, None if start is None else (start, end), spans)
        for number, outcome, kind, harmful, start, end, spans in rows
    ]


@Prepared
def _places(workspace: int, compaction: int) -> "QuerySet[Finding, Any]":
    fields = ("number", "outcome", "kind", "harmful", "summary_start", "summary_end", "spans")
    rows = Finding.objects.filter(workspace=workspace, compaction=compaction)
    return rows.order_by("number").values_list(*fields)[:MOST_PLACED]


def additions_of(compaction: Compaction) -> list[Addition]:
    """In the order of the summary; at most 100."""
    return list(_additions(workspace=compaction.workspace_id, compaction=compaction.pk))


@Prepared
def _additions(workspace: int, compaction: int) -> "QuerySet[Addition]":
    rows = Addition.objects.filter(workspace=workspace, compaction=compaction)
    return rows.order_by("summary_start", "id")[:100]


def messages_by_id(conversation: Conversation, external_ids: Iterable[str]) -> dict[str, Message]:
    """Messages that findings point to, without their blocks. One query, none for nothing."""
    wanted = set(external_ids)
    if not wanted:
        return {}
    rows = Message.objects.filter(
        workspace=conversation.workspace_id, conversation=conversation, external_id__in=wanted
    )
    fields = ("external_id", "position", "role", "origin", "at", "dropped_by_id", "conversation_id", "workspace_id")
    return {message.external_id: message for message in rows.only(*fields)}


def pointed_at(rows: Iterable[Finding | Addition]) -> set[str]:
    """External ids of the messages that show what was found: the best places, and the signs of harm."""
    found: set[str] = set()
    for row in rows:
        found.update(span[0] for span in getattr(row, "spans", [])[:MOST_PLACES])
        for sign in row.evidence:
            found.update(sign.get("messages") or ())
    return found


def kinds_of(places: Iterable[FactPlaces]) -> list[str]:
    """The kinds there are, for a filter."""
    return sorted({place.kind for place in places})


def numbers_of(lines: Iterable[LifeLine]) -> dict[tuple[int, str], tuple[int, int]]:
    """For links from life-lines: (compaction's number, fact's id) → (compaction's id, finding's number). One query."""
    rows = list(lines)
    if not rows:
        return {}
    facts = {stage["fact"] for row in rows for stage in row.stages if stage.get("fact")}
    found = Finding.objects.filter(
        workspace=rows[0].workspace_id, conversation=rows[0].conversation_id, fact_id__in=facts
    ).values_list("compaction__number", "fact_id", "compaction_id", "number")
    return {(number, fact): (compaction, finding) for number, fact, compaction, finding in found}


@dataclass(frozen=True, slots=True)
class Tally:
    """Findings of all audited compactions of one conversation, by outcome."""

    kept: int
    altered: int
    forgotten: int
    added: int
    harmful: int


def tallies_of(conversations: Iterable[Conversation], veil: Veil = NO_VEIL) -> dict[int, Tally]:
    """By conversation; those that nothing was audited of are missing. One query, none for nothing. What is behind the
    veil does not count."""
    rows = list(conversations)
    if not rows:
        return {}
    return {
        conversation: Tally(*counts)
        for conversation, *counts in _sums(
            workspace=rows[0].workspace_id, conversations=[row.pk for row in rows], veiled=sorted(veil)
        )
    }


@Prepared
def _sums(workspace: int, conversations: list[int], veiled: list[int]) -> "QuerySet[CompactionAudit, Any]":
    # Their workspace twice: the index of compactions by conversation begins with it.
    audits = CompactionAudit.objects.filter(
        IsOneOf("compaction__conversation", conversations),
        ~Q(IsOneOf("compaction", veiled)),
        workspace=workspace,
        compaction__workspace=workspace,
        state=AuditState.DONE,
    )
    names = ("kept", "altered", "forgotten", "added", "harmful")
    return audits.order_by().values_list("compaction__conversation").annotate(*map(Sum, names))
