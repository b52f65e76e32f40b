"""Read the ledger: which entries hold for a compaction, what became of them, and what is still to be checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet

from conversations.audit.ledger import Entry
from conversations.audit.model import FactKind
from conversations.models import Compaction, Conversation, LedgerCheck, LedgerEntry
from conversations.vocabulary import LedgerOutcome, SummaryState

#: Left in the context by a compaction, be it altered.
STANDS = (LedgerOutcome.KEPT, LedgerOutcome.ALTERED)
LOST = (LedgerOutcome.ALTERED, LedgerOutcome.FORGOTTEN)
#: Checks of one entry and outcome that are counted; of more, "1,000+" is said.
COUNTED_AT_MOST = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_value(entry: LedgerEntry) -> Entry:
    """A stored entry, as the auditor takes it."""
    return Entry(entry.pk or 0, FactKind(entry.kind), entry.text, tuple(entry.anchors))


def entries_for(compaction: Compaction) -> list[LedgerEntry]:
    """The active entries that hold for its agent, in order. One query where there are none, else two."""
    active = LedgerEntry.objects.active().filter(workspace=compaction.workspace_id)
    entries = list(active.order_by("id"))
    if not entries:
        return []
    agent = compaction.conversation.agent
    name, version = (agent.name, agent.version) if agent else ("", "")
    return [each for each in entries if each.agent_name in ("", name) and each.agent_version in ("", version)]


def known_before(compaction: Compaction, entries: Sequence[LedgerEntry]) -> set[int]:
    """Ids of the entries that the compaction before it left in the context. A failed one in between changed nothing."""
    earlier = Compaction.objects.filter(
        workspace=compaction.workspace_id, conversation=compaction.conversation_id, position__lt=compaction.position
    ).exclude(summary_state=SummaryState.FAILED)
    last = earlier.order_by("-position", "-id").values_list("id", "copy_of").first()
    if last is None:
        return set()
    rows = LedgerCheck.objects.filter(
        workspace=compaction.workspace_id, compaction=last[1] or last[0], outcome__in=STANDS, entry__in=entries
    )
    return set(rows.values_list("entry", flat=True))


def conversations_in(entry: LedgerEntry) -> QuerySet[Conversation]:
    """The compacted conversations that an entry holds for."""
    rows = Conversation.objects.filter(workspace=entry.workspace_id, compaction_count__gt=0)
    if not entry.agent_name:
        return rows
    named = rows.filter(agent__name=entry.agent_name)
    return named.filter(agent__version=entry.agent_version) if entry.agent_version else named


def compactions_in(entry: LedgerEntry) -> QuerySet[Compaction]:
    """The compactions that an entry holds for, each once."""
    rows = Compaction.objects.originals().filter(workspace=entry.workspace_id)
    if not entry.agent_name:
        return rows
    named = rows.filter(conversation__agent__name=entry.agent_name)
    return named.filter(conversation__agent__version=entry.agent_version) if entry.agent_version else named


def newest_compactions(entry: LedgerEntry, most: int) -> list[Compaction]:
    """Those that a preview looks at. One query."""
    rows = compactions_in(entry).exclude(summary_state=SummaryState.FAILED).order_by("-at", "-id")
    return list(rows.select_related("conversation", "summary_message")[:most])


def next_conversation(entry: LedgerEntry) -> Conversation | None:
    """The newest one whose past has not been checked yet."""
    rows = conversations_in(entry)
    rows = rows if entry.past_below is None else rows.filter(pk__lt=entry.past_below)
    return rows.order_by("-pk").first()


# --- what became of entries -------------------------------------------------------------------------------------------


def checks_of(compaction: Compaction) -> QuerySet[LedgerCheck]:
    """Of a compaction, or of the one it is a copy of: what was lost first. Retired entries are left out."""
    rows = LedgerCheck.objects.filter(
        workspace=compaction.workspace_id, compaction=compaction.copy_of_id or compaction.pk, entry__retired_at=None
    )
    return rows.select_related("entry")


@dataclass(frozen=True, slots=True)
class Counts:
    """How often an entry had each outcome, each at most COUNTED_AT_MOST + 1; and when it was lost last."""

    kept: int = 0
    altered: int = 0
    forgotten: int = 0
    unverifiable: int = 0
    not_in_context: int = 0
    last_loss_at: datetime | None = None
    last_loss: int | None = None  # the compaction

    @property
    def checked(self) -> int:
        """At how many compactions it could be told."""
        return self.kept + self.altered + self.forgotten


#: By the index ledger_check_by_outcome alone: a count ends where people stop reading.
_COUNTS = """
    SELECT e.id, o.outcome, (
        SELECT count(*) FROM (
            SELECT 1 FROM conversations_ledgercheck c
            WHERE c.workspace_id = %(workspace)s AND c.entry_id = e.id AND c.outcome = o.outcome LIMIT %(most)s) n),
        l.at, l.compaction_id
    FROM unnest(%(ids)s::bigint[]) e(id) CROSS JOIN unnest(%(outcomes)s::text[]) o(outcome)
    LEFT JOIN LATERAL (
        SELECT c.at, c.compaction_id FROM conversations_ledgercheck c
        WHERE c.workspace_id = %(workspace)s AND c.entry_id = e.id AND c.outcome = o.outcome
            AND o.outcome = ANY(%(lost)s)
        ORDER BY c.at DESC, c.id DESC LIMIT 1) l ON true
"""


def counts_of(workspace_id: int, ids: Iterable[int]) -> dict[int, Counts]:
    """By entry. One query."""
    wanted = list(ids)
    told: dict[str, Any] = {
        "workspace": workspace_id, "ids": wanted, "outcomes": list(LedgerOutcome), "lost": list(LOST),
        "most": COUNTED_AT_MOST + 1,
    }  # fmt: skip
    found: dict[int, dict[str, Any]] = {pk: {} for pk in wanted}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, told)
        for pk, outcome, number, at, compaction in cursor.fetchall():
            entry = found[pk]
            entry[outcome] = number
            if at and at > entry.get("last_loss_at", _EPOCH):
                entry |= {"last_loss_at": at, "last_loss": compaction}
    return {pk: Counts(**entry) for pk, entry in found.items()}


def conversation_counts(conversation: Conversation) -> dict[str, int]:
    """Checks of active entries by outcome, over all compactions of a conversation; in the order of outcomes. One
    query."""
    rows = LedgerCheck.objects.filter(
        workspace=conversation.workspace_id, compaction__workspace=conversation.workspace_id,
        compaction__conversation=conversation, entry__workspace=conversation.workspace_id, entry__retired_at=None,
    )  # fmt: skip
    numbers = dict(rows.order_by().values_list("outcome").annotate(Count("id")))
    return {outcome.value: numbers[outcome] for outcome in LedgerOutcome if outcome in numbers}
