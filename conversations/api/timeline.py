"""GET …/timeline: the context tokens of every model call, and where the conversation was compacted."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.conversations import conversation_of
from conversations.api.export import Csv, JsonLines
from conversations.api.pagination import Keyset
from conversations.api.parameters import Parameter, whole
from conversations.api.reading import ListView
from conversations.api.serializers import MarkSerializer, RequestSerializer
from conversations.models import Compaction
from conversations.models import Request as ModelCall

FEWEST_POINTS, MOST_POINTS = 10, 5000


class TimelineView(ListView):
    """Model calls in pages, or thinned out to a number of points; the compactions of the whole conversation beside."""

    serializer_class = RequestSerializer
    keyset = Keyset("position")
    file_name = "timeline"
    beside = {
        "conversation": {"type": "integer"},
        "context_window": {"type": ["integer", "null"], "description": "Tokens the model can hold."},
        "compactions": MarkSerializer,
    }
    known = (
        Parameter(
            "points",
            f"About so many calls of the whole conversation ({FEWEST_POINTS} to {MOST_POINTS}) instead of a page: the"
            " lowest and highest of each stretch, and both edges of every compaction. All of them are real calls.",
            read=lambda text: whole(text, least=FEWEST_POINTS, most=MOST_POINTS),
            type="integer",
        ),
    )

    def rows(self, conversation_id: int) -> QuerySet[Any]:
        """All calls of the conversation, those that wrote summaries included."""
        self.conversation = conversation_of(self.workspace, conversation_id)
        return ModelCall.objects.filter(workspace=self.workspace, conversation=self.conversation)

    def get(self, request: Request, conversation_id: int) -> HttpResponseBase:
        """Exports hold the calls; JSON the compactions, too."""
        if request.accepted_renderer.format in (JsonLines.format, Csv.format):
            return super().get(request, conversation_id=conversation_id)
        rows = self.rows(conversation_id)
        calls: Sequence[Any]
        if "points" in self.values:
            calls, links = self.thinned(rows), {"next": None}
        else:
            page = self.page(columns(rows))
            calls, links = page.rows, self.links(request, page)
        ours = Compaction.objects.filter(workspace=self.workspace, conversation=self.conversation)
        marks = ours.defer("raw", "instructions", "dropped_ids", "kept_ids", "cleared_ids").order_by("position", "id")
        body = {
            "conversation": conversation_id,
            "context_window": self.conversation.context_window,
            "compactions": [{name: getattr(mark, name) for name in MarkSerializer.Meta.fields} for mark in marks],
        }
        return Response(links | body | {"results": [call._asdict() for call in calls]})

    def thinned(self, rows: QuerySet[Any]) -> list[Any]:
        """Only the chosen rows are read whole."""
        turns = rows.filter(purpose="turn", context_tokens__isnull=False).order_by("position", "id")
        points = list(turns.values_list("id", "position", "context_tokens"))
        ours = Compaction.objects.filter(workspace=self.workspace, conversation=self.conversation)
        edges = ours.order_by("position").values_list("position", flat=True)
        chosen = thin(points, list(edges), self.values["points"])
        return list(columns(rows).filter(pk__in=chosen).order_by("position", "id"))


def columns(rows: QuerySet[ModelCall]) -> QuerySet[Any]:
    """The rows as RequestSerializer names their fields, which are columns: 500 through it took 40 ms, so take 4."""
    return rows.values_list(*RequestSerializer.Meta.fields, named=True)


def thin(points: Sequence[tuple[int, int, int]], edges: Sequence[int], most: int) -> list[int]:
    """Ids of about `most` of (id, position, tokens): first and last, both neighbours of every edge, and the lowest and
    highest of equal stretches between."""
    if len(points) <= most:
        return [point[0] for point in points]
    positions = [point[1] for point in points]
    places = {0, len(points) - 1}
    for edge in edges:
        after = bisect_right(positions, edge)
        places |= {max(after - 1, 0), min(after, len(points) - 1)}
    stretches = max(1, (most - len(places)) // 2)
    heights = [point[2] for point in points]
    for number in range(stretches):
        start = number * len(points) // stretches
        stretch = heights[start : (number + 1) * len(points) // stretches]
        places |= {start + stretch.index(min(stretch)), start + stretch.index(max(stretch))}
    return [points[place][0] for place in sorted(places)]
