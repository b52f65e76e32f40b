"""GET …/compactions: where older messages were replaced, by what, and which messages went and stayed."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.conversations import AGENT, agent_ids, conversation_of
from conversations.api.messages import FILTERS, light
from conversations.api.pagination import Keyset, Page
from conversations.api.parameters import Parameter, chosen, equal, row_id, since_and_until, yes_or_no
from conversations.api.ranked import Ranked
from conversations.api.reading import ListView, ReadView
from conversations.api.serializers import CompactionSerializer, MessageSerializer, OneCompactionSerializer
from conversations.models import Compaction, Message, Workspace
from conversations.models.compaction import CompactionQuerySet
from conversations.review.desk import refuse_the_blind
from conversations.review.veiling import unveiled
from conversations.search import FOUND, in_context_after, with_found
from conversations.vocabulary import CompactionKind, SummaryState, Trigger


def compactions_of(workspace: Workspace) -> CompactionQuerySet:
    """With conversation, agent and audit, without what only one row's page reads."""
    rows = Compaction.objects.filter(workspace=workspace).select_related("conversation__agent", "audit")
    unread = ("instructions", "raw", "dropped_ids", "kept_ids", "cleared_ids")
    return rows.defer(*unread, "conversation__search", "conversation__sparkline")


#: As the index of audits has it.
WORST = Ranked("audit__risk", tie="audit__id", tie_descending=True)
KIND = (
    chosen("kind", "What did the replacing.", CompactionKind, "kind"),
    chosen("trigger", "Why it happened then.", Trigger, "trigger"),
    chosen("state", "Whether the summary can be read.", SummaryState, "summary_state"),
    equal("external_id", "The source's own id, exactly.", "external_id"),
)


class CompactionListView(ListView):
    """All compactions of the workspace, newest or worst first."""

    serializer_class = CompactionSerializer
    keyset = Keyset("at", descending=True)
    file_name = "compactions"
    known = (
        *KIND,
        *AGENT,
        equal("model", "The model that wrote the summary.", "model"),
        Parameter(
            "conversation", "A conversation's id.", keeps=lambda pk: Q(conversation=pk), read=row_id, type="integer"
        ),
        Parameter(
            "complete", "Whether all it covers is in the data.", keeps=lambda whole: Q(complete=whole), read=yes_or_no,
            type="boolean",
        ),
        *since_and_until("at", "Happened"),
        Parameter(
            "found", "What the auditor found of it: harm afterwards, facts forgotten or altered, statements added; or"
            " unaudited: it has not been read yet.", keeps=with_found, choices=FOUND,
        ),
        Parameter(
            "order", "newest, or worst: by `audit.risk`, only those that are audited.", choices=("newest", "worst")
        ),
    )  # fmt: skip

    def rows(self) -> QuerySet[Any]:
        """All of the workspace's, or those of some agents."""
        agents = agent_ids(self.workspace, self.values)
        rows = compactions_of(self.workspace)
        # Asked for by name, the copy in a forked session is shown too.
        rows = rows if {"conversation", "external_id"} & self.values.keys() else rows.originals()
        rows = rows if agents is None else rows.filter(conversation__agent__in=agents)
        return unveiled(rows.filter(audit__workspace=self.workspace) if self.order() is WORST else rows, self.veil)

    def order(self) -> Keyset:
        """Newest or worst first."""
        return WORST if self.values.get("order") == "worst" else self.keyset


class CompactionsOfConversationView(ListView):
    """The compactions of a conversation in order."""

    serializer_class = CompactionSerializer
    keyset = Keyset("position")
    file_name = "compactions"
    known = KIND

    def rows(self, conversation_id: int) -> QuerySet[Any]:
        """All of the conversation's."""
        conversation = conversation_of(self.workspace, conversation_id)
        return unveiled(compactions_of(self.workspace).filter(conversation=conversation), self.veil)


class CompactionView(ReadView):
    """One compaction."""

    serializer_class = OneCompactionSerializer

    def get(self, request: Request, compaction_id: int) -> HttpResponseBase:
        """All that is known of it, the summary's text included."""
        rows = Compaction.objects.filter(workspace=self.workspace)
        joined = rows.select_related("conversation__agent", "audit", "summary_message").defer("conversation__search")
        row = get_object_or_404(joined, pk=compaction_id)
        refuse_the_blind(request.user, row)
        return Response(self.serializer().to_representation(row))


class _MessagesOfCompactionView(ListView):
    """Messages on one side of a compaction, as they were said."""

    serializer_class = MessageSerializer
    keyset = Keyset("position")
    known = FILTERS

    def compaction(self, compaction_id: int) -> Compaction:
        """Raises Http404."""
        rows = Compaction.objects.filter(workspace=self.workspace).only("workspace", "conversation", "position", "raw")
        row: Compaction = get_object_or_404(rows, pk=compaction_id)
        return row

    def page(self, rows: QuerySet[Any]) -> Page:
        """Without the blocks of large messages."""
        return super().page(light(rows))


class DroppedView(_MessagesOfCompactionView):
    """The messages it took out of the context."""

    file_name = "dropped"

    def rows(self, compaction_id: int) -> QuerySet[Any]:
        """Each message is dropped at most once."""
        compaction = self.compaction(compaction_id)
        return Message.objects.filter(workspace=self.workspace, dropped_by=compaction)


class KeptView(_MessagesOfCompactionView):
    """The messages that stood before it and stayed in the context."""

    file_name = "kept"

    def rows(self, compaction_id: int) -> QuerySet[Any]:
        """They left later, or not at all."""
        compaction = self.compaction(compaction_id)
        ours = Message.objects.filter(workspace=self.workspace, conversation=compaction.conversation_id)
        return ours.filter(in_context_after(compaction))
