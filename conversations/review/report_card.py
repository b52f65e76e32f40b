"""Read what people said of the auditor's findings: how often it is right, where, and what it missed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from conversations.models import Mark, Verdict, Workspace
from conversations.review.precision import (
    Found,
    Judged,
    Precision,
    found_losses,
    precision,
    precision_by,
    rank_of,
    week_of,
)
from conversations.review.snapshots import ADDED
from conversations.vocabulary import Marked, Outcome

#: Verdicts that are read for one page, the newest. 50,000 of them take 0.5 s.
MOST = 50_000
#: Detector of a fact that was not found by the auditor but came with labels made elsewhere.
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class ReportCard:
    """How the auditor does, by what people said."""

    judgements: int
    is_part: bool
    losses: Precision
    added: Precision
    found: Found
    groups: list[tuple[str, list[Precision]]]  # (heading, rows)


def report_card(workspace: Workspace, since: datetime | None = None) -> ReportCard:
    """By the reviews handed in since then. Two queries."""
    said = judged_in(workspace, since)
    added = [each for each in said if each.outcome == ADDED]
    listed = [each for each in said if each.outcome != ADDED]
    lost = [each for each in listed if each.outcome in {Outcome.FORGOTTEN, Outcome.ALTERED}]
    return ReportCard(
        judgements=len(said),
        is_part=len(said) == MOST,
        losses=precision("Losses", lost),
        added=precision("Added statements", added),
        found=found_losses(listed, _missed(workspace, since)),
        groups=[
            ("By rank", sorted(precision_by(rank_of, lost), key=lambda each: _rank_order(each.name))),
            ("By outcome", precision_by(lambda each: each.outcome, listed)),
            ("By detector", precision_by(lambda each: each.detector.replace("_", " "), lost)),
            ("By kind of fact", precision_by(lambda each: each.kind, lost)),
            ("By auditor version", precision_by(lambda each: each.version or "unknown", lost)),
            ("By week", sorted(precision_by(_week_name, lost), key=lambda each: each.name, reverse=True)),
        ],
    )


def _rank_order(name: str) -> int:
    return int(name.partition("–")[0].split()[0])


def _week_name(judged: Judged) -> str:
    return week_of(judged.at).isoformat()


def judged_in(workspace: Workspace, since: datetime | None = None) -> list[Judged]:
    """Verdicts on what the auditor said, in reviews handed in since then; the newest `MOST`. One query."""
    rows = Verdict.objects.filter(workspace=workspace, review__submitted_at__isnull=False).exclude(detector=ELSEWHERE)
    if since:
        rows = rows.filter(review__submitted_at__gte=since)
    fields = (
        "compaction_id", "fact_id", "outcome", "kind", "detector", "number", "auditor_version",
        "review__submitted_at", "answer", "review__settles",
    )  # fmt: skip
    return [Judged(*row) for row in rows.order_by("-id").values_list(*fields)[:MOST]]


def _missed(workspace: Workspace, since: datetime | None) -> int:
    """Places that people marked as missed; one that several people marked counts once."""
    rows = Mark.objects.filter(workspace=workspace, what=Marked.MISSED, review__submitted_at__isnull=False)
    if since:
        rows = rows.filter(review__submitted_at__gte=since)
    spans: dict[tuple[int | None, int], list[tuple[int, int]]] = defaultdict(list)
    for message, block, start, end in rows.values_list("message_id", "block", "start", "end").order_by("start", "id"):
        before = spans[message, block]
        if before and start < before[-1][1]:
            before[-1] = (before[-1][0], max(end, before[-1][1]))
        else:
            before.append((start, end))
    return sum(map(len, spans.values()))
