"""A workspace's week beside the one before: losses that did harm, how far reviews came, how far people agree.

Weeks begin on Mondays in UTC, as everywhere in reviews.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Avg, Count, Exists, OuterRef, Q, QuerySet, Sum

from conversations.models import Compaction, Finding, Queue, QueueItem, Review, Workspace
from conversations.review.measures import WeekAgreement, agreement_of
from conversations.vocabulary import AuditState, ItemState

WEEK = timedelta(days=7)
#: Harmful losses that are told of; the rest is a link.
MOST_HARMFUL = 10
MOST_QUEUES = 50


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure of the week beside the week before; None = nothing to be said."""

    name: str
    now: float | None
    before: float | None
    is_share: bool = False
    less_is_better: bool | None = None  # None: neither is

    @property
    def change(self) -> float | None:
        """How much it went up, in its own unit."""
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def is_better(self) -> bool | None:
        """None where it stayed, or where neither way is better."""
        if self.less_is_better is None or not self.change:
            return None
        return (self.change < 0) == self.less_is_better


@dataclass(frozen=True, slots=True)
class QueueWeek:
    """How far one open queue came."""

    queue: Queue
    handed_in: int  # reviews in this week
    waiting: int  # items, now

    @property
    def goal_percent(self) -> int | None:
        """Of the goal; None where none is set."""
        goal = self.queue.goal_per_week
        return None if not goal else min(100, 100 * self.handed_in // goal)


@dataclass(frozen=True, slots=True)
class HarmfulLoss:
    """The best ranked finding of a compaction that did harm."""

    compaction: Compaction
    finding: Finding
    others: int  # further ones that did harm there


@dataclass(frozen=True, slots=True)
class Digest:
    """One week of one workspace."""

    monday: date
    trends: Sequence[Trend]
    harmful: Sequence[HarmfulLoss]
    compactions_with_harm: int
    queues: Sequence[QueueWeek]
    agreement: WeekAgreement | None
    agreement_before: WeekAgreement | None

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened, neither in this week nor in the one before."""
        return not any(trend.now or trend.before for trend in self.trends)


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def digest_of(workspace: Workspace, monday: date, reader: int) -> Digest:
    """Of the week that begins then. Nine queries; a compaction that the `reader` judges blindly is not told of."""
    start = datetime.combine(monday, time(), UTC)
    compactions = Compaction.objects.originals().filter(workspace=workspace)
    counted = compactions.filter(at__gte=start - WEEK, at__lt=start + WEEK).aggregate(**_counts(start))
    handed_in = _handed_in(workspace, start)
    weeks = {week.monday: week for week in agreement_of(workspace).weeks}
    worst = _with_harm(compactions.filter(at__gte=start, at__lt=start + WEEK), reader)
    return Digest(
        monday=monday,
        trends=_trends(counted, handed_in),
        harmful=_harmful(worst),
        compactions_with_harm=counted["harmed_now"],
        queues=_queues(workspace, handed_in),
        agreement=weeks.get(monday),
        agreement_before=weeks.get(monday - WEEK),
    )


def _counts(start: datetime) -> dict[str, Any]:
    """Sums of both weeks in one go, as `compactions_now`, `compactions_before` and so on."""
    counts: dict[str, Any] = {}
    for name, week in (("now", Q(at__gte=start)), ("before", Q(at__lt=start))):
        audited = week & Q(audit__state=AuditState.DONE)
        counts |= {
            f"compactions_{name}": Count("pk", filter=week),
            f"audited_{name}": Count("pk", filter=audited),
            f"harmed_{name}": Count("pk", filter=audited & Q(audit__harmful__gt=0)),
            f"kept_{name}": Avg("audit__retention", filter=audited),
        }
        sums = ("forgotten", "altered", "added", "harmful")
        counts |= {f"{each}_{name}": Sum(f"audit__{each}", filter=audited, default=0) for each in sums}
    return counts


def _trends(counted: dict[str, Any], handed_in: dict[int | None, tuple[int, int]]) -> list[Trend]:
    def of(label: str, name: str, **more: bool | None) -> Trend:
        return Trend(label, counted[f"{name}_now"], counted[f"{name}_before"], **more)  # type: ignore[arg-type]

    reviews = [sum(each) for each in zip(*handed_in.values(), strict=True)] or [0, 0]
    return [
        of("Compactions", "compactions"),
        of("Facts forgotten", "forgotten", less_is_better=True),
        of("Facts altered", "altered", less_is_better=True),
        of("Statements added", "added", less_is_better=True),
        of("Losses that did harm", "harmful", less_is_better=True),
        of("Kept of what mattered", "kept", is_share=True, less_is_better=False),
        Trend("Reviews handed in", reviews[0], reviews[1], less_is_better=False),
    ]


def _handed_in(workspace: Workspace, start: datetime) -> dict[int | None, tuple[int, int]]:
    """Reviews of this week and of the one before, by queue (None: outside of queues)."""
    rows = Review.objects.filter(
        workspace=workspace, submitted_at__gte=start - WEEK, submitted_at__lt=start + WEEK, settles=False, made_by=""
    )
    now = Count("pk", filter=Q(submitted_at__gte=start))
    before = Count("pk", filter=Q(submitted_at__lt=start))
    counted = rows.order_by().values_list("item__queue").annotate(now=now, before=before)
    return {queue: (now, before) for queue, now, before in counted}


def _queues(workspace: Workspace, handed_in: dict[int | None, tuple[int, int]]) -> list[QueueWeek]:
    """Those that are open, by name."""
    waiting = Count("items", filter=Q(items__state=ItemState.WAITING))
    rows = Queue.objects.filter(workspace=workspace, closed_at=None).annotate(waiting=waiting).order_by("name", "id")
    return [QueueWeek(row, handed_in.get(row.pk, (0, 0))[0], row.waiting) for row in rows[:MOST_QUEUES]]


def _with_harm(rows: "QuerySet[Compaction]", reader: int) -> list[Compaction]:
    """The worst ones of the rows in which a loss did harm, with their conversations."""
    here = {"workspace": OuterRef("workspace"), "compaction": OuterRef("pk")}
    own = Review.objects.filter(reviewer=reader, submitted_at__isnull=False, item=OuterRef("pk"))
    blind = QueueItem.objects.filter(queue__blind=True, queue__closed_at=None, state=ItemState.WAITING, **here)
    seen = rows.filter(audit__state=AuditState.DONE, audit__harmful__gt=0).exclude(Exists(blind.exclude(Exists(own))))
    narrow = ("number", "at", "kind", "workspace", "conversation__title", "conversation__external_id", "audit__harmful")
    told = seen.select_related("conversation", "audit").only(*narrow)
    return list(told.order_by("-audit__risk", "id")[:MOST_HARMFUL])


def _harmful(compactions: Sequence[Compaction]) -> list[HarmfulLoss]:
    if not compactions:
        return []
    rows = Finding.objects.filter(workspace=compactions[0].workspace_id, compaction__in=compactions, harmful=True)
    found: dict[int, list[Finding]] = {}
    for row in rows.order_by("number"):
        found.setdefault(row.compaction_id, []).append(row)
    return [HarmfulLoss(each, found[each.pk][0], len(found[each.pk]) - 1) for each in compactions if each.pk in found]
