"""PUT /api/v1/conversations/{id}/tags: what tags a conversation has, for programs that tag what others record."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayManage, sender
from conversations.api.rules import faults
from conversations.errors import BadInput
from conversations.models import Conversation
from conversations.people.activity import record_activity
from conversations.spending.tagging import set_tags
from conversations.tags import MOST_TAGS, TAG_CHARACTERS, tag_of, tags_of


class TagsSerializer(serializers.Serializer[Any]):
    """Tags of a conversation."""

    tags = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text=f"All it shall have, at most {MOST_TAGS}, of at most {TAG_CHARACTERS} characters without commas; they"
        " are kept in lower case.",
    )


class ConversationTagsView(APIView):
    """The tags of a conversation."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayManage,)
    serializer_class = TagsSerializer

    @extend_schema(
        operation_id="conversation_tags",
        tags=["conversations"],
        summary="Say which tags a conversation has",
        description="Those and no others. What is left out is not put on again by what agents send.",
        request=TagsSerializer,
        responses={"200": TagsSerializer, **faults()},
    )
    def put(self, request: Request, conversation_id: int) -> Response:
        """Twice is as once."""
        key = sender(request)
        rows = Conversation.objects.filter(workspace=key.workspace).defer("search", "sparkline")
        row = get_object_or_404(rows, pk=conversation_id)
        added, removed = set_tags(row, _read(request))
        if added or removed:
            detail = {"added": added, "removed": removed}
            record_activity(workspace=key.workspace, actor=key, action="conversation.tagged", target=row, detail=detail)
        return Response({"tags": row.tags})


def _read(request: Request) -> list[str]:
    said = request.data.get("tags") if isinstance(request.data, dict) else None
    if not isinstance(said, list):
        raise BadInput('"tags" is missing.', mend='Send {"tags": ["web", "nightly"]}.', at="tags")
    for index, tag in enumerate(said):
        if not tag_of(tag):
            mend = f"Use at most {TAG_CHARACTERS} characters, without commas."
            raise BadInput(f'"{str(tag)[:40]}" is no tag.', mend=mend, at=f"tags[{index}]")
    if len(tags_of(said)) > MOST_TAGS:
        raise BadInput(f"These are {len(tags_of(said))} tags.", mend=f"Send at most {MOST_TAGS}.", at="tags")
    return tags_of(said)
