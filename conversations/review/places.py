"""Who may look at which item of a queue: never more people than were asked for, and nobody twice.

Somebody holds a place on an item by a reservation that has not expired, or by a review that was handed in. Whatever
gives or takes a place locks the item's row first and asks in a new statement, which sees what others have committed.
The locks leave the row's key alone: a new review points to its item before the item is locked, and two people who begin
the same item at once would otherwise wait for each other.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Queue, QueueItem, Reservation, Review, User
from conversations.models.prepared import IsOneOf, Prepared
from conversations.vocabulary import ItemState


@transaction.atomic
def claim_next(queue: Queue, user: User, *, besides: Collection[int] = ()) -> QueueItem | None:
    """Reserve the next item of the queue for `user`; None where nothing is left for them, or the queue is closed.

    First what they hold already (prolonged) and their drafts, then calibration items, then the highest priority.
    `besides`: ids of items that are not wanted now: the one on the screen, while the next is fetched; one just skipped.
    """
    if queue.closed_at is not None:
        return None
    passed = set(besides)
    for turn in _TURNS:
        while attempt := _attempt(turn, queue, user, passed):
            item, is_ours = attempt
            if is_ours:
                return item
            passed.add(item.pk)
    return None


def _attempt(
    turn: Prepared[QueueItem], queue: Queue, user: User, passed: Collection[int]
) -> tuple[QueueItem, bool] | None:  # fmt: skip
    """The first of the rows, and whether it was reserved. If not, its lock is given back at once: two people who each
    held what the other waits for would wait until Postgres ends one of them."""
    before = transaction.savepoint()
    rows = turn(workspace=queue.workspace_id, queue=queue.pk, user=user.pk, passed=list(passed), at=timezone.now())
    item = next(iter(rows), None)
    if item is None:
        transaction.savepoint_commit(before)
        return None
    item.queue = queue
    is_ours = _reserve(item, user)
    (transaction.savepoint_commit if is_ours else transaction.savepoint_rollback)(before)
    return item, is_ours


def _first_of_all(free: QuerySet[QueueItem], user: int) -> QuerySet[QueueItem]:
    """What the user holds already, then their drafts, then calibration items: by index, for these are few."""
    held = Q(pk__in=Reservation.objects.filter(user=user).values("item"))
    drafts = Q(pk__in=Review.objects.filter(reviewer=user, submitted_at=None, item__isnull=False).values("item"))
    order = Case(When(held, then=0), When(drafts, then=1), default=2)
    return free.filter(held | drafts | Q(calibration=True)).order_by(order, "-priority", "id")


def _by_priority(free: QuerySet[QueueItem], _user: int) -> QuerySet[QueueItem]:
    return free.filter(state=ItemState.WAITING).order_by("-priority", "id")


def _locked(
    chosen: Callable[[QuerySet[QueueItem], int], QuerySet[QueueItem]], *, patient: bool
) -> Prepared[QueueItem]:  # fmt: skip
    """The first of the items that are chosen of those free for a user, locked, if any."""

    def rows(workspace: int, queue: int, user: int, passed: list[int], at: datetime) -> QuerySet[QueueItem]:
        free = claimable(QueueItem.objects.filter(workspace=workspace, queue=queue), user, at=at)
        wanted = chosen(free.exclude(IsOneOf("id", passed)), user)
        return wanted.select_for_update(of=("self",), skip_locked=not patient, no_key=True)[:1]

    return Prepared(rows)


#: Items that others lock are passed over at first: only when nothing else is left they are waited for, because one that
#: somebody is just taking may have a place for a second person.
_TURNS = [_locked(chosen, patient=patient) for patient in (False, True) for chosen in (_first_of_all, _by_priority)]


def claimable(items: QuerySet[QueueItem], user_id: int, *, at: datetime | None = None) -> QuerySet[QueueItem]:
    """Those of `items` on which the user holds a place or could take one; whether their queue is open is not asked.

    This is the rule: somebody who has not handed in a review may look at an item that has fewer live reservations of
    others and reviews handed in than its queue asks for; at a calibration item everybody may."""
    of_item: Any = {"workspace": OuterRef("workspace"), "item": OuterRef("pk")}
    handed_in = Review.objects.filter(settles=False, submitted_at__isnull=False, **of_item)
    reserved = Reservation.objects.filter(expires_at__gt=at or timezone.now(), **of_item).exclude(user=user_id)
    has_place = Q(state=ItemState.WAITING, taken__lt=F("queue__reviewers_per_item"))
    rows = items.alias(taken=_count(handed_in) + _count(reserved)).filter(Q(calibration=True) | has_place)
    return rows.exclude(Exists(handed_in.filter(reviewer=user_id)))


def _count(rows: QuerySet[Any, Any]) -> Coalesce:
    counted = rows.order_by().values("item").annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted), 0)


@transaction.atomic(savepoint=False)
def hold(item: QueueItem, user: User) -> bool:
    """Reserve a place on the item, or prolong the reservation; False where others have taken every place meanwhile, or
    the user has handed in a review of it."""
    lock(item)
    return _reserve(item, user)


def _reserve(item: QueueItem, user: User) -> bool:
    """The item is locked: what this statement sees stays so."""
    rows = _free(workspace=item.workspace_id, item=item.pk, user=user.pk, at=timezone.now())
    if not list(rows):
        return False
    until = timezone.now() + timedelta(minutes=item.queue.reservation_minutes)
    Reservation.objects.bulk_create(
        [Reservation(workspace_id=item.workspace_id, item=item, user=user, expires_at=until)],
        update_conflicts=True,
        unique_fields=["workspace", "item", "user"],
        update_fields=["expires_at"],
    )
    return True


@Prepared
def _free(workspace: int, item: int, user: int, at: datetime) -> "QuerySet[QueueItem]":
    return claimable(QueueItem.objects.filter(workspace=workspace, pk=item), user, at=at).only("pk")


def lock(item: QueueItem) -> None:
    """Until the end of the transaction nobody else gives or takes a place; `item.state` is read anew."""
    item.state = _row(item).select_for_update(no_key=True).values_list("state", flat=True).get()


def _row(item: QueueItem) -> QuerySet[QueueItem]:
    return QueueItem.objects.filter(workspace=item.workspace_id, pk=item.pk)


def reservation_of(item: QueueItem, user: User) -> Reservation | None:
    """The place that the user holds by a reservation; None once it has expired."""
    rows = Reservation.objects.filter(workspace=item.workspace_id, item=item, user=user)
    return rows.filter(expires_at__gt=timezone.now()).first()


@transaction.atomic
def release(item: QueueItem, user: User) -> None:
    """Give the place back. What was written stays as a draft; a draft in which nothing was written is deleted."""
    lock(item)
    Reservation.objects.filter(workspace=item.workspace_id, item=item, user=user).delete()
    drafts = Review.objects.filter(workspace=item.workspace_id, item=item, reviewer=user, submitted_at=None)
    drafts.filter(overall="", criteria={}, comment="", verdicts=None, marks=None).delete()


def sweep_reservations() -> int:
    """Delete reservations that have expired, and say how many. They keep no place anyway; the table stays small."""
    return Reservation.objects.filter(expires_at__lte=timezone.now()).delete()[0]
