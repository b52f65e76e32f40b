"""Reads for pages: each starts at the workspace, takes a constant number of queries and leaves long texts alone."""

import json
import re
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from conversations.models import Batch, BatchProblem, Compaction, Conversation, Message, Request, Workspace
from conversations.models.compaction import CompactionQuerySet
from conversations.models.prepared import Prepared
from conversations.search import abandoned_before, in_context_after
from conversations.vocabulary import BatchState, Origin
from conversations.web.timeline import Point

#: Characters. The blocks of larger messages are not read for lists: 50 of 1 MB would be 50 MB a page.
LARGE_MESSAGE = 65_536
RECENT_BATCHES = 500


# --- conversations ----------------------------------------------------------------------------------------------------


def conversations_of(workspace: Workspace) -> QuerySet[Conversation]:
    """Without the search vector, which nobody reads."""
    return Conversation.objects.filter(workspace=workspace).select_related("agent").defer("search")


def listed_conversations(workspace: Workspace) -> QuerySet[Conversation]:
    """What a table shows of each, half its columns, hence half the time of reading 50; `line`: the saw-tooth, JSON."""
    fields = ("workspace", "source", "external_id", "title", "complete", "last_at", "model_names", "request_count",
              "compaction_count", "tokens_now", "tags", "agent__name", "agent__version")  # fmt: skip
    rows = Conversation.objects.filter(workspace=workspace).select_related("agent").only(*fields)
    return rows.annotate(line=Cast("sparkline", TextField()))


def children_of(conversation: Conversation) -> QuerySet[Conversation]:
    """What it delegated: conversations that name it as their parent."""
    rows = conversations_of(conversation.workspace)
    return rows.filter(source=conversation.source, parent_external_id=conversation.external_id).order_by(
        "last_at", "id"
    )


def parent_of(conversation: Conversation) -> Conversation | None:
    """Who delegated it; None when it has none or that has not arrived."""
    if not conversation.parent_external_id:
        return None
    rows = conversations_of(conversation.workspace)
    return rows.filter(source=conversation.source, external_id=conversation.parent_external_id).first()


# --- the timeline -----------------------------------------------------------------------------------------------------


def points_of(conversation: Conversation, *, times: bool = False, cache: bool = False) -> list[Point]:
    """The turns whose context is known, in order. Reading a time costs five times as much as reading a number."""
    rows = Request.objects.filter(
        workspace=conversation.workspace_id, conversation=conversation, purpose="turn", context_tokens__isnull=False
    ).order_by("position", "id")
    nothing = Value(None, BigIntegerField())
    fields: list[Any] = ["position", "context_tokens", "at" if times else Value(None, DateTimeField())]
    fields += ["cache_read_tokens", "cache_write_tokens"] if cache else [nothing, nothing]
    return [Point(*row) for row in rows.values_list(*fields, "output_tokens")]


def has_cache_counts() -> Exists:
    """Whether any call of a conversation read from a cache: without, the figure of it would be flat."""
    rows = Request.objects.filter(workspace=OuterRef("workspace"), conversation=OuterRef("pk"))
    return Exists(rows.filter(cache_read_tokens__gt=0))


# --- messages ---------------------------------------------------------------------------------------------------------


def light(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Messages for a list: `shown_blocks` are the blocks, None where too large: then `excerpt` stands in."""
    small = When(size__lte=LARGE_MESSAGE, then=F("blocks"))
    return rows.defer("blocks", "content_hash").annotate(
        shown_blocks=Case(small, default=None, output_field=JSONField(null=True))
    )


def messages_of(conversation: Conversation) -> QuerySet[Message]:
    """All of them, light."""
    return light(Message.objects.filter(workspace=conversation.workspace_id, conversation=conversation))


def position_before(message: Message) -> int | None:
    """Where the message before this one stands; None for the first."""
    earlier = Message.objects.filter(
        workspace=message.workspace_id, conversation=message.conversation_id, position__lt=message.position
    )
    return earlier.order_by("-position").values_list("position", flat=True).first()


def saying(query: str) -> Q:
    """Messages with these words in any text, tool name or input, whatever the case; not in ids and types.

    Reading 20,000 messages as JSON takes seconds, and most can be told apart by their bytes. But only where words and
    their JSON are the same: a quotation mark or "é" may be written in several ways.
    """
    exact = Q(_says(query))
    return Q(_holds(query)) & exact if re.fullmatch(r"[ !#-\[\]-~]+", query) else exact


def _says(query: str) -> Func:
    words = json.dumps(query.replace("\0", ""), ensure_ascii=False)
    path = (
        '$[*].keyvalue() ? (@.key != "type" && @.key != "id").value.**'
        f' ? (@.type() == "string" && @ like_regex {words} flag "iq")'
    )
    template = "jsonb_path_exists(%(expressions)s::jsonpath)"
    return Func(Cast("blocks", JSONField()), Value(path), template=template, output_field=BooleanField())


def _holds(query: str) -> Func:
    pattern = "%" + re.sub(r"([%_])", r"\\\1", query) + "%"
    # Only ASCII comes here, for which the bytes' own order will do: a third of the time of reading Unicode.
    template, between = "(%(expressions)s)", '::text COLLATE "C" ILIKE '
    return Func(F("blocks"), Value(pattern), template=template, arg_joiner=between, output_field=BooleanField())


# --- compactions ------------------------------------------------------------------------------------------------------


def compactions_of(workspace: Workspace) -> CompactionQuerySet:
    """With their conversation and its agent, without what only one page reads."""
    rows = Compaction.objects.filter(workspace=workspace).select_related("conversation__agent")
    return rows.defer("raw", "dropped_ids", "kept_ids", "cleared_ids", "conversation__search")


#: What a table shows of a compaction and its audit.
_SHOWN = (
    "number", "position", "at", "kind", "trigger", "summary_state", "complete", "dropped_count",
    "tokens_before_observed", "tokens_before_reported", "tokens_after_observed", "tokens_after_reported",
    "audit__state", "audit__kept", "audit__altered", "audit__forgotten", "audit__added", "audit__harmful",
    "audit__retention", "audit__retention_low", "audit__retention_high", "audit__risk",
)  # fmt: skip


def listed_compactions(workspace: Workspace) -> CompactionQuerySet:
    """What a table shows of each, with its audit; without copies."""
    rows = Compaction.objects.originals().filter(workspace=workspace).select_related("conversation__agent", "audit")
    named = ("conversation__title", "conversation__external_id", "conversation__agent__name")
    return rows.only(*_SHOWN, *named, "conversation__agent__version")


def compactions_in(conversation: Conversation, most: int) -> list[Compaction]:
    """The last ones of a conversation in order, each with its audit; the conversation itself is not read again."""
    rows = Compaction.objects.filter(workspace=conversation.workspace_id, conversation=conversation)
    shown = rows.select_related("audit").only(*_SHOWN, "trigger_tokens", "conversation_id")
    found = list(shown.order_by("-position", "-id")[:most])[::-1]
    for compaction in found:
        compaction.conversation = conversation
    return found


def dropped_by(compaction: Compaction) -> QuerySet[Message]:
    """What it took out of the context."""
    return light(Message.objects.filter(workspace=compaction.workspace_id, dropped_by=compaction))


def kept_by(compaction: Compaction) -> QuerySet[Message]:
    """What stood before it and stayed."""
    return messages_of(compaction.conversation).filter(in_context_after(compaction))


def abandoned_by(compaction: Compaction) -> QuerySet[Message]:
    """What stood before it on another branch of the conversation."""
    return messages_of(compaction.conversation).filter(abandoned_before(compaction))


def restored_after(compaction: Compaction, until: int | None) -> QuerySet[Message]:
    """What the harness put back after it, up to the position of the next one."""
    rows = messages_of(compaction.conversation).filter(origin=Origin.RESTORED, position__gte=compaction.position)
    return rows if until is None else rows.filter(position__lt=until)


def neighbours(compaction: Compaction) -> tuple[Compaction | None, Compaction | None]:
    """The compaction before and the one after it in the same conversation: one query."""
    rows = _numbered(
        workspace=compaction.workspace_id,
        conversation=compaction.conversation_id,
        one=compaction.number - 1,
        other=compaction.number + 1,
    )
    by_number = {row.number: row for row in rows}
    return by_number.get(compaction.number - 1), by_number.get(compaction.number + 1)


@Prepared
def _numbered(workspace: int, conversation: int, one: int, other: int) -> QuerySet[Compaction]:
    rows = Compaction.objects.filter(workspace=workspace, conversation=conversation)
    return rows.filter(Q(number=one) | Q(number=other)).only("number", "position", "workspace", "conversation")


# --- batches ----------------------------------------------------------------------------------------------------------


def counts_since(workspace: Workspace, moment: datetime) -> dict[str, int]:
    """How many conversations were active, and how many compactions happened, since then; each at most 10,001."""
    conversations = Conversation.objects.filter(workspace=workspace, last_at__gte=moment)
    compactions = Compaction.objects.originals().filter(workspace=workspace, at__gte=moment)
    return {"conversations": conversations[:10_001].count(), "compactions": compactions[:10_001].count()}


def batches_of(workspace: Workspace) -> QuerySet[Batch]:
    """With `problem_count`, without the parser's state."""
    problems = BatchProblem.objects.filter(workspace=workspace, batch=OuterRef("pk")).order_by()
    counted = problems.values("batch").annotate(n=Count("*")).values("n")
    rows = Batch.objects.filter(workspace=workspace).defer("checkpoint")
    return rows.annotate(problem_count=Coalesce(Subquery(counted), 0))


def batches_with_problems(workspace: Workspace) -> QuerySet[Batch]:
    """Failed ones, and those with something not understood, among the last 500: quick among millions."""
    recent = Batch.objects.filter(workspace=workspace).order_by("-id").values("id")[:RECENT_BATCHES]
    problems = BatchProblem.objects.filter(workspace=workspace, batch=OuterRef("pk"))
    trouble = Q(state=BatchState.FAILED) | Q(Exists(problems))
    return batches_of(workspace).filter(trouble, pk__in=recent).order_by("-id")


def waiting_batches(workspace: Workspace) -> int:
    """How many are still to be digested."""
    return Batch.objects.pending().filter(workspace=workspace).count()
