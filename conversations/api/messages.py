"""GET …/messages: what was said, in order, and where each message left the context."""

from typing import Any

from django.db.models import Case, F, JSONField, Q, QuerySet, When
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.conversations import conversation_of
from conversations.api.pagination import Keyset, Page, page_around
from conversations.api.parameters import Parameter, chosen, equal, row_id
from conversations.api.reading import ListView, ReadView, link
from conversations.api.serializers import MessageSerializer
from conversations.errors import BadInput
from conversations.models import Compaction, Message
from conversations.search import in_context_before
from conversations.vocabulary import Origin, Role

#: Characters. The blocks of larger messages are left out of pages: 50 of 1 MB would be 50 MB an answer.
LARGE_MESSAGE = 65_536
FILTERS = (
    equal(
        "external_id", "The source's own id, exactly: a Claude Code record's uuid leads to its message.", "external_id"
    ),
    chosen("role", "Who spoke.", Role, "role"),
    chosen("origin", "How it came into the context.", Origin, "origin"),
)
ORDER = Parameter("order", "asc: as it was said; desc: last first.", choices=("asc", "desc"))


def light(rows: QuerySet[Message]) -> QuerySet[Message]:
    """With `shown_blocks`: the blocks, or None where they are too large for a page."""
    small = When(size__lte=LARGE_MESSAGE, then=F("blocks"))
    return rows.defer("blocks", "content_hash").annotate(
        shown_blocks=Case(small, default=None, output_field=JSONField(null=True))
    )


class MessageListView(ListView):
    """The messages of a conversation, as they were said."""

    serializer_class = MessageSerializer
    keyset = Keyset("position")
    file_name = "messages"
    known = (
        *FILTERS,
        ORDER,
        Parameter("around", "A message's id: the page that holds it.", read=row_id, type="integer"),
        Parameter(
            "in_context_at", "A compaction's id: what stood in the context just before it.", read=row_id, type="integer"
        ),
    )

    def order(self) -> Keyset:
        """Turned round by `?order=desc`."""
        return self.keyset.reversed() if self.values.get("order") == "desc" else self.keyset

    def rows(self, conversation_id: int) -> QuerySet[Any]:
        """All of the conversation's, or what stood in its context at a compaction."""
        conversation = conversation_of(self.workspace, conversation_id)
        rows = Message.objects.filter(workspace=self.workspace, conversation=conversation)
        return rows.filter(self._in_context(conversation_id))

    def _in_context(self, conversation_id: int) -> Q:
        if "in_context_at" not in self.values:
            return Q()
        ours = Compaction.objects.filter(workspace=self.workspace, conversation=conversation_id)
        compaction = get_object_or_404(ours, pk=self.values["in_context_at"])
        return in_context_before(compaction)

    def page(self, rows: QuerySet[Any]) -> Page:
        """The one asked for, or the one around a message."""
        if "around" not in self.values:
            return super().page(light(rows))
        if "cursor" in self.values:
            raise BadInput('"around" and "cursor" both say where to begin.', mend="Use one of them.", at="around")
        target = get_object_or_404(rows, pk=self.values["around"])
        return page_around(light(rows), self.order(), target, limit=self.limit())

    def links(self, request: Request, page: Page) -> dict[str, str | None]:
        """`previous` leads the other way, where a page began in the middle."""
        links = {"next": link(request, cursor=page.next, around="") if page.next else None}
        if "around" in self.values:
            way = "asc" if self.values.get("order") == "desc" else "desc"
            turned = link(request, cursor=page.previous, around="", order=way)
            links["previous"] = turned if page.previous else None
        return links


class MessageView(ReadView):
    """One message, whole."""

    serializer_class = MessageSerializer

    def get(self, request: Request, message_id: int) -> HttpResponseBase:
        """With all its blocks, however large."""
        row = get_object_or_404(Message.objects.filter(workspace=self.workspace), pk=message_id)
        return Response(self.serializer().to_representation(row))
