"""Read the ledger: which entries hold for a compaction, what became of them, and what is still to be checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import Coalesce, JSONObject

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


@dataclass(frozen=True, slots=True)
class ToldCheck:
    """What became of an entry at the compaction it is told with."""

    entry: int
    name: str
    outcome: str
    detail: str
    reason: str
    passage: str


def with_checks(rows: "QuerySet[Compaction]") -> "QuerySet[Compaction]":
    """With what `checks_of` reads, of active entries; a copy with those of its original. It costs no query."""
    where = Coalesce(OuterRef("copy_of"), OuterRef("pk"))
    checks = LedgerCheck.objects.filter(workspace=OuterRef("workspace"), compaction=where, entry__retired_at=None)
    names = ("entry", "outcome", "detail", "reason", "passage")
    told = JSONObject(name="entry__name", **{name: name for name in names})
    return rows.annotate(told_checks=ArraySubquery(checks.order_by("entry").values(json=told)))


def checks_of(compaction: Compaction) -> list[ToldCheck]:
    """Of a row read `with_checks`, in the order of entries."""
    told: list[dict[str, Any]] = compaction.told_checks  # type: ignore[attr-defined] # annotated
    return [ToldCheck(**check) for check in told]


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
            WHERE c.workspace_id = %(workspace)s AND c.entry_id = e.id AND c.outcome = o.outcome
                AND c.compaction_id <> ALL(%(without)s) LIMIT %(most)s) n),
        l.at, l.compaction_id
    FROM unnest(%(ids)s::bigint[]) e(id) CROSS JOIN unnest(%(outcomes)s::text[]) o(outcome)
    LEFT JOIN LATERAL (
        SELECT c.at, c.compaction_id FROM conversations_ledgercheck c
        WHERE c.workspace_id = %(workspace)s AND c.entry_id = e.id AND c.outcome = o.outcome
            AND o.outcome = ANY(%(lost)s) AND c.compaction_id <> ALL(%(without)s)
        ORDER BY c.at DESC, c.id DESC LIMIT 1) l ON true
"""


def counts_of(workspace_id: int, ids: Iterable[int], without: Iterable[int] = ()) -> dict[int, Counts]:
    """By entry, but for the compactions `without`. One query."""
    wanted = list(ids)
    told: dict[str, Any] = {
        "workspace": workspace_id, "ids": wanted, "outcomes": list(LedgerOutcome), "lost": list(LOST),
        "most": COUNTED_AT_MOST + 1, "without": sorted(without),
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


def ledger_counts(without: Iterable[int] = ()) -> ArraySubquery:
    """To annotate conversations: checks of active entries by outcome, over all compactions but those `without`, as
    `counts_in` reads."""
    rows = LedgerCheck.objects.filter(
        workspace=OuterRef("workspace"), compaction__workspace=OuterRef("workspace"),
        compaction__conversation=OuterRef("pk"), entry__workspace=OuterRef("workspace"), entry__retired_at=None,
    )  # fmt: skip
    hidden = sorted(without)
    rows = rows.exclude(compaction__in=hidden) if hidden else rows
    numbers = rows.order_by().values("outcome").annotate(number=Count("id"))
    return ArraySubquery(numbers.values(json=JSONObject(outcome="outcome", number="number")))


def counts_in(told: Iterable[dict[str, Any]]) -> dict[str, int]:
    """By outcome."""
    return {each["outcome"]: each["number"] for each in told}
