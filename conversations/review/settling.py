"""A second look at items on which reviewers differ: who may take it, and the record that comes of it."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from conversations.errors import BadInput, Conflict
from conversations.models import Mark, QueueItem, Review, User, Verdict
from conversations.people.activity import record_activity
from conversations.review.places import lock
from conversations.review.queries import reviews_of
from conversations.review.services import LONGEST_COMMENT, fitting_criteria, known_overall, restate
from conversations.vocabulary import Answer, ItemState, MemberRole

_SETTLES_ANY = frozenset({MemberRole.OWNER, MemberRole.ADMIN})
#: What is copied of a verdict besides its answer.
_JUDGED = ("text", "kind", "outcome", "number", "detector", "auditor_version", "probability")


def may_settle(role: str, user: User, reviews: Collection[Review]) -> bool:
    """Owners and admins settle any item; reviewers only those that they did not review, for nobody is to be the judge
    of their own case. `reviews` are those of the item."""
    if role == MemberRole.REVIEWER:
        return all(each.reviewer_id != user.pk for each in reviews if not each.settles)
    return role in _SETTLES_ANY


@transaction.atomic
def settle(
    item: QueueItem,
    user: User,
    *,
    overall: str,
    criteria: Mapping[str, int],
    comment: str = "",
    answers: Mapping[str, str],
    seen: int | None = None,
) -> Review:
    """Write the record of an item on which reviewers differ, or write it anew: a review of `user` that `settles`.

    `answers` by fact id, of findings that somebody judged; marks of all reviewers become part of the record. `seen` is
    the revision of the record that the page showed (None: there was none yet). Raises BadInput, and Conflict where
    somebody else was faster."""
    lock(item)
    if item.state not in {ItemState.DISAGREED, ItemState.SETTLED}:
        raise BadInput("Reviewers do not differ on this item.", mend="There is nothing to settle.")
    if not known_overall(overall):
        raise BadInput("Choose an overall verdict: faithful, minor loss or harmful loss.", at="overall")
    reviews = reviews_of(item)
    said = {
        "reviewer": user, "overall": overall, "criteria": fitting_criteria(criteria, item.queue.rubric),
        "comment": comment[:LONGEST_COMMENT], "submitted_at": timezone.now(), "saved_at": timezone.now(),
    }  # fmt: skip
    record = _record(item, seen, said)
    _write_verdicts(record, answers, [each for each in reviews if not each.settles])
    _copy_marks(record, [each for each in reviews if not each.settles])
    restate(item)
    record_activity(
        workspace=item.workspace, actor=user, action="item.settled", target=item,
        detail={"queue": item.queue_id, "compaction": item.compaction_id, "overall": overall},
    )  # fmt: skip
    return record


def _record(item: QueueItem, seen: int | None, said: dict[str, Any]) -> Review:
    rows = Review.objects.filter(workspace=item.workspace_id, item=item, settles=True)
    known = rows.first()
    if (known.revision if known else None) != seen:
        raise Conflict("Somebody else has settled this item meanwhile.", newer=known, mend="Look at what they said.")
    if known is None:
        key: dict[str, Any] = {"workspace_id": item.workspace_id, "compaction_id": item.compaction_id, "item": item}
        return Review.objects.create(settles=True, **key, **said)
    rows.update(revision=F("revision") + 1, **said)
    known.refresh_from_db()
    return known


def _write_verdicts(record: Review, answers: Mapping[str, str], reviews: Collection[Review]) -> None:
    given = [verdict for review in reviews for verdict in review.verdicts.all()]
    judged = {verdict.fact_id: verdict for verdict in given}
    same = {(verdict.fact_id, verdict.answer): verdict for verdict in given}  # who said so has its words, too
    if unknown := answers.keys() - judged.keys():
        raise BadInput(f"Nobody judged {len(unknown)} of these findings.", at="answers")
    if any(answer not in set(Answer) for answer in answers.values()):
        raise BadInput("One of the answers is none.", at="answers")
    Verdict.objects.filter(workspace=record.workspace_id, review=record).delete()
    Verdict.objects.bulk_create(
        _verdict(record, same.get((fact_id, answer), judged[fact_id]), answer) for fact_id, answer in answers.items()
    )


def _verdict(record: Review, judged: Verdict, answer: str) -> Verdict:
    return Verdict(
        workspace_id=record.workspace_id, review=record, compaction_id=record.compaction_id, fact_id=judged.fact_id,
        answer=answer, reworded=judged.reworded if answer == Answer.REWORD else "",
        **{name: getattr(judged, name) for name in _JUDGED},
    )  # fmt: skip


def _copy_marks(record: Review, reviews: Collection[Review]) -> None:
    """Nobody contradicts a mark: two people seldom mark the same words."""
    Mark.objects.filter(workspace=record.workspace_id, review=record).delete()
    found = Mark.objects.filter(workspace=record.workspace_id, review__in=[each.pk for each in reviews]).order_by("id")
    by_place = {(mark.what, mark.message_id, mark.block, mark.start, mark.end): mark for mark in found}
    for mark in by_place.values():
        mark.pk, mark.review = None, record
    Mark.objects.bulk_create(by_place.values())
