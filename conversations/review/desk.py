"""Where one person stands with one compaction: the item that is asked for, their own review, and the others'.

All of it comes with the compaction's own row, so that its page asks the database no further question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import JSONObject

from conversations.errors import Refused
from conversations.models import Compaction, Finding, Mark, QueueItem, Reservation, Review, User, Verdict
from conversations.vocabulary import Answer, ItemState, Marked, Overall

#: Reviews of one compaction that its page tells of.
MOST_REVIEWS = 50
#: Of the compaction whose row is read.
_HERE = {"workspace": OuterRef("workspace"), "compaction": OuterRef("pk")}


class JudgedFact(msgspec.Struct, frozen=True):
    """A verdict, with the words of the finding as it was."""

    fact: str
    answer: Answer
    reworded: str
    text: str
    number: int
    at: datetime
    still: bool  # the auditor still finds this fact

    @property
    def is_on_added(self) -> bool:
        """It is on a statement that the summary added, which has no rank."""
        return not self.number


class MarkedSpan(msgspec.Struct, frozen=True):
    """A missed fact, or an invented statement where `message` is None."""

    id: int
    what: Marked
    message: int | None
    external_id: str | None  # of the message
    block: int
    start: int
    end: int
    quote: str
    text: str
    kind: str


class ReviewTold(msgspec.Struct, frozen=True):
    """One review; `verdicts` and `marks` are told of a person's own."""

    id: int
    item: int | None
    item_state: ItemState | None
    queue: str | None
    blind: bool | None  # the queue's
    reviewer: int | None
    who: str | None
    made_by: str  # who labelled it elsewhere
    overall: str
    revision: int
    saved_at: datetime
    submitted_at: datetime | None
    settles: bool
    criteria: dict[str, Any] = {}
    comment: str = ""
    verdicts: list[JudgedFact] = []
    marks: list[MarkedSpan] = []

    @property
    def words(self) -> str:
        """The overall verdict; a dash where none was given."""
        return OVERALL_WORDS[Overall(self.overall)] if self.overall else "–"


class ItemTold(msgspec.Struct, frozen=True):
    """An item of a queue, as its reviewer meets it."""

    id: int
    state: ItemState
    queue: int
    name: str
    instructions: str
    rubric: list[dict[str, Any]]
    blind: bool
    closed: bool
    reserved_until: datetime | None


OVERALL_WORDS = {
    Overall.FAITHFUL: "faithful",
    Overall.MINOR_LOSS: "minor loss",
    Overall.HARMFUL_LOSS: "harmful loss",
}


def with_reviews(rows: "QuerySet[Compaction]", user: int, queue: int = 0, item: int = 0) -> "QuerySet[Compaction]":
    """With what `Desk.of` reads: reviews that were handed in, the user's own, and the items they may be at; the
    `item` of the `queue` among them, if there is one. All are keys."""
    items = ArraySubquery(_items(user, queue, item))
    return rows.annotate(told_reviews=ArraySubquery(_reviews(user)), told_items=items)


def _reviews(user: int) -> "QuerySet[Any, Any]":
    own = Q(reviewer=user)
    rows = Review.objects.filter(own | Q(submitted_at__isnull=False), **_HERE)
    plain = ("id", "item", "reviewer", "made_by", "overall", "criteria", "comment")
    state = ("revision", "saved_at", "submitted_at", "settles")
    told = {name: name for name in (*plain, *state)} | {
        "who": "reviewer__name",
        "item_state": "item__state",
        "queue": "item__queue__name",
        "blind": "item__queue__blind",
    }
    first = rows.order_by(Case(When(own, then=0), default=1), F("submitted_at").desc())[:MOST_REVIEWS]
    return first.values(json=JSONObject(**told, verdicts=_verdicts(user), marks=_marks(user)))


def _verdicts(user: int) -> ArraySubquery:
    """Of the user's own reviews; they may be thousands."""
    rows = Verdict.objects.filter(workspace=OuterRef("workspace"), review=OuterRef("pk"), review__reviewer=user)
    names = ("answer", "reworded", "text", "number", "at")
    found = Finding.objects.filter(
        workspace=OuterRef("workspace"), compaction=OuterRef("compaction"), fact_id=OuterRef("fact_id")
    )
    told = JSONObject(fact="fact_id", still=Exists(found), **{name: name for name in names})
    return ArraySubquery(rows.order_by("at", "id").values(json=told))


def _marks(user: int) -> ArraySubquery:
    rows = Mark.objects.filter(workspace=OuterRef("workspace"), review=OuterRef("pk"), review__reviewer=user)
    names = ("id", "what", "message", "block", "start", "end", "quote", "text", "kind")
    told = {name: name for name in names} | {"external_id": "message__external_id"}
    return ArraySubquery(rows.order_by("id").values(json=JSONObject(**told)))


def _items(user: int, queue: int, item: int) -> "QuerySet[Any, Any]":
    """The one that is asked for, and blind ones that the user is at: another address must not lift the veil."""
    reservations = Reservation.objects.filter(workspace=OuterRef("workspace"), item=OuterRef("pk"), user=user)
    asked = Q(pk=item, queue=queue)
    at_it = Q(queue__blind=True) & _held_by(user)
    told = {name: f"queue__{name}" for name in ("name", "instructions", "rubric", "blind")}
    return (
        QueueItem.objects.filter(asked | at_it, **_HERE)
        .order_by(Case(When(asked, then=0), default=1), "id")
        .values(
            json=JSONObject(
                **{name: name for name in ("id", "state", "queue")},
                **told,
                closed=Q(queue__closed_at__isnull=False),
                reserved_until=Subquery(reservations.values("expires_at")[:1]),
            )
        )
    )


def refuse_the_blind(user: User | AnonymousUser, compaction: Compaction) -> None:
    """Raises Refused where the user judges the compaction, or what it is a copy of, blindly: what was found is not to
    be had another way."""
    if not isinstance(user, User):
        return
    same = [pk for pk in (compaction.pk, compaction.copy_of_id) if pk is not None]
    items = QueueItem.objects.filter(workspace=compaction.workspace_id, compaction__in=same, queue__blind=True)
    if items.filter(_held_by(user.pk)).exists():
        raise Refused("You are judging this compaction blindly.", mend="Hand in your review first.")


def _held_by(user: int) -> Q:
    """Items that the user has a place on, or a draft about."""
    of_item: dict[str, Any] = {"workspace": OuterRef("workspace"), "item": OuterRef("pk")}
    drafts = Review.objects.filter(reviewer=user, submitted_at=None, settles=False, **of_item)
    return Q(Exists(Reservation.objects.filter(user=user, **of_item))) | Q(Exists(drafts))


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at one compaction. `item`: None = outside of queues; `own`: None = not begun."""

    item: ItemTold | None
    own: ReviewTold | None
    others: list[ReviewTold]

    @classmethod
    def of(cls, compaction: Compaction, user: User) -> Self:
        """Of a row read by `with_reviews`."""
        items = msgspec.convert(compaction.told_items, list[ItemTold])  # type: ignore[attr-defined]
        reviews = msgspec.convert(compaction.told_reviews, list[ReviewTold])  # type: ignore[attr-defined]
        item = items[0] if items else None
        at = item.id if item else None
        own = next((row for row in reviews if row.reviewer == user.pk and row.item == at and not row.settles), None)
        return cls(item, own, [row for row in reviews if row is not own and row.submitted_at])

    @property
    def is_open(self) -> bool:
        """The person has begun, and not handed it in."""
        return self.own is not None and self.own.submitted_at is None

    @property
    def is_done(self) -> bool:
        """It is handed in."""
        return self.own is not None and self.own.submitted_at is not None

    @property
    def is_blind(self) -> bool:
        """What the machine found is hidden, fact by fact, until the person has judged it."""
        return self.item is not None and self.item.blind and not self.is_done

    @property
    def verdicts(self) -> dict[str, JudgedFact]:
        """The person's own, by fact."""
        return {verdict.fact: verdict for verdict in self.own.verdicts} if self.own else {}

    def visible(self, *, is_admin: bool, may_review: bool) -> list[ReviewTold]:
        """What this person may see of the others' reviews: nobody is to judge under the eyes of another.

        Nothing while they judge blindly; else what stands as a record, and everything once they have handed in their
        own. Admins see all but what others are still judging blindly; those who cannot review, what is finished."""
        if self.is_blind:
            return []
        return [row for row in self.others if self._is_shown(row, is_admin=is_admin, may_review=may_review)]

    def _is_shown(self, row: ReviewTold, *, is_admin: bool, may_review: bool) -> bool:
        if row.settles or self.is_done:
            return True
        at_work = bool(row.blind) and row.item_state == ItemState.WAITING
        return not at_work and (is_admin or not may_review)
