"""Write down what people say of compactions, so that nothing typed is lost and nothing is overwritten unseen.

A review is a draft until it is handed in. Every change names the `revision` that its author saw and makes the next one;
where another tab was faster `Conflict` is raised, whose `newer` is the review as it is now, and nothing is changed.
`revision=None` does not ask: for a single verdict, where the last answer counts.
A change also prolongs the reservation of an item in a queue, or takes the place again if it expired and is free.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from conversations.errors import BadInput, Conflict, Refused
from conversations.models import Compaction, Mark, Message, QueueItem, Reservation, Review, User, Verdict
from conversations.models.review import default_rubric
from conversations.people.activity import record_activity
from conversations.review.opinions import state_of
from conversations.review.places import hold, lock
from conversations.review.queries import opinions_on
from conversations.review.selection import Place
from conversations.review.snapshots import finding_as_judged
from conversations.vocabulary import Answer, ItemState, Marked, Overall

LONGEST_COMMENT = 20_000  # characters; also of a fact in somebody's own words


def open_review(*, compaction: Compaction, user: User, item: QueueItem | None = None) -> Review:
    """The user's review of the compaction, as an item of a queue or outside of one; a new draft if there is none."""
    if item is not None and item.compaction_id != compaction.pk:
        raise BadInput("The item is about another compaction.", at="item")
    return Review.objects.get_or_create(
        workspace_id=compaction.workspace_id, compaction=compaction, item=item, reviewer=user, settles=False
    )[0]


@transaction.atomic
def save_review(
    review: Review,
    revision: int | None,
    *,
    overall: str | None = None,
    criteria: Mapping[str, int] | None = None,
    comment: str | None = None,
) -> Review:
    """Save what is said of the whole compaction; None leaves a part as it is, "" takes the overall verdict back.

    `criteria` is all of them, by key of the queue's rubric. Raises Conflict, and BadInput for what the rubric does not
    know. Returns the review with its new revision."""
    return _change(review, revision, **_said(review, overall, criteria, comment))


def _said(
    review: Review, overall: str | None, criteria: Mapping[str, int] | None, comment: str | None
) -> dict[str, Any]:  # fmt: skip
    """The parts that are not None, as they are stored."""
    said: dict[str, Any] = {}
    if overall is not None:
        said["overall"] = known_overall(overall)
    if criteria is not None:
        said["criteria"] = fitting_criteria(criteria, rubric_of(review))
    if comment is not None:
        said["comment"] = comment[:LONGEST_COMMENT]
    return said


@transaction.atomic
def save_verdict(
    review: Review, revision: int | None, *, fact_id: str, answer: str, reworded: str = ""
) -> Verdict | None:
    """Save the answer (of `Answer`) on one finding, with the finding as it is now; "" takes it back: None is returned.

    `reworded` is the fact in the person's words, which `reword` needs. Raises Conflict and BadInput."""
    if answer and answer not in set(Answer):
        raise BadInput(f'"{answer[:40]}" is no verdict.', at="answer")
    if answer == Answer.REWORD and not reworded.strip():
        raise BadInput("Say the fact in your own words.", at="reworded")
    _change(review, revision)
    key: dict[str, Any] = {"workspace_id": review.workspace_id, "review": review, "fact_id": fact_id}
    if not answer:
        Verdict.objects.filter(**key).delete()
        return None
    said = {"answer": answer, "reworded": reworded.strip()[:LONGEST_COMMENT] if answer == Answer.REWORD else ""}
    if Verdict.objects.filter(**key).update(at=timezone.now(), **said):
        return Verdict.objects.get(**key)
    judged = finding_as_judged(review.compaction, fact_id)
    return Verdict.objects.create(compaction_id=review.compaction_id, **key, **said, **judged)


@transaction.atomic
def add_mark(
    review: Review,
    revision: int | None,
    *,
    what: str,
    place: Place,
    message: Message | None = None,
    text: str = "",
    kind: str = "",
) -> Mark:
    """Mark (`what` of `Marked`) a place in a dropped message as missed by the auditor, or in the summary (`message` is
    None) as invented; `text` and `kind` say the missed fact. Raises Conflict, and BadInput for what cannot be."""
    if what not in set(Marked) or (what == Marked.MISSED) != (message is not None):
        raise BadInput("Missed facts stand in dropped messages, invented statements in the summary.", at="what")
    if message is not None and message.dropped_by_id != review.compaction_id:
        raise BadInput("This compaction did not drop that message.", at="message")
    _change(review, revision)
    return Mark.objects.create(
        workspace_id=review.workspace_id, review=review, compaction_id=review.compaction_id, what=what,
        message=message, block=place.block, start=place.start, end=place.end, quote=place.quote,
        text=text.strip()[:LONGEST_COMMENT], kind=kind[:30],
    )  # fmt: skip


@transaction.atomic
def remove_mark(mark: Mark, revision: int | None) -> None:
    """Take a mark away. Raises Conflict."""
    _change(mark.review, revision)
    mark.delete()


@transaction.atomic
def submit(
    review: Review,
    revision: int | None,
    *,
    overall: str | None = None,
    criteria: Mapping[str, int] | None = None,
    comment: str | None = None,
) -> Review:
    """Hand the review in, with what is said last as in `save_review`: from now on it is a record, and its item gets its
    new state.

    Raises Conflict; BadInput without an overall verdict; Refused where the reservation expired and others took every
    place: what was written stays as a draft then, and can be handed in when a place is free again."""
    _take_place(review, must=True)
    review = _write(review, revision, submitted_at=timezone.now(), **_said(review, overall, criteria, comment))
    if not review.overall:
        raise BadInput("Choose an overall verdict: faithful, minor loss or harmful loss.", at="overall")
    if review.item:
        Reservation.objects.filter(workspace=review.workspace_id, item=review.item, user=review.reviewer).delete()
        restate(review.item)
    _record(review, "review.submitted")
    return review


@transaction.atomic
def reopen(review: Review) -> Review:
    """Make a review that was handed in a draft again, with its place kept: "undo". Raises Refused where its item is
    settled, for the record rests on it."""
    if review.item:
        lock(review.item)
        if review.item.state == ItemState.SETTLED:
            raise Refused("This item is settled.")
    rows = Review.objects.filter(pk=review.pk, workspace=review.workspace_id, submitted_at__isnull=False)
    if rows.update(submitted_at=None, revision=F("revision") + 1, saved_at=timezone.now()):
        if review.item:
            restate(review.item)
            hold(review.item, _author(review))
        _record(review, "review.reopened")
    review.refresh_from_db(fields=["submitted_at", "revision", "saved_at"])
    return review


def rubric_of(review: Review) -> list[dict[str, Any]]:
    """The criteria asked for: the queue's, or the defaults outside of one."""
    rubric: list[dict[str, Any]] = review.item.queue.rubric if review.item else default_rubric()
    return rubric


def restate(item: QueueItem) -> None:
    """Give the item the state that follows from what was handed in. Its row must be locked."""
    opinions, settled = opinions_on(item)
    item.state = state_of(opinions, asked=item.queue.reviewers_per_item, settled=settled)
    QueueItem.objects.filter(workspace=item.workspace_id, pk=item.pk).update(state=item.state)


def _change(review: Review, revision: int | None, **changes: Any) -> Review:
    _take_place(review, must=False)
    return _write(review, revision, **changes)


def _write(review: Review, revision: int | None, **changes: Any) -> Review:
    rows = Review.objects.filter(pk=review.pk, workspace=review.workspace_id, submitted_at=None)
    seen = rows if revision is None else rows.filter(revision=revision)
    if not seen.update(revision=F("revision") + 1, saved_at=timezone.now(), **changes):
        newer = Review.objects.get(pk=review.pk, workspace=review.workspace_id)
        done = "handed in" if newer.submitted_at else "changed"
        raise Conflict(f"This review was {done} in another tab.", mend="Look at what it says now.", newer=newer)
    review.refresh_from_db(fields=["revision", "saved_at", *changes])
    return review


def _take_place(review: Review, *, must: bool) -> None:
    """Locks the item before the review, as everything does: the other way round two tabs could wait for each other."""
    if review.item and not hold(review.item, _author(review)) and must and not _is_handed_in(review):
        raise Refused("Your reservation expired, and others review this item now.", mend="Your draft is kept.")


def _is_handed_in(review: Review) -> bool:
    """Then `_change` says so, as a conflict."""
    return Review.objects.filter(pk=review.pk, workspace=review.workspace_id, submitted_at__isnull=False).exists()


def _author(review: Review) -> User:
    if review.reviewer is None:
        raise Refused("The person who wrote this review is deleted.")
    return review.reviewer


def known_overall(overall: str) -> str:
    """The overall verdict, or "" for none. Raises BadInput."""
    if overall and overall not in set(Overall):
        raise BadInput(f'"{overall[:40]}" is no overall verdict.', at="overall")
    return overall


def fitting_criteria(criteria: Mapping[str, int], rubric: list[dict[str, Any]]) -> dict[str, int]:
    """The values by key, each one of the rubric's. Raises BadInput."""
    known = {each["key"]: {step["value"] for step in each["scale"]} for each in rubric}
    for key, value in criteria.items():
        if value not in known.get(key, ()):
            raise BadInput(f'"{value}" is no value of "{key[:60]}".', at=f"criteria.{key[:60]}")
    return dict(criteria)


def _record(review: Review, action: str) -> None:
    record_activity(
        workspace=review.workspace, actor=_author(review), action=action, target=review,
        detail={"compaction": review.compaction_id, "overall": review.overall},
    )  # fmt: skip
