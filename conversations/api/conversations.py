"""GET /api/v1/conversations and /agents: what there is, newest activity first."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.pagination import Keyset, Page, page_of
from conversations.api.parameters import Parameter, equal, since_and_until, yes_or_no
from conversations.api.reading import ListView, ReadView
from conversations.api.serializers import AgentSerializer, ConversationSerializer
from conversations.models import Agent, Conversation, Workspace
from conversations.search import Search, search_query
from conversations.tags import tag_of


def conversations_of(workspace: Workspace) -> QuerySet[Conversation]:
    """Without what only pages read."""
    rows = Conversation.objects.filter(workspace=workspace).select_related("agent")
    return rows.defer("search", "sparkline")


def conversation_of(workspace: Workspace, conversation_id: int) -> Conversation:
    """Raises Http404."""
    row: Conversation = get_object_or_404(conversations_of(workspace), pk=conversation_id)
    return row


#: Filters by agent. Which agents those are is asked first; see `agent_ids`.
AGENT = (
    Parameter("agent", "The agent's name, exactly."),
    Parameter("agent_version", "Its version, exactly."),
)


def agent_ids(workspace: Workspace, values: Mapping[str, Any]) -> list[int] | None:
    """The agents asked for; None where any will do.

    A query of its own: only with the ids in hand Postgres knows whether they are frequent, so that the first rows of
    the list will do, or rare or none, so that the agent's own index is quicker (0.3 ms instead of 70).
    """
    asked = {field: values[name] for name, field in (("agent", "name"), ("agent_version", "version")) if name in values}
    return list(Agent.objects.filter(workspace=workspace, **asked).values_list("id", flat=True)) if asked else None


def _compacted(wanted: bool) -> Q:  # noqa: FBT001 -- the value of a parameter
    return Q(compaction_count__gt=0) if wanted else Q(compaction_count=0)


class ConversationListView(ListView):
    """Conversations, newest activity first."""

    serializer_class = ConversationSerializer
    keyset = Keyset("last_at", descending=True)
    file_name = "conversations"
    known = (
        Parameter("q", "Words of the title, the external id or the working directory."),
        equal("external_id", "The source's own id, exactly.", "external_id"),
        equal("parent", "The external id of the conversation that spawned it.", "parent_external_id"),
        *AGENT,
        equal("source", "Where it came from: claude_code, codex, events.", "source"),
        Parameter("model", "A model it used.", keeps=lambda model: Q(model_names__contains=[model])),
        Parameter("tag", "A tag it has.", keeps=lambda tag: Q(tags__contains=[tag_of(tag)])),
        Parameter(
            "compacted", "true: at least one compaction; false: none.", keeps=_compacted, read=yes_or_no, type="boolean"
        ),
        *since_and_until("last_at", "Last active"),
    )

    def rows(self) -> QuerySet[Any]:
        """All of the workspace's, or those of some agents."""
        agents = agent_ids(self.workspace, self.values)
        rows = conversations_of(self.workspace)
        return rows if agents is None else rows.filter(agent__in=agents)

    def search(self) -> Search | None:
        """Where words are looked for."""
        query = search_query(self.values.get("q", ""))
        return Search(query, Conversation.objects.filter(workspace=self.workspace)) if query else None

    def page(self, rows: QuerySet[Any]) -> Page:
        """The page asked for."""
        search, cursor = self.search(), self.values.get("cursor", "")
        first = search.first if search else None
        return page_of(rows, self.order(), cursor=cursor, limit=self.limit(), first=first)

    def whole(self, rows: QuerySet[Any]) -> Any:
        """Every row, from a cursor of the server."""
        search = self.search()
        return super().whole(search.all(rows) if search else rows)


class ConversationView(ReadView):
    """One conversation."""

    serializer_class = ConversationSerializer

    def get(self, request: Request, conversation_id: int) -> HttpResponseBase:
        """By our id; by the source's own see `GET /conversations?external_id=`."""
        row = conversation_of(self.workspace, conversation_id)
        return Response(self.serializer().to_representation(row))


class AgentListView(ListView):
    """Agents, each version a row."""

    serializer_class = AgentSerializer
    keyset = Keyset("id")
    file_name = "agents"
    known = (equal("name", "The agent's name, exactly.", "name"),)

    def rows(self) -> QuerySet[Any]:
        """All of the workspace's."""
        return Agent.objects.filter(workspace=self.workspace)
