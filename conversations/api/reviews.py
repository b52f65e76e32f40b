"""GET …/queues and …/reviews: what a team wants judged, how far it is, and what people handed in."""

from typing import Any, cast

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.pagination import Keyset
from conversations.api.parameters import Parameter, chosen, row_id, since_and_until, yes_or_no
from conversations.api.reading import ListView, ReadView
from conversations.models import ApiKey, Mark, Membership, Queue, QueueItem, Review, User, Verdict, Workspace
from conversations.people.access import is_at_least
from conversations.vocabulary import ItemState, MemberRole, Overall, Scope


class QueueSerializer(serializers.ModelSerializer[Queue]):
    """A queue, with its items counted by state."""

    items = serializers.SerializerMethodField(help_text="Numbers of items: waiting, done, disagreed, settled.")

    class Meta:
        model = Queue
        fields = (
            "id", "name", "instructions", "rubric", "filters", "sampling", "sample_percent", "reviewers_per_item",
            "blind", "reservation_minutes", "due_on", "goal_per_week", "created_at", "closed_at", "items",
        )  # fmt: skip

    def get_items(self, row: Any) -> dict[str, int]:
        """By state."""
        return {state.value: getattr(row, f"items_{state.value}") for state in ItemState}


class ItemSerializer(serializers.ModelSerializer[QueueItem]):
    """One compaction in a queue."""

    compaction = serializers.IntegerField(source="compaction_id", help_text="The id of the compaction.")
    calibration = serializers.SerializerMethodField(
        allow_null=True, help_text="Everybody judges it. null = not told: to reviewers, and to keys that do not manage."
    )

    class Meta:
        model = QueueItem
        fields = ("id", "compaction", "state", "priority", "calibration", "added_at")

    def get_calibration(self, row: QueueItem) -> bool | None:
        """Who judges is not to know."""
        return row.calibration if self.context["tells_calibration"] else None


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    """A person's answer on one finding, with the finding as it was then; `number` is its rank."""

    class Meta:
        model = Verdict
        fields = (
            "fact_id", "answer", "reworded", "at", "text", "kind", "outcome", "number", "detector", "auditor_version",
            "probability",
        )  # fmt: skip


class ReviewMarkSerializer(serializers.ModelSerializer[Mark]):
    """A span that a person marked. `message` is null where it is of the summary."""

    message = serializers.IntegerField(source="message_id", allow_null=True, help_text="The id of the message.")

    class Meta:
        model = Mark
        fields = ("what", "message", "block", "start", "end", "quote", "text", "kind", "at")


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """What one person handed in on one compaction."""

    compaction = serializers.IntegerField(source="compaction_id", help_text="The id of the compaction.")
    item = serializers.IntegerField(source="item_id", allow_null=True, help_text="null = judged outside of queues.")
    queue = serializers.IntegerField(source="item.queue_id", allow_null=True, default=None)
    reviewer = serializers.IntegerField(source="reviewer_id", allow_null=True, help_text="null = somebody deleted.")
    verdicts = VerdictSerializer(many=True)
    marks = ReviewMarkSerializer(many=True)

    class Meta:
        model = Review
        fields = (
            "id", "compaction", "queue", "item", "reviewer", "overall", "criteria", "comment", "settles", "revision",
            "started_at", "submitted_at", "verdicts", "marks",
        )  # fmt: skip


def counted_queues(rows: QuerySet[Queue]) -> QuerySet[Queue]:
    """With the numbers that `QueueSerializer` tells."""
    numbers = {f"items_{state.value}": Count("items", filter=Q(items__state=state)) for state in ItemState}
    return rows.annotate(**numbers)


class QueueListView(ListView):
    """All queues, the newest first."""

    serializer_class = QueueSerializer
    keyset = Keyset("id", descending=True)
    file_name = "queues"
    known = (
        Parameter(
            "open", "Whether it hands items out.", keeps=lambda wanted: Q(closed_at__isnull=wanted), read=yes_or_no,
            type="boolean",
        ),
    )  # fmt: skip

    def rows(self) -> QuerySet[Any]:
        """All of the workspace's."""
        return counted_queues(Queue.objects.filter(workspace=self.workspace))


class QueueView(ReadView):
    """One queue."""

    serializer_class = QueueSerializer

    def get(self, request: Request, queue_id: int) -> HttpResponseBase:
        """Its settings, and how far it is."""
        rows = counted_queues(Queue.objects.filter(workspace=self.workspace))
        return Response(self.serializer().to_representation(get_object_or_404(rows, pk=queue_id)))


class ItemListView(ListView):
    """The items of a queue, in the order in which they came."""

    serializer_class = ItemSerializer
    keyset = Keyset("id")
    file_name = "items"
    known = (chosen("state", "How far it is.", ItemState, "state"),)

    def serializer(self) -> Any:
        """Which items are for calibration is told to owners and admins, and to keys that manage."""
        context = {"workspace": self.workspace, "tells_calibration": _manages(self.request, self.workspace)}
        return self.serializer_class(context=context)

    def rows(self, queue_id: int) -> QuerySet[Any]:
        """All of the queue's."""
        queue = get_object_or_404(Queue, workspace=self.workspace, pk=queue_id)
        return QueueItem.objects.filter(workspace=self.workspace, queue=queue)


def _manages(request: Request, workspace: Workspace) -> bool:
    if isinstance(request.auth, ApiKey):
        return Scope.MANAGE in request.auth.scopes
    role = Membership.objects.filter(workspace=workspace, user=cast("User", request.user)).values_list(
        "role", flat=True
    )
    return is_at_least(role.get(), MemberRole.ADMIN)


class ReviewListView(ListView):
    """What people handed in, the newest first; settled records among them. Not what of a blind queue's item would tell
    one reviewer what another said."""

    serializer_class = ReviewSerializer
    keyset = Keyset("submitted_at", descending=True)
    file_name = "reviews"
    known = (
        Parameter("queue", "A queue's id.", keeps=lambda pk: Q(item__queue=pk), read=row_id, type="integer"),
        Parameter("compaction", "A compaction's id.", keeps=lambda pk: Q(compaction=pk), read=row_id, type="integer"),
        chosen("overall", "The overall verdict.", Overall, "overall"),
        Parameter(
            "settles", "Only records of items on which reviewers differed, or only what reviewers said.",
            keeps=lambda wanted: Q(settles=wanted), read=yes_or_no, type="boolean",
        ),
        *since_and_until("submitted_at", "Handed in"),
    )  # fmt: skip

    def rows(self) -> QuerySet[Any]:
        """With verdicts and marks: three queries for any number."""
        rows = Review.objects.filter(workspace=self.workspace, submitted_at__isnull=False).select_related("item")
        at_work = Q(item__queue__blind=True, item__state=ItemState.WAITING)
        verdicts, marks = Verdict.objects.order_by("number", "id"), Mark.objects.order_by("id")
        return rows.exclude(at_work).prefetch_related(Prefetch("verdicts", verdicts), Prefetch("marks", marks))
