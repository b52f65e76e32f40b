"""Makes versions of a workspace's ranking out of what people said of findings; the newest is in force."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from conversations.audit.audit import AUDITOR_VERSION
from conversations.audit.learned import shipped, traits
from conversations.audit.learned_services import compactions_below, newest_version
from conversations.models import Finding, RankingVersion, User, Verdict, Workspace
from conversations.people.activity import record_activity
from conversations.review.learning import Example, Learned, Trial, learn
from conversations.review.precision import Judged, decided, is_worth
from conversations.review.report_card import judged_in
from conversations.vocabulary import Outcome, RankingState

#: Compactions whose findings are read at once.
AT_ONCE = 500
_OFF = Learned(RankingState.OFF, {}, Trial(0, 0, 0, 0))


def teach(workspace: Workspace) -> RankingVersion | None:
    """Learn from the verdicts as they are now; returns a version that is to be applied, None where nothing changes.

    Nothing is learned again from the same verdicts."""
    key = verdicts_key(workspace)
    before = newest_version(workspace.pk)
    if before and before.verdicts_key == key:
        return None
    return _stored(workspace, learn(examples_of(workspace)) if workspace.learns_ranking else _OFF, key)


@transaction.atomic
def _stored(workspace: Workspace, learned: Learned, key: str) -> RankingVersion | None:
    """A new version where other weights are to be applied; else the newest one says what was tried last."""
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
    before = newest_version(workspace.pk)
    told: dict[str, Any] = {
        "state": learned.state, "trial": msgspec.to_builtins(learned.trial), "verdicts_key": key,
    }  # fmt: skip
    if before and before.weights == learned.weights:
        RankingVersion.objects.filter(pk=before.pk).update(**told)
        return None
    is_new = bool(learned.weights) or before is not None
    version = RankingVersion(
        workspace=workspace, number=before.number + 1 if before else 1, weights=learned.weights,
        applied_at=None if is_new else timezone.now(), **told,
    )  # fmt: skip
    version.total = compactions_below(version).count() if is_new else 0
    version.save()
    return version if is_new else None


def verdicts_key(workspace: Workspace) -> str:
    """Changes with every verdict handed in, taken back or settled, with the auditor, and with the team's wish."""
    rows = _said(workspace).aggregate(last=Max("pk"), at=Max("at"), handed_in=Max("review__submitted_at"))
    told = [rows["at"], rows["handed_in"]]
    moments = " ".join(moment.isoformat() if moment else "-" for moment in told)
    wish = "on" if workspace.learns_ranking else "off"
    return f"{wish} {AUDITOR_VERSION} {_said(workspace).count()} {rows['last']} {moments}"


def _said(workspace: Workspace) -> "QuerySet[Verdict]":
    return Verdict.objects.filter(workspace=workspace, review__submitted_at__isnull=False)


def examples_of(workspace: Workspace) -> list[Example]:
    """Losses that the auditor still finds and on which people have decided."""
    by_compaction: dict[int, dict[str, list[Judged]]] = defaultdict(lambda: defaultdict(list))
    for each in judged_in(workspace):
        by_compaction[each.compaction][each.fact_id].append(each)
    found: list[Example] = []
    ids = sorted(by_compaction)
    for start in range(0, len(ids), AT_ONCE):
        found += _examples(workspace, ids[start : start + AT_ONCE], by_compaction)
    return found


def _examples(workspace: Workspace, ids: Sequence[int], said: dict[int, dict[str, list[Judged]]]) -> list[Example]:
    facts = {fact for compaction in ids for fact in said[compaction]}
    rows = Finding.objects.filter(workspace=workspace, compaction__in=ids, fact_id__in=facts).lost()
    fields = ("workspace", "conversation", "compaction", "fact_id", "kind", "outcome", "detail", "detector", "author",
              "number", "rank", "parts")  # fmt: skip
    found = []
    for row in rows.only(*fields):
        word = decided([each for each in said[row.compaction_id].get(row.fact_id, ()) if _is_of_a_loss(each)])
        if word:
            number, rank = shipped(row)
            found.append(
                Example(row.conversation_id, row.compaction_id, row.fact_id, number, rank, traits(row), is_worth(word))
            )
    return found


def _is_of_a_loss(judged: Judged) -> bool:
    """An earlier auditor may have said that it was kept: then "not lost" is no word against a loss."""
    return judged.outcome in {Outcome.FORGOTTEN, Outcome.ALTERED}


@transaction.atomic
def set_wish(workspace: Workspace, user: User, *, learns: bool) -> bool:
    """Whether the ranking is to learn here; True where that changed: then `teach` is to be called."""
    if workspace.learns_ranking == learns:
        return False
    workspace.learns_ranking = learns
    workspace.save(update_fields=["learns_ranking"])
    record_activity(
        workspace=workspace, actor=user, action="ranking.learns" if learns else "ranking.as_shipped", target=workspace
    )
    return True
