"""Let compactions flow into queues: all that fit when a queue is made, and each one as soon as it is audited."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from conversations.audit.matching import FORGOTTEN_AT
from conversations.models import (
    Agent,
    Compaction,
    Conversation,
    Finding,
    Queue,
    QueueItem,
    Reservation,
    Review,
    Verdict,
    Workspace,
)
from conversations.review.sampling import Candidate, Pick, Sample, sample
from conversations.search import fitting_compactions
from conversations.vocabulary import Answer, AuditState, ItemState, Outcome, Sampling

#: Items written in one transaction, in which new audits wait for the queue.
PORTION = 1_000
#: Compactions that a preview looks at, the newest first: 5,000 take 40 ms of Postgres.
PREVIEWED = 5_000
#: A loss is unsure when the probability that the summary tells it is nearer to the line than to nothing.
UNSURE_FROM = FORGOTTEN_AT / 2


def fill_queue(queue: Queue) -> int:
    """Add everything that fits and is not in it yet; says how many. Doing it again adds only what is new."""
    here = QueueItem.objects.filter(workspace=queue.workspace_id, queue=queue)
    rows = _candidates(queue).exclude(pk__in=here.values("compaction"))
    picks = sample(map(_read, rows.order_by("id").iterator(chunk_size=PORTION)), sample_of(queue), _versions(queue))
    added = 0
    while portion := list(islice(picks, PORTION)):
        added += _add(queue, portion)
    return added


@transaction.atomic
def clear_untouched(queue: Queue) -> int:
    """Take out what nobody has looked at, for the queue to be filled by another rule; says how many. Calibration items
    stay, and so does whatever somebody is just taking."""
    here: Any = {"workspace": OuterRef("workspace"), "item": OuterRef("pk")}
    looked_at = Q(Exists(Review.objects.filter(**here))) | Q(Exists(Reservation.objects.filter(**here)))
    rows = QueueItem.objects.filter(workspace=queue.workspace_id, queue=queue, state=ItemState.WAITING)
    untouched = rows.filter(~looked_at, calibration=False)
    locked = list(untouched.select_for_update(skip_locked=True).values_list("id", flat=True))
    # Asked again now that they are locked: a reservation made meanwhile is seen.
    return untouched.filter(pk__in=locked).delete()[0]


def offer(conversation: Conversation) -> int:
    """Let the audited compactions of a conversation flow into the open queues that they fit, and give those that are
    in one the priority that the last audit makes of them; says how many were added."""
    queues = (
        Queue.objects.filter(workspace=conversation.workspace_id, closed_at=None)
        .select_related("workspace")
        .order_by("id")
    )
    return sum(_offer(queue, conversation) for queue in queues)


def _offer(queue: Queue, conversation: Conversation) -> int:
    rows = _candidates(queue).filter(conversation=conversation).order_by("id")
    return _add(queue, list(sample(map(_read, rows), sample_of(queue), _versions(queue))))


def sample_of(queue: Queue) -> Sample:
    """How the queue samples."""
    return Sample(Sampling(queue.sampling), queue.sample_percent, queue.pk or 0)


@transaction.atomic
def _add(queue: Queue, picks: list[Pick]) -> int:
    """The queue is locked, so that two audits that end together do not both bring the one of a version."""
    locked = Queue.objects.select_for_update(no_key=True).filter(pk=queue.pk, workspace=queue.workspace_id)
    if not picks or locked.values_list("closed_at", flat=True).get() is not None:
        return 0
    ids = [pick.id for pick in picks]
    here = QueueItem.objects.filter(workspace=queue.workspace_id, queue=queue, compaction__in=ids)
    known = {item.compaction_id: item for item in here}
    _rank_anew([(known[pick.id], pick.priority) for pick in picks if pick.id in known])
    taken = _versions(queue)
    new = [pick for pick in picks if pick.id not in known and pick.version not in taken]
    QueueItem.objects.bulk_create(
        QueueItem(workspace_id=queue.workspace_id, queue=queue, compaction_id=pick.id, priority=pick.priority)
        for pick in new
    )
    return len(new)


def _rank_anew(ranked: list[tuple[QueueItem, float]]) -> None:
    changed = []
    for item, priority in ranked:
        if item.state == ItemState.WAITING and item.priority != priority:
            item.priority = priority
            changed.append(item)
    QueueItem.objects.bulk_update(changed, ["priority"])


def _versions(queue: Queue) -> set[str]:
    """Of agents, of which the queue has a compaction: asked for where there is to be one of each."""
    if queue.sampling != Sampling.ONE_PER_VERSION:
        return set()
    items = QueueItem.objects.filter(workspace=queue.workspace_id, queue=queue)
    return {_version(agent) for agent in items.values_list("compaction__conversation__agent", flat=True).distinct()}


def _version(agent_id: int | None) -> str:
    return str(agent_id or "none")


# --- what there is to choose from -------------------------------------------------------------------------------------


def _candidates(queue: Queue) -> QuerySet[Any, Any]:
    return candidates(queue.workspace, queue.filters, Sampling(queue.sampling))


def candidates(workspace: Workspace, filters: Mapping[str, str], sampling: Sampling) -> QuerySet[Any, Any]:
    """Rows for `_read`: compactions that fit and that can be judged. Copies in forked sessions are left out, and those
    whose summary, or what it covers, cannot be read."""
    rows = fitting(workspace, filters).filter(audit__workspace=workspace, audit__state=AuditState.DONE)
    counted = _opinions() if sampling is Sampling.DISAGREEMENT else {}
    read: QuerySet[Any, Any] = rows.annotate(**counted).values("id", "conversation__agent", "audit__risk", *counted)
    return read


def fitting(workspace: Workspace, filters: Mapping[str, str]) -> QuerySet[Compaction]:
    """What the compaction list shows with these parameters."""
    agents = (
        Agent.objects.filter(workspace=workspace, name=filters["agent"])
        if filters.get("agent")
        else Agent.objects.none()
    )
    rows = Compaction.objects.originals().filter(workspace=workspace)
    return rows.filter(*fitting_compactions(filters, list(agents.values_list("id", flat=True))))


def _opinions() -> dict[str, Any]:
    """What people and the auditor think of a compaction, by field of `Candidate`."""
    here: Any = {"workspace": OuterRef("workspace"), "compaction": OuterRef("pk")}
    verdicts = Verdict.objects.filter(review__submitted_at__isnull=False, **here)
    reviews = Review.objects.filter(submitted_at__isnull=False, settles=False, **here)
    lost = Finding.objects.filter(outcome__in=[Outcome.FORGOTTEN, Outcome.ALTERED], **here)
    return {
        "judged": _number(verdicts, Count("*")),
        "contradicted": _number(verdicts.filter(~Q(answer__in=[Answer.AGREE, Answer.REWORD])), Count("*")),
        "verdicts_given": _number(reviews, Count("overall", distinct=True)),
        "lost": _number(lost, Count("*")),
        "unsure": _number(lost.filter(probability__gte=UNSURE_FROM), Count("*")),
    }


def _number(rows: QuerySet[Any, Any], counted: Count) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values("compaction").annotate(n=counted).values("n")), 0)


def _read(row: dict[str, Any]) -> Candidate:
    opinions = {name: row.get(name, 0) for name in ("judged", "contradicted", "lost", "unsure")}
    return Candidate(
        id=row["id"],
        version=_version(row["conversation__agent"]),
        risk=row["audit__risk"],
        differing=row.get("verdicts_given", 0) > 1,
        **opinions,
    )


# --- before it is done ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What a queue would hold: of the compactions that fit its filter, those that flow in."""

    fits: int
    judgeable: int  # can be read, and have been audited
    taken: int
    is_whole: bool  # False: these are figures of the newest PREVIEWED compactions only


def preview(workspace: Workspace, filters: Mapping[str, str], how: Sample) -> Preview:
    """Three queries at most."""
    newest = fitting(workspace, filters).order_by("-at", "-id").values_list("id", flat=True)[: PREVIEWED + 1]
    ids = list(newest)
    rows = [_read(row) for row in candidates(workspace, {}, how.sampling).filter(pk__in=ids[:PREVIEWED])]
    taken = sum(1 for _ in sample(rows, how))
    return Preview(fits=len(ids[:PREVIEWED]), judgeable=len(rows), taken=taken, is_whole=len(ids) <= PREVIEWED)
