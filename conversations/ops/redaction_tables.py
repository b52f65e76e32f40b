"""Where words of conversations are stored: which columns a redaction of what is stored goes through, in which order."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from conversations.models import (
    Addition,
    Batch,
    BatchProblem,
    BudgetEvent,
    Comment,
    Compaction,
    Conversation,
    Finding,
    Incident,
    IncidentEvent,
    LedgerCheck,
    LedgerEntry,
    LifeLine,
    Mark,
    Message,
    Notice,
    Review,
    Thread,
    Verdict,
    Workspace,
)
from conversations.ops.holds import held
from conversations.vocabulary import Redaction


@dataclass(frozen=True, slots=True)
class Table:
    """`texts` and `values` (JSON) are its columns, `quotes` those that are emptied, as what was cut somewhere may hold
    half a secret, `unseen` (JSON) those that nobody is shown. `conversation` leads from a row to the conversation whose
    words it holds; empty: to none. `versioned`: who writes in a row names the revision that they saw."""

    model: type[models.Model]
    texts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    conversation: str = ""
    quotes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    versioned: bool = False

    def rows(self, workspace: Workspace) -> QuerySet[Any]:
        """Those that may be changed: redacted for good, nothing of a conversation that a hold is on."""
        rows = self.model._default_manager.filter(workspace=workspace)  # noqa: SLF001 -- public by its docs
        if workspace.redaction != Redaction.INGEST:
            return rows
        if self.model is Batch:
            return rows.exclude(_holds_held_conversation(workspace))
        if not self.conversation:
            return rows
        kept = Conversation.objects.filter(held(workspace), workspace=workspace).values("pk")
        return rows.exclude(**{f"{self.conversation}__in": kept})


#: Conversations come last but two: from then on their titles say that everything else is done. Batches may lose bytes.
TABLES = (
    Table(Message, conversation="conversation"),
    Table(Compaction, ("instructions", "error"), ("raw",), "conversation"),
    Table(Finding, ("text", "quote", "reason"), ("evidence",), "conversation"),
    Table(Addition, ("text", "reason"), ("evidence",), "compaction__conversation"),
    Table(LifeLine, ("text",), ("stages",), "conversation"),
    Table(LedgerCheck, ("passage", "reason"), (), "conversation"),
    Table(Review, ("comment",), (), "compaction__conversation", versioned=True),
    Table(Verdict, ("text", "reworded"), (), "compaction__conversation"),
    Table(Mark, ("quote", "text"), (), "compaction__conversation"),
    Table(Thread, ("about",), (), "compaction__conversation"),
    Table(Comment, ("text",), (), "thread__compaction__conversation", versioned=True),
    Table(LedgerEntry, ("name", "text"), ("anchors",)),
    Table(BudgetEvent, ("message",)),
    Table(Incident, ("summary",), ("evidence",)),
    Table(IncidentEvent, ("text",), ("detail",)),
    Table(Notice, ("text",)),
    Table(Conversation, ("title", "cwd", "incomplete_reason"), (), "pk"),
    Table(BatchProblem, ("message",), quotes=("raw",)),
    Table(Batch, ("name", "error"), unseen=("checkpoint",)),
)


def _holds_held_conversation(workspace: Workspace) -> Q:
    """Of batches; of what was not understood nobody knows whose it is, so it stays while there is any hold."""
    kept = Conversation.objects.filter(held(workspace), workspace=workspace)
    names = list(kept.values_list("external_id", flat=True))
    if not names:
        return Q(pk__in=[])
    return Q(found__conversations__has_any_keys=names) | Q(found__conversations=None) | Q(found__conversations=[])
