"""Count everything anew."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from conversations.models import AgentTotal, Conversation, Workspace
from conversations.spending.counting import count_grown
from conversations.spending.grown import BEGINNING, Grown
from conversations.spending.storing import DAYS, SLOTS, Grain
from conversations.spending.tally import COUNTED, NAMES

_AT_ONCE = 200  # conversations a transaction


def recount(workspace: Workspace) -> int:
    """Count every conversation of a workspace anew, a group at a time, and make its agents' sums of theirs. Returns how
    many. Nothing is missing meanwhile: a conversation that grows is counted as a whole."""
    ids = list(Conversation.objects.filter(workspace=workspace).order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), _AT_ONCE):
        _recount_some(ids[start : start + _AT_ONCE])
    with transaction.atomic():
        _sum_agents(workspace)
    return len(ids)


def _recount_some(ids: list[int]) -> None:
    with transaction.atomic():
        rows = list(
            Conversation.objects.filter(pk__in=ids).order_by("id").select_for_update(no_key=True)
            .values_list("workspace_id", "id", "agent_id", "tags")
        )  # fmt: skip
        count_grown(
            Grown(workspace, pk, agent, BEGINNING, tuple(tags), tuple(tags)) for workspace, pk, agent, tags in rows
        )


def _sum_agents(workspace: Workspace) -> None:
    """From the conversations' sums, with nobody counting meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE conversations_agentday, conversations_tagday, conversations_agentslot, conversations_tagslot,"
            " conversations_agenttotal IN SHARE ROW EXCLUSIVE MODE"
        )
        for grain in (DAYS, SLOTS):
            _sum_grain(cursor, workspace, grain)
            _sum_tags(cursor, workspace, grain)
        AgentTotal.objects.filter(workspace=workspace).delete()
        sums = ", ".join(f"sum(d.{name})" for name in NAMES)
        cursor.execute(
            f"INSERT INTO conversations_agenttotal (workspace_id, agent_id, model, {', '.join(NAMES)})"  # noqa: S608 -- constants
            f" SELECT d.workspace_id, d.agent_id, d.model, {sums} FROM conversations_agentday d"
            " WHERE d.workspace_id = %s GROUP BY 1, 2, 3",
            [workspace.pk],
        )


def _sum_tags(cursor: CursorWrapper, workspace: Workspace, grain: Grain) -> None:
    names, sums = ", ".join(COUNTED), ", ".join(f"sum(d.{name})" for name in COUNTED)
    cursor.execute(f"DELETE FROM conversations_{grain.tags} WHERE workspace_id = %s", [workspace.pk])  # noqa: S608 -- constants
    cursor.execute(
        f"INSERT INTO conversations_{grain.tags} (workspace_id, tag, model, {grain.column}, {names})"  # noqa: S608 -- as above
        f" SELECT d.workspace_id, t.tag, d.model, d.{grain.column}, {sums} FROM conversations_{grain.own} d"
        " JOIN conversations_conversation c ON c.workspace_id = d.workspace_id AND c.id = d.conversation_id"
        " CROSS JOIN unnest(c.tags) AS t (tag) WHERE d.workspace_id = %s GROUP BY 1, 2, 3, 4",
        [workspace.pk],
    )


def _sum_grain(cursor: CursorWrapper, workspace: Workspace, grain: Grain) -> None:
    names, sums = ", ".join(grain.names), ", ".join(f"sum(d.{name})" for name in grain.names)
    cursor.execute(f"DELETE FROM conversations_{grain.agents} WHERE workspace_id = %s", [workspace.pk])  # noqa: S608 -- constants
    cursor.execute(
        f"INSERT INTO conversations_{grain.agents} (workspace_id, agent_id, model, {grain.column}, {names})"  # noqa: S608 -- as above
        f" SELECT d.workspace_id, c.agent_id, d.model, d.{grain.column}, {sums} FROM conversations_{grain.own} d"
        " JOIN conversations_conversationcount c USING (workspace_id, conversation_id)"
        " WHERE d.workspace_id = %s GROUP BY 1, 2, 3, 4",
        [workspace.pk],
    )
