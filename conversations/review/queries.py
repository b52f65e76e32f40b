"""Read reviews and queues: what was handed in on an item, how far queues are, what waits for somebody."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.utils import timezone

from conversations.models import Queue, QueueItem, Reservation, Review, Workspace
from conversations.review.opinions import Opinion
from conversations.review.places import claimable
from conversations.vocabulary import ItemState

#: What waits for somebody is counted so far, on every page.
MOST_WAITING = 100
_FINISHED = (ItemState.DONE, ItemState.DISAGREED, ItemState.SETTLED)


def reviews_of(item: QueueItem) -> list[Review]:
    """What was handed in on the item, in order, each with its verdicts; the settled record, if any, last."""
    rows = Review.objects.filter(workspace=item.workspace_id, item=item, submitted_at__isnull=False)
    return list(rows.select_related("reviewer").prefetch_related("verdicts").order_by("settles", "submitted_at", "id"))


def reviews_on(workspace: Workspace, compactions: Collection[int]) -> dict[int, list[Review]]:
    """What was handed in, by compaction id: a settled record first, then the newest. One query, none for nothing.

    Left out is what others are still judging blindly."""
    if not compactions:
        return {}
    rows = Review.objects.filter(workspace=workspace, compaction__in=compactions, submitted_at__isnull=False)
    shown = rows.exclude(item__queue__blind=True, item__state=ItemState.WAITING)
    found: dict[int, list[Review]] = {}
    for review in shown.select_related("reviewer").order_by("-settles", "-submitted_at", "-id"):
        found.setdefault(review.compaction_id, []).append(review)
    return found


def opinion_of(review: Review) -> Opinion:
    """What it says, for comparing."""
    answers = {verdict.fact_id: verdict.answer for verdict in review.verdicts.all()}
    return Opinion(review.overall, review.criteria, answers)


def opinions_on(item: QueueItem) -> tuple[list[Opinion], bool]:
    """What reviewers handed in, and whether it is settled."""
    reviews = reviews_of(item)
    return [opinion_of(each) for each in reviews if not each.settles], any(each.settles for each in reviews)


# --- how far queues are -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """One queue in numbers of items; `by_person` and `this_week` in reviews handed in since Monday (UTC)."""

    queue: Queue
    waiting: int  # for somebody, and nobody is looking at them
    reserved: int  # somebody is
    done: int  # as many people as were asked for have judged them
    disagreed: int  # of them, those to be settled
    mine: int  # of which the user may have one now
    by_person: tuple[tuple[str, int], ...]  # who handed in how many of this week's, most first
    own_this_week: int  # the user's

    @property
    def this_week(self) -> int:
        """Of all people together."""
        return sum(count for _, count in self.by_person)

    @property
    def total(self) -> int:
        """All items."""
        return self.waiting + self.reserved + self.done

    @property
    def percent(self) -> int:
        """Of the items that are done, rounded down: 100 is all."""
        return 100 * self.done // self.total if self.total else 0


def progress_of(queues: Sequence[Queue], user_id: int) -> list[Progress]:
    """How far each is: four queries for any number."""
    if not queues:
        return []
    ids, workspace_id = [queue.pk for queue in queues], queues[0].workspace_id
    items = QueueItem.objects.filter(workspace=workspace_id, queue__in=ids)
    states = {
        (queue, state): count
        for queue, state, count in items.order_by().values_list("queue", "state").annotate(count=Count("*"))
    }
    live = Reservation.objects.filter(workspace=workspace_id, expires_at__gt=timezone.now()).values("item")
    reserved = _by_queue(items.filter(state=ItemState.WAITING, pk__in=live))
    mine = _by_queue(claimable(items.filter(queue__closed_at=None), user_id))
    handed_in = _this_week(workspace_id, ids)
    return [
        Progress(
            queue=queue,
            waiting=states.get((queue.pk, ItemState.WAITING.value), 0) - reserved[queue.pk],
            reserved=reserved[queue.pk],
            done=sum(states.get((queue.pk, state.value), 0) for state in _FINISHED),
            disagreed=states.get((queue.pk, ItemState.DISAGREED.value), 0),
            mine=mine[queue.pk],
            by_person=tuple((name, count) for _, name, count in handed_in[queue.pk]),
            own_this_week=sum(count for who, _, count in handed_in[queue.pk] if who == user_id),
        )
        for queue in queues
    ]


def _this_week(workspace_id: int, queues: Sequence[int]) -> dict[int, list[tuple[int | None, str, int]]]:
    """(person's id, name, reviews handed in since Monday) by queue, the most first."""
    rows = Review.objects.filter(workspace=workspace_id, item__queue__in=queues, submitted_at__gte=monday())
    counted = rows.filter(settles=False).order_by().values_list("item__queue", "reviewer", "reviewer__name")
    found: dict[int, list[tuple[int | None, str, int]]] = defaultdict(list)
    for queue, who, name, count in counted.annotate(n=Count("*")).order_by("-n", "reviewer__name", "reviewer"):
        found[queue].append((who, name or "somebody deleted", count))
    return found


def _by_queue(rows: QuerySet[Any]) -> Counter[int]:
    return Counter(dict(rows.order_by().values_list("queue").annotate(n=Count("*"))))


def monday() -> datetime:
    """When this week began, in UTC."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday())


class _Number(Subquery):
    """How many rows a subquery has."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def waiting_for(user_id: int, *, at: datetime | None = None) -> Subquery:
    """For rows with a `workspace`: how many items of its open queues the user may have, at most MOST_WAITING."""
    items = QueueItem.objects.filter(workspace=OuterRef("workspace_id"), queue__closed_at=None)
    return _Number(claimable(items, user_id, at=at).values("pk")[:MOST_WAITING])


def disagreements(workspace: Workspace) -> int:
    """How many items are to be settled."""
    return QueueItem.objects.filter(workspace=workspace, state=ItemState.DISAGREED).count()
