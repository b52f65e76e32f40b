"""Make, change, close and open queues, and write down who did."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations.models import Queue, QueueItem, User
from conversations.people.activity import record_activity
from conversations.review.filling import clear_untouched
from conversations.review.places import lock
from conversations.review.services import restate
from conversations.vocabulary import ItemState

#: What decides which compactions flow in.
_RULE = ("filters", "sampling", "sample_percent")
#: What is written down when it changes. Instructions and rubric are long texts: only that they changed.
_SETTINGS = (*_RULE, "name", "reviewers_per_item", "blind", "reservation_minutes", "due_on", "goal_per_week")
_TEXTS = ("instructions", "rubric")


@transaction.atomic
def save_queue(queue: Queue, user: User) -> bool:
    """Save a new or changed queue; says whether it is to be filled (in the background): it is new, or another rule
    decides what flows in. Then what nobody has looked at leaves first.

    With another number of reviewers, items that this many people have judged are done, and others wait again."""
    before = Queue.objects.filter(workspace=queue.workspace_id, pk=queue.pk).first() if queue.pk else None
    queue.save()
    changed = _changes(before, queue) if before else {}
    if before is None or changed:
        record_activity(
            workspace=queue.workspace, actor=user, action="queue.changed" if before else "queue.made", target=queue,
            detail=changed,
        )  # fmt: skip
    if "reviewers_per_item" in changed:
        _restate_all(queue)
    redrawn = any(name in changed for name in _RULE)
    if redrawn:
        clear_untouched(queue)
    return before is None or redrawn


def _changes(before: Queue, after: Queue) -> dict[str, Any]:
    values = {name: [getattr(before, name), getattr(after, name)] for name in _SETTINGS}
    changed: dict[str, Any] = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
    if "due_on" in changed:
        changed["due_on"] = [day.isoformat() if day else None for day in changed["due_on"]]
    return changed | {name: True for name in _TEXTS if getattr(before, name) != getattr(after, name)}


def _restate_all(queue: Queue) -> None:
    """Of items that somebody has judged and nobody settled. One after the other: it happens seldom."""
    judged = QueueItem.objects.filter(workspace=queue.workspace_id, queue=queue, reviews__submitted_at__isnull=False)
    for item in judged.exclude(state=ItemState.SETTLED).distinct().order_by("id"):
        item.queue = queue
        lock(item)
        restate(item)


@transaction.atomic
def set_calibration(item: QueueItem, user: User, *, on: bool) -> None:
    """Whether everybody is to judge the item, so that people can be compared; those who have judged it have done so."""
    if item.calibration == on:
        return
    item.calibration = on
    item.save(update_fields=["calibration"])
    detail = {"item": item.pk, "compaction": item.compaction_id}
    action = "queue.calibration_on" if on else "queue.calibration_off"
    record_activity(workspace=item.workspace, actor=user, action=action, target=item.queue, detail=detail)


def close_queue(queue: Queue, user: User) -> None:
    """Nothing flows in and nothing is handed out any more; who is at an item may still hand it in."""
    if queue.closed_at is None:
        queue.closed_at = timezone.now()
        queue.save(update_fields=["closed_at"])
        record_activity(workspace=queue.workspace, actor=user, action="queue.closed", target=queue)


def open_queue(queue: Queue, user: User) -> None:
    """Hand items out again; it is to be filled (in the background) with what came meanwhile."""
    if queue.closed_at is not None:
        queue.closed_at = None
        queue.save(update_fields=["closed_at"])
        record_activity(workspace=queue.workspace, actor=user, action="queue.opened", target=queue)
