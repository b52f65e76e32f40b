"""Keeps stored findings in the order that the newest version of their workspace's ranking gives."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.audit.learned import place
from conversations.models import Compaction, CompactionAudit, Finding, RankingVersion
from conversations.vocabulary import Outcome

#: A worker that is at a version says so for so long; it says it again every `AT_ONCE` compactions.
LEASE = timedelta(seconds=300)
AT_ONCE = 20
LOST = frozenset({Outcome.FORGOTTEN, Outcome.ALTERED})
#: A compaction's risk is the sum of so many ranks: one grave loss counts more than many small ones.
WORST = 10
#: What a place is made of; the long texts of findings stay where they are.
_READ = ("workspace", "kind", "outcome", "detail", "detector", "author", "number", "rank", "parts")


def risk_of(ranks: Iterable[float]) -> float:
    """Of the ranks of a compaction's losses, in any order."""
    return round(sum(sorted(ranks, reverse=True)[:WORST]), 4)


def newest_version(workspace_id: int) -> RankingVersion | None:
    """The one in force; None: as shipped."""
    return RankingVersion.objects.filter(workspace=workspace_id).order_by("-number").first()


def put_in_order(workspace_id: int, findings: Sequence[Finding]) -> float:
    """Gives the losses among findings that are about to be stored their places; returns the compaction's risk.

    To be called while the compaction is locked: a version that comes later then finds these rows."""
    losses = [row for row in findings if row.outcome in LOST]
    version = newest_version(workspace_id)
    if version and version.weights:
        place(losses, version.weights, version.number)
    return risk_of(row.rank for row in losses)


def apply_version(version_id: int, seconds: float) -> bool:
    """Go on putting what is stored in the order of a version for so long; whether more is left. Nothing where another
    worker is at it."""
    end = time.monotonic() + seconds
    version = _claim(version_id, timezone.now())
    while version is not None and version.applied_at is None:
        if time.monotonic() > end:
            RankingVersion.objects.filter(pk=version.pk).update(claimed_until=None)
            return True
        _apply_next(version)
    return False


def _claim(version_id: int, now: datetime) -> RankingVersion | None:
    if not _unapplied(now).filter(pk=version_id).update(claimed_until=now + LEASE):
        return None
    return RankingVersion.objects.get(pk=version_id)


def _apply_next(version: RankingVersion) -> None:
    """The next compactions, or note that none is left or that a newer version is in force."""
    ids = list(compactions_below(version)[:AT_ONCE])
    newest = newest_version(version.workspace_id)
    if not ids or newest is None or newest.pk != version.pk:
        version.applied_at, version.claimed_until = timezone.now(), None
    for compaction_id in ids if version.applied_at is None else ():
        reorder(version, compaction_id)
        version.done, version.below = version.done + 1, compaction_id
        version.claimed_until = timezone.now() + LEASE
    version.save(update_fields=["applied_at", "claimed_until", "done", "below"])


def compactions_below(version: RankingVersion) -> "QuerySet[CompactionAudit, int]":
    """Ids of compactions with losses that the version is still to be applied to, the newest first."""
    rows = CompactionAudit.objects.filter(workspace=version.workspace_id).filter(Q(forgotten__gt=0) | Q(altered__gt=0))
    rest = rows if version.below is None else rows.filter(compaction__lt=version.below)
    return rest.order_by("-compaction").values_list("compaction", flat=True)


@transaction.atomic
def reorder(version: RankingVersion, compaction_id: int) -> None:
    """Put the losses of one compaction in order; one that was deleted meanwhile has none."""
    own = {"workspace": version.workspace_id, "compaction": compaction_id}
    # As an audit does: one writer at a time.
    locked = Compaction.objects.select_for_update(no_key=True).only("pk")
    if not locked.filter(workspace=version.workspace_id, pk=compaction_id).exists():
        return
    rows = list(Finding.objects.filter(**own).lost().only(*_READ))
    changed = place(rows, version.weights, version.number)
    if changed:
        Finding.objects.bulk_update(changed, ["number", "rank", "parts"])
        CompactionAudit.objects.filter(**own).update(risk=risk_of(row.rank for row in rows))


def left_behind() -> list[int]:
    """Ids of versions that are not applied to the end and at which nobody is."""
    return list(_unapplied(timezone.now()).order_by("id").values_list("id", flat=True))


def _unapplied(now: datetime) -> "QuerySet[RankingVersion]":
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return RankingVersion.objects.filter(free, applied_at=None)
