"""What is kept for how long: bytes as they came and conversations, by workspace and agent; and deleting the rest.

A hold stops everything that concerns it. A batch of several agents is kept as long as the one that keeps longest.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from conversations.ingest.forgetting import forget
from conversations.models import Conversation, Hold, Workspace
from conversations.ops.holds import held
from conversations.people.activity import record_activity
from conversations.vocabulary import BatchState

log = logging.getLogger(__name__)

#: Batches a transaction: their pieces may be 4 MB each, and a long delete would hold up the digestion of new ones.
_AT_ONCE = 50
#: Conversations a transaction: one may have 100,000 messages, which are deleted by Postgres alone.
CONVERSATIONS_AT_ONCE = 10
#: Bytes that could not be digested, or of which something was not understood, are what a mended parser is for.
_LONGER = 4


@dataclass(frozen=True, slots=True)
class Days:
    """How long something is kept; None = until it is deleted."""

    raw: int
    conversations: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The days of a workspace, and of the agents (in any version) that have days of their own."""

    default: Days
    agents: Mapping[str, Days] = field(default_factory=dict)

    def as_json(self) -> str:
        """For Postgres."""
        rows = [{"agent_name": name, "raw_days": days.raw} for name, days in self.agents.items()]
        return msgspec.json.encode(rows).decode()


def schedule_of(workspace: Workspace) -> Schedule:
    """As it is stored."""
    rules = {rule.agent_name: Days(rule.raw_days, rule.conversation_days) for rule in workspace.retention_rules.all()}
    return Schedule(Days(workspace.raw_days, workspace.conversation_days), rules)


# --- bytes ------------------------------------------------------------------------------------------------------------

#: Every batch with bytes, and when they are due: after the days of the agent that keeps longest.
_LIVES = """
    SELECT b.id, b.byte_count, b.received_at + max(coalesce(r.raw_days, %(days)s)) * interval '1 day' * CASE
        WHEN b.state = %(digested)s AND b.rejected = 0 AND NOT EXISTS (SELECT 1 FROM conversations_batchproblem p
            WHERE p.workspace_id = b.workspace_id AND p.batch_id = b.id) THEN 1 ELSE %(longer)s END AS due_at
    FROM conversations_batch b
    LEFT JOIN LATERAL jsonb_array_elements_text(b.found->'conversations') n (external_id) ON true
    LEFT JOIN conversations_conversation c
        ON c.workspace_id = b.workspace_id AND c.source = b.format AND c.external_id = n.external_id
    LEFT JOIN conversations_agent a ON a.workspace_id = b.workspace_id AND a.id = c.agent_id
    LEFT JOIN json_to_recordset(%(rules)s::json) r (agent_name text, raw_days int) ON r.agent_name = a.name
    LEFT JOIN conversations_hold h ON h.workspace_id = b.workspace_id AND h.released_at IS NULL
        AND (h.conversation_id = c.id OR h.agent_name = a.name)
    WHERE b.workspace_id = %(workspace)s AND b.raw_deleted_at IS NULL AND b.state <> %(pending)s AND b.id > %(after)s
    GROUP BY b.id
    -- Of what was not understood nobody knows whose it is: it stays while there is any hold.
    HAVING count(h.id) = 0 AND (count(n.external_id) > 0 OR NOT %(held)s)
"""
_DUE = f"SELECT id FROM ({_LIVES}) lives WHERE due_at < %(now)s ORDER BY id LIMIT %(most)s"  # noqa: S608 -- constants
_GOING = f"""
    SELECT count(*), coalesce(sum(byte_count), 0) FROM ({_LIVES}) lives WHERE due_at < %(until)s
"""  # noqa: S608 -- constants


def _asked(workspace: Workspace, schedule: Schedule) -> dict[str, Any]:
    return {
        "workspace": workspace.pk, "days": schedule.default.raw, "rules": schedule.as_json(), "longer": _LONGER,
        "digested": BatchState.DIGESTED, "pending": BatchState.PENDING, "after": 0, "now": timezone.now(),
        "most": _AT_ONCE, "held": Hold.objects.filter(workspace=workspace, released_at=None).exists(),
    }  # fmt: skip


def purge_raw() -> int:
    """Delete the bytes of batches that are older than the days of their agents, or else of their workspace (four times
    that where there were problems; never of a batch that is still to be digested). The batch itself and its problems
    stay. Returns how many."""
    purged = 0
    for workspace in Workspace.objects.order_by("pk"):
        asked = _asked(workspace, schedule_of(workspace))
        while ids := _due(asked):
            _delete(ids)
            purged += len(ids)
            asked["after"] = ids[-1]
    if purged:
        log.info("raw bytes purged batches=%s", purged)
    return purged


def _due(asked: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        return [row[0] for row in cursor.fetchall()]


def _delete(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM conversations_batchchunk WHERE batch_id = ANY(%s))"
            " UPDATE conversations_batch SET raw_deleted_at = now() WHERE id = ANY(%s)",
            [ids, ids],
        )


# --- conversations ----------------------------------------------------------------------------------------------------


def too_old(schedule: Schedule, at: datetime) -> Q:
    """Of conversations: those whose days since their last activity are over at that moment."""
    others = Q(agent=None) | ~Q(agent__name__in=list(schedule.agents))
    asked = _older(others, schedule.default, at)
    for name, days in schedule.agents.items():
        asked |= _older(Q(agent__name=name), days, at)
    return asked


def _older(whose: Q, days: Days, at: datetime) -> Q:
    if days.conversations is None:
        return Q(pk__in=[])
    return whose & Q(last_at__lt=at - timedelta(days=days.conversations))


def purge_conversations(seconds: float) -> bool:
    """Delete conversations whose days are over, a few at a time, for about so long. Whether there may be more."""
    end = time.monotonic() + seconds
    for workspace in Workspace.objects.order_by("pk"):
        purged = _purge_of(workspace, end)
        if purged:
            log.info("conversations purged workspace=%s conversations=%s", workspace.pk, purged)
            record_activity(
                workspace=workspace, actor="retention", action="conversations.purged", detail={"conversations": purged}
            )
        if time.monotonic() > end:
            return True
    return False


def _purge_of(workspace: Workspace, end: float) -> int:
    purged = 0
    over = Conversation.objects.filter(too_old(schedule_of(workspace), timezone.now()), workspace=workspace)
    rows = over.exclude(held(workspace)).order_by("last_at", "pk").values_list("pk", flat=True)
    while time.monotonic() <= end and (ids := list(rows[:CONVERSATIONS_AT_ONCE])):
        purged += forget(workspace.pk, ids, for_good=False)
    return purged


# --- what would go ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Going:
    """What is due by a day from now, all that is due earlier included."""

    days: int
    conversations: int
    oldest: datetime | None  # their last activity
    newest: datetime | None
    batches: int
    raw_bytes: int


def preview(workspace: Workspace, schedule: Schedule, days: tuple[int, ...] = (0, 7, 30)) -> list[Going]:
    """What a schedule would delete now and later, if nothing more came; two queries a day asked for."""
    asked = _asked(workspace, schedule)
    return [_going(workspace, schedule, each, asked) for each in days]


def _going(workspace: Workspace, schedule: Schedule, days: int, asked: Mapping[str, Any]) -> Going:
    until = timezone.now() + timedelta(days=days)
    over = Conversation.objects.filter(too_old(schedule, until), workspace=workspace).exclude(held(workspace))
    told = over.aggregate(count=Count("pk"), oldest=Min("last_at"), newest=Max("last_at"))
    with connection.cursor() as cursor:
        cursor.execute(_GOING, {**asked, "until": until})
        batches, raw_bytes = cursor.fetchone()
    return Going(days, told["count"], told["oldest"], told["newest"], batches, int(raw_bytes))
