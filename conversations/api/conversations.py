"""GET /api/v1/conversations and /agents: what there is, newest activity first."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.pagination import Keyset
from conversations.api.parameters import Parameter, equal, since_and_until, yes_or_no
from conversations.api.reading import ListView, ReadView
from conversations.api.serializers import AgentSerializer, ConversationSerializer
from conversations.models import Agent, Conversation, Workspace
from conversations.search import search_query


def conversations_of(workspace: Workspace) -> QuerySet[Conversation]:
    """Without what only pages read."""
    rows = Conversation.objects.filter(workspace=workspace).select_related("agent")
    return rows.defer("search", "sparkline")


def conversation_of(workspace: Workspace, conversation_id: int) -> Conversation:
    """Raises Http404."""
    row: Conversation = get_object_or_404(conversations_of(workspace), pk=conversation_id)
    return row


def agents(**fields: str) -> QuerySet[Any, Any]:
    """Ids of agents, to be asked for before conversations: joined, Postgres reads all conversations for a rare one."""
    return Agent.objects.filter(**fields).values("id")


def _words(text: str) -> Q:
    query = search_query(text)
    return Q(search=query) if query else Q()


def _compacted(wanted: bool) -> Q:  # noqa: FBT001 -- the value of a parameter
    return Q(compaction_count__gt=0) if wanted else Q(compaction_count=0)


class ConversationListView(ListView):
    """Conversations, newest activity first."""

    serializer_class = ConversationSerializer
    keyset = Keyset("last_at", descending=True)
    file_name = "conversations"
    known = (
        Parameter("q", "Words of the title, the external id or the working directory.", keeps=_words),
        equal("external_id", "The source's own id, exactly.", "external_id"),
        equal("parent", "The external id of the conversation that spawned it.", "parent_external_id"),
        Parameter("agent", "The agent's name, exactly.", keeps=lambda name: Q(agent__in=agents(name=name))),
        Parameter("agent_version", "Its version, exactly.", keeps=lambda version: Q(agent__in=agents(version=version))),
        equal("source", "Where it came from: claude_code, codex, events.", "source"),
        Parameter("model", "A model it used.", keeps=lambda model: Q(model_names__contains=[model])),
        Parameter(
            "compacted", "true: at least one compaction; false: none.", keeps=_compacted, read=yes_or_no, type="boolean"
        ),
        *since_and_until("last_at", "Last active"),
    )

    def rows(self) -> QuerySet[Any]:
        """All of the workspace's."""
        return conversations_of(self.workspace)


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
